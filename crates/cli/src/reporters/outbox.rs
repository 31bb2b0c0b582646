//! Prints in a thread of its own: a terminal that is frozen, or a pipe that nobody reads, never holds up a run.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::terminal::Terminal;

/// After a print, what comes is gathered for so long: waking the thread costs a step more than its text.
const GATHER: Duration = Duration::from_millis(5);

/// What is to be done by the thread that prints.
pub(super) enum Task {
    /// Print this, which is one text or several that came together.
    Print(String),
    /// Nothing came for a while.
    Tick,
}

/// Texts on their way out. Dropped, it waits until they are printed.
pub(super) struct Outbox {
    /// What was not handed over yet.
    text: String,
    queue: Arc<Queue>,
    printing: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: String,
    /// Nothing comes any more.
    closed: bool,
    /// The thread looks by itself soon.
    gathering: bool,
    /// How printing ended.
    ended: Option<io::Result<()>>,
}

impl Outbox {
    /// Prints with `work`, which is told at least so often that nothing came. Its first failure is its last call.
    pub(super) fn new(every: Duration, work: impl FnMut(Task) -> io::Result<()> + Send + 'static) -> Self {
        let queue = Arc::new(Queue::default());
        let printed = Arc::clone(&queue);
        let printing = thread::spawn(move || {
            let ended = printed.print_all(every, work);
            printed.lock().ended = Some(ended);
        });
        Self { text: String::new(), queue, printing: Some(printing) }
    }

    /// Prints on stdout.
    pub(super) fn printing(terminal: Arc<Terminal>) -> Self {
        Self::new(Duration::MAX, move |task| match task {
            Task::Print(text) => terminal.print(&text),
            Task::Tick => Ok(()),
        })
    }

    /// Takes a text, to be printed with those that come until the next [`Outbox::flush`].
    pub(super) fn print(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Hands over what was taken.
    ///
    /// # Errors
    /// The failure of an earlier text.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let mut waiting = self.queue.lock();
        match waiting.ended.as_mut() {
            Some(ended) => std::mem::replace(ended, Err(io::ErrorKind::BrokenPipe.into())),
            None => {
                waiting.text.push_str(&self.text);
                self.text.clear();
                if !waiting.gathering && !waiting.text.is_empty() {
                    self.queue.changed.notify_one();
                }
                Ok(())
            }
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print_all(&self, every: Duration, mut work: impl FnMut(Task) -> io::Result<()>) -> io::Result<()> {
        loop {
            let nothing = |waiting: &mut Waiting| waiting.text.is_empty() && !waiting.closed;
            let mut waiting = self.wait(self.lock(), every, nothing);
            let (text, closed) = (std::mem::take(&mut waiting.text), waiting.closed);
            drop(waiting);
            match (text.is_empty(), closed) {
                (false, _) => work(Task::Print(text))?,
                (true, false) => work(Task::Tick)?,
                (true, true) => return Ok(()),
            }
            let mut waiting = self.lock();
            waiting.gathering = true;
            self.wait(waiting, GATHER, |waiting| !waiting.closed).gathering = false;
        }
    }

    fn wait<'a>(
        &self,
        waiting: MutexGuard<'a, Waiting>,
        longest: Duration,
        go_on: impl FnMut(&mut Waiting) -> bool,
    ) -> MutexGuard<'a, Waiting> {
        let waited = self.changed.wait_timeout_while(waiting, longest, go_on);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        // A failure that nobody is left to be told of.
        drop(self.flush());
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
        if let Some(printing) = self.printing.take() {
            drop(printing.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn everything_is_printed_in_order_before_it_is_gone() {
        let (sender, printed) = channel();
        let mut outbox = Outbox::new(Duration::MAX, move |task| {
            if let Task::Print(text) = task {
                sender.send(text).expect("the test listens");
            }
            Ok(())
        });
        for number in 0..100 {
            outbox.print(&format!("{number};"));
            if number % 3 == 0 {
                outbox.flush().expect("nothing failed");
            }
        }
        drop(outbox);
        let all: String = printed.iter().collect();
        assert_eq!(all, (0..100).map(|number| format!("{number};")).collect::<String>());
    }

    #[test]
    fn whoever_waits_for_no_reader_goes_on() {
        let (release, released) = channel::<()>();
        let mut outbox = Outbox::new(Duration::MAX, move |_| {
            released.recv().expect("the test lets go");
            Ok(())
        });
        for _ in 0..3 {
            outbox.print("held up");
            outbox.flush().expect("nothing failed");
        }
        // One call for the first text and at most one for each of the others.
        (0..3).for_each(|_| release.send(()).expect("the thread listens"));
    }

    #[test]
    fn a_failure_is_told_with_the_next_text() {
        let mut outbox = Outbox::new(Duration::MAX, |_| Err(io::ErrorKind::BrokenPipe.into()));
        let told = std::iter::repeat(()).find_map(|()| {
            thread::yield_now();
            outbox.print("text");
            outbox.flush().err()
        });
        assert_eq!(told.map(|error| error.kind()), Some(io::ErrorKind::BrokenPipe));
    }
}
