//! One event a line, for programs.

use std::io;

use lifeboat_engine::Reporter;
use lifeboat_model::{Event, RunState};

use super::outbox::Outbox;

pub(crate) struct JsonLines {
    outbox: Outbox,
}

impl JsonLines {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self { outbox }
    }
}

impl Reporter for JsonLines {
    fn event(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        let mut line = serde_json::to_string(&event.to_json(state))?;
        line.push('\n');
        self.outbox.print(&line);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outbox.flush()
    }
}
