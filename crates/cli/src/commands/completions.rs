//! `lifeboat completions`

use clap_complete::{Shell, generate};

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

/// `command`: all that can be typed.
pub(crate) fn run(args: &Args, mut command: clap::Command, context: &Context) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    generate(args.shell, &mut command, "lifeboat", &mut script);
    context.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
