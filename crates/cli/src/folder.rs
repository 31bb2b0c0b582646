//! The working folder of a run: relative paths in its steps mean what they meant when it was started, from wherever it
//! is resumed.

use std::env;
use std::io;

use lifeboat_display::sanitize::clean;
use lifeboat_display::style::WARNING;
use lifeboat_engine::Claim;
use lifeboat_model::RunState;

use crate::context::Context;
use crate::error::CliError;
use crate::host;
use crate::person::confirm;

/// The folder of this process, if its name can be kept in a journal.
pub(crate) fn present() -> Option<String> {
    env::current_dir().ok()?.into_os_string().into_string().ok()
}

/// Goes to the folder that a run was started in. Runs of earlier versions do not know theirs.
pub(crate) fn enter(state: &RunState) -> io::Result<()> {
    state.created().folder.as_ref().map_or(Ok(()), env::set_current_dir)
}

/// Goes to the folder that a run is to be driven in: the one it was started in or, if `here` says so, the one that this
/// program was started in. Where the former is gone, a person must say so; a run that was moved to another machine
/// goes on here. What is not as it was is noted in the run.
pub(crate) fn settle(context: &Context, claim: &mut Claim, here: bool) -> Result<(), CliError> {
    let Some(folder) = claim.state.created().folder.clone() else { return Ok(()) };
    let present = context.started_in().display().to_string();
    let gone = match (here, enter(&claim.state)) {
        (false, Ok(())) => return Ok(()),
        (true, _) if present == folder => return Ok(()),
        (true, _) => {
            env::set_current_dir(context.started_in())
                .map_err(|error| CliError::usage(format!("cannot enter {present}: {error}")))?;
            note(context, claim, format!("the run goes on in {present}; it was started in {folder}"));
            return Ok(());
        }
        (false, Err(error)) => format!("the run was started in {folder}, which cannot be entered: {error}"),
    };
    let moved = claim.state.created().driver.host != host::driver().host;
    if moved || is_confirmed(context, &gone, &present) {
        note(context, claim, format!("{gone}; it goes on in {present}"));
        return Ok(());
    }
    Err(CliError::usage(gone)
        .hint("relative paths in its steps begin there: make it again, or go on here with `--here`"))
}

fn is_confirmed(context: &Context, gone: &str, present: &str) -> bool {
    if !context.terminal.can_ask() {
        return false;
    }
    context.terminal.say(&format!("{WARNING}{}{WARNING:#}\n", clean(gone)));
    confirm(&context.terminal, &format!("Go on in {}?", clean(present)))
}

fn note(context: &Context, claim: &mut Claim, text: String) {
    context.terminal.note(&text);
    claim.notes.push(text);
}
