//! `lifeboat drill`

use std::path::PathBuf;

use lifeboat_model::record::Mode;

use super::run::Start;
use crate::args::OutputArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::inputs::InputArgs;

/// Rehearse a runbook: look at the real systems and show what would change
///
/// A dry run. Every action only looks; none is given a way to change anything. What cannot look is reported as not
/// rehearsed, as is a statement, a command or a request of which the runbook does not say that it changes nothing. A
/// value that depends on a step that did not run stays unknown. Exits with 13 if something is in the way and, with
/// --strict, with 9 if something could not be rehearsed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The runbook
    file: PathBuf,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let Args { file, inputs, output } = args;
    Start { file, inputs, mode: Mode::DryRun, output }.run(context, |_, _| Ok(true))
}
