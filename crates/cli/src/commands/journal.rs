//! `lifeboat journal`

use lifeboat::Wanted;
use lifeboat_display::sanitize::clean;
use lifeboat_display::style::{GOOD, WARNING};
use lifeboat_engine::StoreError;
use lifeboat_model::RunId;
use lifeboat_store::{Checkpoints, FileStore, VerifyReport};
use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::selection;

/// Print a run's records as they are on disk, one JSON object a line
///
/// Each line holds its number, the hash of the line before and its own. Takes no lock. Exits with 8 if the journal is
/// damaged, and says at which record.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run, by the beginning of its id; otherwise the newest
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Check the chain of records and the checkpoints, instead of printing the records
    #[arg(long)]
    verify: bool,
    /// With --verify: print one JSON object
    #[arg(long, requires = "verify")]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let store = context.store()?;
    let lifeboat = context.lifeboat(&store)?;
    let run = selection::run(context, &lifeboat, args.run.as_deref(), Wanted::Any)?;
    let damaged = |error: StoreError| CliError::store(&context.spelling, &run, error);
    if args.verify {
        let report = store.verify(&run).map_err(damaged)?;
        let text = if args.json { as_json(&run, &report) } else { as_text(&run, &report) };
        context.print(&text)?;
    } else {
        print_lines(&store, &run, context)?;
    }
    Ok(Exit::Done)
}

fn print_lines(store: &FileStore, run: &RunId, context: &Context) -> Result<(), CliError> {
    let journal = store.journal(run).map_err(|error| CliError::store(&context.spelling, run, error))?;
    context.print(&journal.lines().map(|line| String::from_utf8_lossy(line) + "\n").collect::<String>())
}

fn as_text(run: &RunId, report: &VerifyReport) -> String {
    let VerifyReport { seq, hash, notes, checkpoints } = report;
    let notes = notes.iter().map(|note| format!("{WARNING}note:{WARNING:#} {}\n", clean(note)));
    let checkpoints = match checkpoints {
        Checkpoints::None => "there are none, which is no harm".to_owned(),
        Checkpoints::Good { seq } => format!("{GOOD}ok{GOOD:#}, up to record {seq}"),
        Checkpoints::Bad { why } => {
            format!("{WARNING}not usable{WARNING:#}: {}; the next resume builds new ones", clean(why))
        }
        Checkpoints::Unchecked { why } => {
            format!("{WARNING}could not be checked{WARNING:#}: {}", clean(why))
        }
        Checkpoints::InUse { .. } => "in use by the process that drives the run; not looked at".to_owned(),
    };
    format!(
        "{run}\njournal:     {GOOD}ok{GOOD:#}, {seq} records, each follows from the one before\n\
         last hash:   {hash}\ncheckpoints: {checkpoints}\n{}",
        notes.collect::<String>()
    )
}

fn as_json(run: &RunId, report: &VerifyReport) -> String {
    let VerifyReport { seq, hash, notes, checkpoints } = report;
    let checkpoints = match checkpoints {
        Checkpoints::None => json!({"state": "none"}),
        Checkpoints::Good { seq } => json!({"state": "good", "seq": seq}),
        Checkpoints::Bad { why } => json!({"state": "bad", "why": why}),
        Checkpoints::Unchecked { why } => json!({"state": "unchecked", "why": why}),
        Checkpoints::InUse { by } => json!({"state": "in_use", "by": by}),
    };
    let json = json!({
        "run": run, "journal": "ok", "seq": seq, "hash": hash, "notes": notes, "checkpoints": checkpoints,
    });
    format!("{json}\n")
}
