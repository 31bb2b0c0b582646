//! The folder that a run goes on in: where it is not the one in which it was started, a person has to say so.

use std::env;
use std::io;

use lifeboat::TakenOver;
use lifeboat_display::sanitize::clean;
use lifeboat_display::style::WARNING;

use crate::context::Context;
use crate::error::CliError;
use crate::prompt::confirm;

/// Settles in which folder a run goes on: the one it was started in or, if `here` says so, the one that this program was
/// started in. Where the former is gone, a person must say so; a run that was moved to another machine goes on here. What
/// is not as it was is noted in the run.
pub(crate) fn settle(context: &Context, taken: &mut TakenOver, here: bool) -> Result<(), CliError> {
    let present = context.started_in();
    let note = if here {
        taken.go_on_in(present, None)
    } else {
        let Err(gone) = taken.check_working_dir() else {
            return enter(taken).map_err(|error| CliError::usage(error.to_string()));
        };
        if !gone.moved && !is_confirmed(context, &gone.to_string()) {
            return Err(CliError::usage(gone.to_string()).hint(
                "relative paths in its steps begin there: make it again, or go on here with `--here`",
            ));
        }
        taken.go_on_in(present, Some(&gone))
    };
    note.iter().for_each(|note| context.terminal.note(note));
    enter(taken)
        .map_err(|error| CliError::usage(format!("cannot enter {}: {error}", taken.working_dir().display())))
}

/// Goes to the folder in which relative paths of a run's steps begin.
pub(crate) fn enter(taken: &TakenOver) -> io::Result<()> {
    if taken.working_dir().as_os_str().is_empty() {
        Ok(())
    } else {
        env::set_current_dir(taken.working_dir())
    }
}

fn is_confirmed(context: &Context, gone: &str) -> bool {
    if !context.terminal.can_ask() {
        return false;
    }
    context.terminal.say(&format!("{WARNING}{}{WARNING:#}\n", clean(gone)));
    confirm(&context.terminal, &format!("Go on in {}?", clean(&context.started_in().display().to_string())))
}
