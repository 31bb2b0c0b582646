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

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::args::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::{self, Exit};
use crate::log;
use crate::terminal::Terminal;

/// Run disaster-recovery runbooks: check them, rehearse them, run them, and go on after any crash.
///
/// A runbook is a YAML file. Every decision of a run is on disk before it is acted upon, so a run that is interrupted
/// at any moment is continued by `lifeboat resume`: nothing that finished is done again, and what was in doubt is
/// looked at first.
///
/// A run is named by any unambiguous beginning of its id. Where none is given, the newest run that fits is meant, and
/// said on stderr. Data goes to stdout, talk to stderr.
#[derive(Debug, Parser)]
#[command(name = "lifeboat", version, max_term_width = 100, after_long_help = exit::table())]
#[command(disable_help_subcommand = true, infer_long_args = false)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
enum Command {
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
            Self::Completions(args) => completions::run(&args, Cli::command(), context),
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

/// Whoever read stdout has seen enough.
fn is_broken_pipe(error: &CliError) -> bool {
    error.source.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
