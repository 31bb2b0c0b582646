//! A list of runs, for people and for programs.

use std::fmt;

use lifeboat_model::record::Mode;
use lifeboat_model::{Header, Phase, RunId};
use serde_json::{Value, json};

use crate::run_stage::RunStage;
use crate::sanitize::clean;
use crate::state_words;
use crate::style::{BOLD, ERROR, WARNING};
use crate::table;
use crate::units::moment;

/// What a list says of a run.
pub struct RunLine<'r> {
    /// The run.
    pub run: &'r RunId,
    /// Its header, or why it cannot be read.
    pub header: Result<&'r Header, &'r dyn fmt::Display>,
    /// Whether a process drives it now.
    pub held: bool,
    /// What a person should know about the end of its journal.
    pub warning: Option<String>,
}

impl RunLine<'_> {
    /// The line as an object for programs.
    pub fn as_json(&self) -> Value {
        let header = match &self.header {
            Ok(header) => header,
            Err(error) => return json!({"run": self.run, "error": error.to_string(), "held": self.held}),
        };
        let stage = RunStage::of(header.state, self.held);
        let mut json = json!({
            "run": header.run, "runbook": header.runbook, "mode": header.mode, "state": stage.word,
        });
        if let Some(reason) = stage.reason {
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
        json["held"] = json!(self.held);
        if let Some(warning) = &self.warning {
            json["warning"] = json!(warning);
        }
        json
    }

    fn row(&self) -> [String; 5] {
        let run = self.run.to_string();
        let header = match &self.header {
            Ok(header) => header,
            Err(error) => {
                let none = String::new;
                let why = clean(&error.to_string()).into_owned();
                return [run, none(), none(), none(), format!("{ERROR}unreadable{ERROR:#}: {why}")];
            }
        };
        let state = match header.state {
            Phase::Running | Phase::Stopped(_) if self.held => "running".to_owned(),
            Phase::Running | Phase::Stopped(_) | Phase::Finished(_) => {
                let (word, style) = state_words::last_known(header);
                format!("{style}{word}{style:#}")
            }
        };
        let warning =
            self.warning.as_ref().map(|warning| format!("; {WARNING}warning:{WARNING:#} {}", clean(warning)));
        let state = state + &warning.unwrap_or_default();
        let mode = state_words::mode(header.mode).to_owned();
        [run, header.runbook.to_string(), mode, moment(header.created), state]
    }
}

/// The list as a table.
pub fn as_table(runs: &[RunLine<'_>]) -> String {
    let head = ["RUN", "RUNBOOK", "MODE", "CREATED", "STATE"].map(|word| format!("{BOLD}{word}{BOLD:#}"));
    let rows: Vec<_> = std::iter::once(head).chain(runs.iter().map(RunLine::row)).collect();
    table::rendered(&rows)
}
