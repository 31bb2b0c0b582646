//! `lifeboat runs`

use lifeboat_engine::Listed;
use lifeboat_model::record::Mode;
use lifeboat_model::{Header, Phase};
use serde_json::{Value, json};

use super::print;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::pick;
use crate::table;
use crate::words::{self, BOLD, ERROR, WARNING, clean, moment};

/// List all runs, newest first
///
/// Takes no lock and reads no more of a journal than its end, so it is quick however many runs there are. A run that
/// cannot be read is listed with the reason.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object for each run
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let store = context.store()?;
    let runs = pick::list(&store)?;
    let warned: Vec<_> = runs.iter().map(|listed| (listed, store.end_warning(listed))).collect();
    if args.json {
        let lines =
            warned.iter().map(|(listed, warning)| format!("{}\n", as_json(listed, warning.as_deref())));
        print(context, &lines.collect::<String>())?;
    } else if runs.is_empty() {
        context.terminal.say("there is no run yet\n");
    } else {
        let head = ["RUN", "RUNBOOK", "MODE", "CREATED", "STATE"].map(|word| format!("{BOLD}{word}{BOLD:#}"));
        let rows: Vec<_> = std::iter::once(head)
            .chain(warned.iter().map(|(listed, warning)| row(listed, warning.as_deref())))
            .collect();
        print(context, &table::rendered(&rows))?;
    }
    Ok(Exit::Done)
}

/// How far a run is, in the words of programs.
fn stage(header: &Header, held: bool) -> (&'static str, Option<&'static str>) {
    match header.state {
        Phase::Finished(_) => ("finished", None),
        Phase::Running | Phase::Stopped(_) if held => ("running", None),
        Phase::Running => ("stopped", Some("driver_gone")),
        Phase::Stopped(reason) => ("stopped", Some(reason.as_str())),
    }
}

fn as_json(listed: &Listed, warning: Option<&str>) -> Value {
    let header = match &listed.header {
        Ok(header) => header,
        Err(error) => return json!({"run": listed.run, "error": error.to_string(), "held": listed.held}),
    };
    let (stage, reason) = stage(header, listed.held);
    let mut json = json!({
        "run": header.run, "runbook": header.runbook, "mode": header.mode, "state": stage,
    });
    if let Some(reason) = reason {
        json["reason"] = json!(reason);
    }
    if let Phase::Finished(verdict) = header.state {
        json["verdict"] = json!(verdict);
    }
    if header.mode == Mode::DryRun {
        json["not_rehearsed"] = json!(header.not_rehearsed);
    }
    json["created"] = json!(header.created);
    json["updated"] = json!(header.updated);
    json["digest"] = json!(header.digest);
    json["held"] = json!(listed.held);
    if let Some(warning) = warning {
        json["warning"] = json!(warning);
    }
    json
}

fn row(listed: &Listed, warning: Option<&str>) -> [String; 5] {
    let run = listed.run.to_string();
    let header = match &listed.header {
        Ok(header) => header,
        Err(error) => {
            let none = String::new;
            let why = clean(&error.to_string()).into_owned();
            return [run, none(), none(), none(), format!("{ERROR}unreadable{ERROR:#}: {why}")];
        }
    };
    let state = match header.state {
        Phase::Running | Phase::Stopped(_) if listed.held => "running".to_owned(),
        Phase::Running | Phase::Stopped(_) | Phase::Finished(_) => {
            let (word, style) = words::last_known(header);
            format!("{style}{word}{style:#}")
        }
    };
    let warning = warning.map(|warning| format!("; {WARNING}warning:{WARNING:#} {}", clean(warning)));
    let state = state + &warning.unwrap_or_default();
    let mode = words::mode(header.mode).to_owned();
    [run, header.runbook.to_string(), mode, moment(header.created), state]
}
