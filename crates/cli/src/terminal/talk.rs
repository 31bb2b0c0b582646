//! What is said while a run is driven, on its way to stderr in a thread of its own: whoever says something goes on at
//! once, whether anybody reads it or not.

use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use lifeboat_display::style::WARNING;
use lifeboat_display::units::count;

use super::screen::Screen;

/// So much waits for a reader at most. What comes then is counted, and no more.
const MOST: usize = 1 << 20;

/// Texts that wait, and the thread that writes them, which begins with the first of them.
#[derive(Debug)]
pub(super) struct Talk {
    screen: Arc<Screen>,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    text: String,
    /// Lines that found no room after this text.
    missing: usize,
    /// Something is being written.
    writing: bool,
    /// There is a thread.
    begun: bool,
    /// Nothing comes any more.
    closed: bool,
}

impl Talk {
    pub(super) fn new(screen: Arc<Screen>) -> Arc<Self> {
        Arc::new(Self { screen, waiting: Mutex::default(), changed: Condvar::new() })
    }

    /// Takes a text, and never waits.
    pub(super) fn say(self: &Arc<Self>, text: &str) {
        let mut waiting = self.lock();
        waiting.put(text);
        if !waiting.begun {
            // Without a thread it waits for one, as it would for a reader.
            waiting.begun = self.begin().is_ok();
        }
        self.changed.notify_all();
    }

    fn begin(self: &Arc<Self>) -> io::Result<()> {
        let talk = Arc::clone(self);
        thread::Builder::new().name("talk".to_owned()).spawn(move || talk.write_all()).map(drop)
    }

    fn write_all(&self) {
        loop {
            let idle = |waiting: &mut Waiting| waiting.is_empty() && !waiting.closed;
            let mut waiting =
                self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
            if waiting.is_empty() {
                return;
            }
            let text = waiting.take();
            waiting.writing = true;
            drop(waiting);
            self.screen.say(&text);
            self.lock().writing = false;
            self.changed.notify_all();
        }
    }

    /// Waits until everything is written.
    pub(super) fn wait(&self) {
        let busy = |waiting: &mut Waiting| waiting.is_busy();
        drop(self.changed.wait_while(self.lock(), busy).unwrap_or_else(PoisonError::into_inner));
    }

    /// The same, as long as somebody reads; whether everything is written.
    pub(super) fn wait_while_read(&self, patience: Duration) -> bool {
        let mut waiting = self.lock();
        loop {
            let taken = self.screen.taken();
            let busy = |waiting: &mut Waiting| waiting.is_busy();
            let waited = self.changed.wait_timeout_while(waiting, patience, busy);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !waiting.is_busy() || self.screen.taken() == taken {
                return !waiting.is_busy();
            }
        }
    }

    /// Nothing is said any more: the thread ends when it has written everything.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Once something is missing, what follows is missing, too: the gap stays in one place.
    fn put(&mut self, text: &str) {
        let fits = self.text.is_empty() || self.text.len() + text.len() <= MOST;
        if fits && self.missing == 0 {
            self.text.push_str(text);
        } else {
            self.missing += text.lines().count();
        }
    }

    fn take(&mut self) -> String {
        let mut text = mem::take(&mut self.text);
        let missing = mem::take(&mut self.missing);
        if missing > 0 {
            let lines = count(missing, "line is", "lines are");
            text.push_str(&format!(
                "{WARNING}warning:{WARNING:#} {lines} missing here: nobody read what was before\n"
            ));
        }
        text
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.missing == 0
    }

    fn is_busy(&self) -> bool {
        self.writing || !self.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_where_it_is_missing() {
        let mut waiting = Waiting::default();
        let line = format!("{}\n", "x".repeat(MOST / 2));
        for _ in 0..4 {
            waiting.put(&line);
        }
        waiting.put("short\n");
        assert!(waiting.text.len() <= MOST);
        let text = waiting.take();
        assert!(text.ends_with("4 lines are missing here: nobody read what was before\n"), "{}", text.len());
        waiting.put("later\n");
        assert_eq!(waiting.take(), "later\n");
    }

    #[test]
    fn a_text_that_is_larger_than_the_room_is_said_when_nothing_waits() {
        let mut waiting = Waiting::default();
        let text = "x".repeat(MOST + 1);
        waiting.put(&text);
        assert_eq!(waiting.take(), text);
    }
}
