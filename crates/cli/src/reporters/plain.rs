//! One event a line, for a pipe: when, about what, what.

use std::io;

use lifeboat_engine::Reporter;
use lifeboat_model::{Event, RunState};

use super::outbox::Outbox;
use super::told::{in_words, tail_of};
use crate::words::moment;

pub(crate) struct Plain {
    outbox: Outbox,
}

impl Plain {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self { outbox }
    }
}

impl Reporter for Plain {
    fn event(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        self.outbox.print(&lines(event, state));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outbox.flush()
    }
}

/// An event's line, and the end of what a failed operation printed below it.
fn lines(event: &Event, state: &RunState) -> String {
    let about = event.step.as_ref().map_or_else(|| "run".to_owned(), |step| format!("step {step}"));
    let line = format!("{} {about} {}\n", moment(event.at), in_words(event, state));
    let tail = tail_of(event, state).unwrap_or_default();
    line + &tail
}
