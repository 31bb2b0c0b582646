//! `lifeboat status`

use jiff::Timestamp;
use lifeboat::{OutputTails, Wanted};
use lifeboat_display::next_commands::rendered;
use lifeboat_display::run_status::{as_json, as_text};
use lifeboat_display::sanitize::clean;
use lifeboat_display::style::WARNING;
use lifeboat_model::NodePath;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::{next_commands, output_tail, selection};

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
    let lifeboat = context.lifeboat(&store)?;
    let run = selection::run(context, &lifeboat, args.run.as_deref(), Wanted::Any)?;
    let view = lifeboat.view(&run).map_err(|error| CliError::store(&context.spelling, &run, error))?;
    for note in &view.notes {
        context.terminal.say(&format!("{WARNING}warning:{WARNING:#} {}\n", clean(note)));
    }
    let (state, holder) = (&view.state, view.holder.as_ref());
    if args.json {
        context.print(&format!("{}\n", as_json(state, holder)))?;
        return Ok(Exit::Done);
    }
    let tails = OutputTails::new(store.steps_folder(&run), &view.secrets());
    let tails = |step: &NodePath, attempt| output_tail::of(&tails, step, attempt);
    context.print(&as_text(state, holder, Timestamp::now(), &tails))?;
    if holder.is_none() {
        let shown = context.spelling.about("status", &run);
        let next = next_commands::of(&context.spelling, &lifeboat, state);
        let other: Vec<_> = next.into_iter().filter(|next| next.command != shown).collect();
        context.terminal.say(&rendered(&other));
    }
    Ok(Exit::Done)
}
