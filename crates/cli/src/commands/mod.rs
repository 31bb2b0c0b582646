//! One file per command. Each takes its arguments and the context, and answers with an exit code or an error.

mod actions;
mod cancel;
mod check;
mod completions;
mod decide;
mod demo;
mod drill;
mod journal;
mod resume;
mod run;
mod runs;
mod status;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::args::Cli;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::log;
use crate::terminal::Terminal;

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::Args),
    Run(run::Args),
    Drill(drill::Args),
    Resume(resume::Args),
    Status(status::Args),
    Runs(runs::Args),
    Journal(journal::Args),
    Retry(decide::RetryArgs),
    Skip(decide::SkipArgs),
    MarkDone(decide::MarkDoneArgs),
    Cancel(cancel::Args),
    Actions(actions::Args),
    Completions(completions::Args),
    Demo(demo::Args),
}

impl Command {
    fn run(self, context: &Context) -> Result<Exit, CliError> {
        match self {
            Self::Check(args) => check::run(&args, context),
            Self::Run(args) => run::run(args, context),
            Self::Drill(args) => drill::run(args, context),
            Self::Resume(args) => resume::run(args, context),
            Self::Status(args) => status::run(&args, context),
            Self::Runs(args) => runs::run(&args, context),
            Self::Journal(args) => journal::run(&args, context),
            Self::Retry(args) => decide::retry(args, context),
            Self::Skip(args) => decide::skip(args, context),
            Self::MarkDone(args) => decide::mark_done(args, context),
            Self::Cancel(args) => cancel::run(args, context),
            Self::Actions(args) => actions::run(&args, context),
            Self::Completions(args) => completions::run(&args, context),
            Self::Demo(args) => demo::run(&args),
        }
    }
}

/// The program.
pub(crate) fn main() -> ExitCode {
    let Cli { global, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is listening: nothing to say.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let terminal = Arc::new(Terminal::open());
    log::start(global.log.as_deref(), &terminal);
    let context = Context::new(global, Arc::clone(&terminal));
    match command.run(&context) {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            terminal.say(&error.rendered());
            error.exit.into()
        }
    }
}

/// Prints a command's data.
pub(crate) fn print(context: &Context, text: &str) -> Result<(), CliError> {
    context.terminal.print(text).map_err(|error| CliError::new(Exit::Internal, error))
}

/// Whoever read stdout has seen enough.
fn is_broken_pipe(error: &CliError) -> bool {
    error.source.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
