//! What a person sees of a bug: one line and what it means for the run, instead of a backtrace.

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
        let what = info.payload_as_str().unwrap_or("no message");
        tracing::error!("a bug in lifeboat, at {place}: {what}");
    }));
    panic::catch_unwind(AssertUnwindSafe(main)).unwrap_or_else(|_| {
        tracing::error!(
            "the journal holds everything that was decided: `lifeboat resume` goes on from there"
        );
        Exit::Internal.into()
    })
}
