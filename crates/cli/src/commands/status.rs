//! `lifeboat status`

use jiff::Timestamp;
use lifeboat_display::next_commands;
use lifeboat_display::run_status::{as_json, as_text};
use lifeboat_display::sanitize::clean;
use lifeboat_display::style::WARNING;
use lifeboat_engine::Store as _;
use lifeboat_model::StepId;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::pick::{self, Fits};
use crate::printed::Printed;
use crate::{next, secrets};

/// Show a run as it is now
///
/// Takes no lock: it can be asked at any time, also while another process drives the run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run, by the beginning of its id; otherwise the newest
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let store = context.store()?;
    let run = pick::run(context, &store, args.run.as_deref(), Fits::Any)?;
    let mut loaded = store.load(&run).map_err(|error| CliError::store(&context.spelling, &run, error))?;
    if loaded.holder.is_none() {
        loaded.state.driver_is_gone();
    }
    for note in &loaded.notes {
        context.terminal.say(&format!("{WARNING}warning:{WARNING:#} {}\n", clean(note)));
    }
    let (state, holder) = (&loaded.state, loaded.holder.as_ref());
    if args.json {
        context.print(&format!("{}\n", as_json(state, holder)))?;
    } else {
        let printed = Printed::new(store.steps_folder(&run), &secrets::of_run(state));
        let tails = |step: &StepId, attempt| printed.tail(step, attempt);
        context.print(&as_text(state, holder, Timestamp::now(), &tails))?;
        if holder.is_none() {
            let shown = context.spelling.about("status", &run);
            let next: Vec<_> = next::of(context, state);
            let other: Vec<_> = next.into_iter().filter(|next| next.command != shown).collect();
            context.terminal.say(&next_commands::rendered(&other));
        }
    }
    Ok(Exit::Done)
}
