//! What a person sees of a bug: what it is and what it means for the run, instead of a backtrace.

use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use crate::exit::Exit;

/// Runs the program; a panic that reaches this far is an internal error.
pub(crate) fn caught(main: impl FnOnce() -> ExitCode) -> ExitCode {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        // sled panics over damage; the store catches that and says what follows.
        if place.contains("/sled-") {
            tracing::debug!(%place, "sled panicked");
            return;
        }
        say(&format!("a bug in lifeboat, at {place}: {}", info.payload_as_str().unwrap_or("no message")));
    }));
    panic::catch_unwind(AssertUnwindSafe(main)).unwrap_or_else(|_| {
        say("the journal holds everything that was decided: `lifeboat resume` goes on from there");
        Exit::Internal.into()
    })
}

/// Says it in the log, or, before there is one, plainly.
fn say(message: &str) {
    if tracing::dispatcher::has_been_set() {
        tracing::error!("{message}");
    } else {
        drop(writeln!(io::stderr(), "error: {message}"));
    }
}
