//! Options that several commands take. What `--help` says is what the doc comments here and in `commands` say.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

/// The variable that names the folder where runs are kept.
pub(crate) const HOME_VARIABLE: &str = "LIFEBOAT_HOME";

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Keep runs in this folder; otherwise in the user's state folder, `~/.local/state/lifeboat`
    #[arg(long, global = true, value_name = "DIR", value_parser = folder())]
    #[arg(env = HOME_VARIABLE, hide_env_values = true)]
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
