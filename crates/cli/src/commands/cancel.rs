//! `lifeboat cancel`

use lifeboat::Wanted;
use lifeboat_display::sanitize::clean;
use lifeboat_display::style::WARNING;
use lifeboat_model::record::Decision;

use crate::args::OutputArgs;
use crate::context::Context;
use crate::drive::Driver;
use crate::error::CliError;
use crate::exit::Exit;
use crate::take_over::{decide, reason, take_over};
use crate::{reporters, selection, working_dir};

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
    let lifeboat = context.lifeboat(&store)?;
    let run = selection::run(context, &lifeboat, run.as_deref(), Wanted::Unfinished)?;
    let mut taken = take_over(context, &lifeboat, &run)?;
    working_dir::settle(context, &mut taken, here)?;
    // To end a run must not take what a disaster may have taken away.
    let secrets = taken.secrets();
    for missing in secrets.missing() {
        context
            .terminal
            .say(&format!("{WARNING}warning:{WARNING:#} {}; what uses it fails\n", clean(missing)));
    }
    let event = decide(context, &mut taken, None, Decision::Cancel, reason)?;
    let mut shown = reporters::fitting(context, output);
    reporters::tell(shown.reporter.as_mut(), &event, taken.state());
    let steps = store.steps_folder(&run);
    Driver { context, lifeboat: &lifeboat, steps, shown, output }.resume(taken, secrets)
}
