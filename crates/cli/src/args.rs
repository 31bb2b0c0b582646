//! The command line. What `--help` says is what the doc comments here and in `commands` say.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser};

use crate::commands::Command;
use crate::exit;

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
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Keep runs in this folder; otherwise in the user's state folder, `~/.local/state/lifeboat`
    #[arg(long, global = true, value_name = "DIR", value_parser = folder())]
    #[arg(env = crate::context::HOME_VARIABLE, hide_env_values = true)]
    pub(crate) home: Option<PathBuf>,
    /// Who is recorded with every decision; otherwise the login name
    #[arg(long, global = true, value_name = "NAME", env = "LIFEBOAT_ACTOR", hide_env_values = true)]
    pub(crate) actor: Option<String>,
    /// What to log on stderr, such as `debug` or `lifeboat_engine=trace`; otherwise warnings
    #[arg(long, global = true, value_name = "FILTER", env = "RUST_LOG", hide_env_values = true)]
    pub(crate) log: Option<String>,
}

/// A folder; an empty name, as of a variable that was emptied, counts as none.
fn folder() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// How a drive is shown and judged.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArgs {
    /// Print one event a line as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 9 when the run succeeded with deviations, a dry run could not rehearse every step, or output was lost
    #[arg(long)]
    pub(crate) strict: bool,
}
