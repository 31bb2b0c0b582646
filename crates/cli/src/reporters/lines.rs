//! One event a line: for programs, or for a pipe.

use std::io;

use lifeboat_engine::Reporter;
use lifeboat_model::{Event, RunState};

use super::outbox::Outbox;

/// Makes an event's lines.
type Lines = fn(&Event, &RunState) -> String;

pub(crate) struct LineByLine {
    lines: Lines,
    outbox: Outbox,
}

impl LineByLine {
    pub(super) fn new(lines: Lines, outbox: Outbox) -> Self {
        Self { lines, outbox }
    }
}

impl Reporter for LineByLine {
    fn event(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        self.outbox.print(&(self.lines)(event, state));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outbox.flush()
    }
}
