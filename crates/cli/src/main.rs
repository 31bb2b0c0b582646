//! The `lifeboat` program: reads the command line, does what it says, and answers with an exit code.
//!
//! Only this crate knows everything: the files runbooks come from, the folder runs are kept in, the plug-ins, the
//! terminal. One file per command is in `commands`; `drive` brings a run, a store and the engine together; what a
//! person reads is made in `reporters`, `summary` and `table`.

mod args;
mod claim;
mod commands;
mod context;
#[cfg_attr(not(any(debug_assertions, feature = "crash-points")), path = "no_crash_point.rs")]
mod crash_point;
mod drive;
mod edited;
mod error;
mod exit;
mod filled;
mod folder;
mod host;
mod inputs;
mod log;
mod needed;
mod next;
mod open_files;
mod outputs;
mod panics;
mod person;
mod pick;
mod printed;
mod registry;
mod regular_file;
mod reporters;
mod runbook;
mod secrets;
mod shell_word;
mod signals;
mod spelling;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The supervisor of commands is this program again. It must not fail, so it starts with nothing else done.
    if std::env::args_os().nth(1).is_some_and(|word| word == registry::SUPERVISE) {
        let files = std::env::args().nth(2).and_then(|files| files.parse().ok());
        return lifeboat_command::supervise(files);
    }
    // So is the service of the tour.
    if std::env::args_os().nth(1).is_some_and(|word| word == lifeboat_demo::SERVE) {
        return lifeboat_demo::serve(std::env::args_os().skip(2));
    }
    panics::caught(commands::main)
}
