//! The `lifeboat` program: reads the command line, does what it says, and answers with an exit code.
//!
//! Only this crate knows the command line, the terminal, signals and exit codes. One file per command is in `commands`. The
//! runs themselves are in `lifeboat`; what a person reads of them is made in `lifeboat-display`.

mod args;
mod commands;
mod context;
#[cfg_attr(not(any(debug_assertions, feature = "crash-points")), path = "no_crash_point.rs")]
mod crash_point;
mod drive;
mod error;
mod exit;
mod inputs;
mod log;
mod next_commands;
mod open_files;
mod output_tail;
mod panics;
mod prompt;
mod reporters;
mod selection;
mod shell_word;
mod signals;
mod source_file;
mod spelling;
mod supervisor;
mod take_over;
mod terminal;
mod working_dir;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The supervisor of commands is this program again. It must not fail, so it starts with nothing else done.
    if std::env::args_os().nth(1).is_some_and(|word| word == supervisor::SUPERVISE) {
        let files = std::env::args().nth(2).and_then(|files| files.parse().ok());
        return lifeboat::supervise(files);
    }
    // So is the service of the tour.
    if std::env::args_os().nth(1).is_some_and(|word| word == lifeboat_demo::SERVE) {
        return lifeboat_demo::serve(std::env::args_os().skip(2));
    }
    panics::caught(commands::main)
}
