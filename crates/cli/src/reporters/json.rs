//! One event a line, for programs.

use std::io;
use std::sync::Arc;

use lifeboat_engine::Reporter;
use lifeboat_model::{Event, RunState};

use crate::terminal::Terminal;

pub(crate) struct JsonLines {
    pub(crate) terminal: Arc<Terminal>,
}

impl Reporter for JsonLines {
    fn event(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        let mut line = serde_json::to_string(&event.to_json(state))?;
        line.push('\n');
        self.terminal.print(&line)
    }
}
