//! `lifeboat completions`

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use super::print;
use crate::args::Cli;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;

/// Print a script that lets your shell complete lifeboat's commands
///
/// For bash: `lifeboat completions bash > ~/.local/share/bash-completion/completions/lifeboat`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "lifeboat", &mut script);
    print(context, &String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
