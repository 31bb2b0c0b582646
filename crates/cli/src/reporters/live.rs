//! For a terminal: what is over stays, what goes on is redrawn below.
//!
//! All drawing is the printing thread's work, so that a fast run is not held up by its screen.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_display::live::{Live, lasting};
use lifeboat_engine::Reporter;
use lifeboat_model::{Event, RunState};

use super::outbox::{Outbox, Printing, Task};
use crate::terminal::Terminal;

/// How often the lines that change are drawn.
const EVERY: Duration = Duration::from_millis(100);

pub(crate) struct Redrawn {
    live: Arc<Mutex<Live>>,
    outbox: Outbox,
}

impl Redrawn {
    pub(super) fn new(terminal: Arc<Terminal>) -> (Self, Printing) {
        let live = Arc::new(Mutex::new(Live::default()));
        let screen = Screen { live: Arc::clone(&live), terminal };
        let (outbox, printing) = Outbox::new(EVERY, move |task| screen.carry_out(task));
        (Self { live, outbox }, printing)
    }
}

impl Reporter for Redrawn {
    fn event(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        lock(&self.live).follow(event, state);
        if let Some(lines) = lasting(event, state) {
            self.outbox.print(&lines);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outbox.flush()
    }
}

/// The printing thread's end. Dropped with the thread, it takes the changing lines off the screen.
struct Screen {
    live: Arc<Mutex<Live>>,
    terminal: Arc<Terminal>,
}

impl Screen {
    fn carry_out(&self, task: Task) -> io::Result<()> {
        let going_on = lock(&self.live).lines(Timestamp::now(), self.terminal.size().unwrap_or_default());
        match task {
            Task::Print(lines) => self.terminal.print_above(going_on, &lines),
            Task::Tick => self.terminal.draw(going_on),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.terminal.draw(Vec::new()));
    }
}

fn lock(live: &Mutex<Live>) -> MutexGuard<'_, Live> {
    live.lock().unwrap_or_else(PoisonError::into_inner)
}
