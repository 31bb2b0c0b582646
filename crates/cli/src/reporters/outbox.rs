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

/// Texts on their way out.
pub(super) struct Outbox {
    /// What was not handed over yet.
    text: String,
    queue: Arc<Queue>,
}

/// The thread that prints them. Dropped, it is waited for.
pub(crate) struct Printing {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
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
    /// Nothing is printed any more.
    ended: bool,
    /// Why, until somebody is told.
    failure: Option<io::Error>,
}

impl Outbox {
    /// Prints with `work`, which is told at least so often that nothing came. Its first failure is its last call.
    pub(super) fn new(
        every: Duration,
        work: impl FnMut(Task) -> io::Result<()> + Send + 'static,
    ) -> (Self, Printing) {
        let queue = Arc::new(Queue::default());
        let printed = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            let failure = printed.print_all(every, work).err();
            let mut waiting = printed.lock();
            (waiting.ended, waiting.failure) = (true, failure);
        });
        let printing = Printing { queue: Arc::clone(&queue), thread: Some(thread) };
        (Self { text: String::new(), queue }, printing)
    }

    /// Prints on stdout.
    pub(super) fn printing(terminal: Arc<Terminal>) -> (Self, Printing) {
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
        let queue = Arc::clone(&self.queue);
        let mut waiting = queue.lock();
        if waiting.ended {
            return Err(waiting.failure.take().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()));
        }
        waiting.text.push_str(&self.text);
        self.text.clear();
        if !waiting.gathering && !waiting.text.is_empty() {
            queue.changed.notify_one();
        }
        Ok(())
    }
}

impl Printing {
    /// Waits until everything is printed that was handed over.
    ///
    /// # Errors
    /// A failure that no [`Outbox::flush`] has told.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
        let ended = self.thread.take().map_or(Ok(()), JoinHandle::join);
        ended.map_err(|_| io::Error::other("the thread that prints has panicked"))?;
        self.queue.lock().failure.take().map_or(Ok(()), Err)
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

impl Drop for Printing {
    fn drop(&mut self) {
        // Whoever wants to know how it ended has finished it.
        drop(self.end());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn everything_is_printed_in_order_before_it_is_gone() {
        let (sender, printed) = channel();
        let (mut outbox, printing) = Outbox::new(Duration::MAX, move |task| {
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
        printing.finish().expect("nothing failed");
        let all: String = printed.iter().collect();
        assert_eq!(all, (0..100).map(|number| format!("{number};")).collect::<String>());
    }

    #[test]
    fn whoever_waits_for_no_reader_goes_on() {
        let (release, released) = channel::<()>();
        let (mut outbox, _printing) = Outbox::new(Duration::MAX, move |_| {
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
        let (mut outbox, printing) = Outbox::new(Duration::MAX, |_| Err(io::ErrorKind::StorageFull.into()));
        let told = std::iter::repeat(()).find_map(|()| {
            thread::yield_now();
            outbox.print("text");
            outbox.flush().err()
        });
        assert_eq!(told.map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
        printing.finish().expect("it was told");
    }

    #[test]
    fn a_failure_of_the_last_text_is_told_at_the_end() {
        let (mut outbox, printing) = Outbox::new(Duration::MAX, |_| Err(io::ErrorKind::StorageFull.into()));
        outbox.print("text");
        outbox.flush().expect("nothing was printed before");
        drop(outbox);
        let told = printing.finish().map_err(|error| error.kind());
        assert_eq!(told, Err(io::ErrorKind::StorageFull));
    }
}
