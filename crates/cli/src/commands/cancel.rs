//! `lifeboat cancel`

use lifeboat_display::sanitize::clean;
use lifeboat_display::style::WARNING;
use lifeboat_model::record::Decision;

use crate::args::OutputArgs;
use crate::claim::{claim, decide, reason};
use crate::context::Context;
use crate::drive::Driver;
use crate::error::CliError;
use crate::exit::Exit;
use crate::pick::{self, Fits};
use crate::{folder, registry, reporters, secrets};

/// End a run that nobody drives; its `finally` steps still run
///
/// What was in doubt is looked at, nothing new of `steps` starts, `finally` runs, and the run ends as cancelled: exit
/// code 12. Secrets that cannot be looked up do not keep a run from being cancelled; a step that uses one fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run, by the beginning of its id; otherwise the newest that is unfinished
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Why; recorded with your name
    #[arg(long, value_name = "WHY", value_parser = reason)]
    reason: String,
    /// Go on in this folder, instead of the one that the run was started in
    #[arg(long)]
    here: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let Args { run, reason, here, output } = args;
    let _apart = context.terminal.talk_apart();
    let store = context.store()?;
    let run = pick::run(context, &store, run.as_deref(), Fits::Unfinished)?;
    let mut claim = claim(context, &store, &run)?;
    folder::settle(context, &mut claim, here)?;
    // To end a run must not take what a disaster may have taken away.
    let secrets = secrets::at_hand(claim.state.plan());
    for missing in &secrets.missing {
        context
            .terminal
            .say(&format!("{WARNING}warning:{WARNING:#} {}; what uses it fails\n", clean(missing)));
    }
    let event = decide(context, &mut claim, None, Decision::Cancel, reason)?;
    let mut shown = reporters::fitting(context, output);
    reporters::tell(shown.reporter.as_mut(), &event, &claim.state);
    Driver { context, registry: registry::registry(), secrets, shown, output }.resume(&store, claim)
}
