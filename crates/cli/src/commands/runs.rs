//! `lifeboat runs`

use std::fmt;

use lifeboat_display::run_list::{RunLine, as_table};
use lifeboat_engine::{Listed, Store as _};
use lifeboat_store::FileStore;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;

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
    let runs = store.list().map_err(|error| CliError::new(Exit::Journal, error))?;
    let lines: Vec<_> = runs.iter().map(|listed| line(&store, listed)).collect();
    if args.json {
        context.print(&lines.iter().map(|line| format!("{}\n", line.as_json())).collect::<String>())?;
    } else if runs.is_empty() {
        context.terminal.say("there is no run yet\n");
    } else {
        context.print(&as_table(&lines))?;
    }
    Ok(Exit::Done)
}

fn line<'r>(store: &FileStore, listed: &'r Listed) -> RunLine<'r> {
    let header = listed.header.as_ref().map_err(|error| error as &dyn fmt::Display);
    RunLine { run: &listed.run, header, held: listed.held, warning: store.end_warning(listed) }
}
