//! Prints in a thread of its own: a terminal that is frozen, or a pipe that nobody reads, never holds up a run.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::terminal::Terminal;

/// What is to be done by the thread that prints.
pub(super) enum Task {
    /// Print this, which is one text or several that came together.
    Print(String),
    /// Nothing came for a while.
    Tick,
}

/// Texts on their way out. Dropped, it waits until they are printed.
pub(super) struct Outbox {
    /// What was not sent yet.
    text: String,
    sender: Option<Sender<String>>,
    printing: Option<JoinHandle<()>>,
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Outbox {
    /// Prints with `work`, which is told at least so often that nothing came. Its first failure is its last call.
    pub(super) fn new(every: Duration, work: impl FnMut(Task) -> io::Result<()> + Send + 'static) -> Self {
        let (sender, texts) = channel();
        let failure = Arc::new(Mutex::new(None));
        let failed = Arc::clone(&failure);
        let printing = thread::spawn(move || {
            if let Err(error) = print_all(&texts, every, work) {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        });
        Self { text: String::new(), sender: Some(sender), printing: Some(printing), failure }
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

    /// Hands over what was taken. Waking the printing thread costs more than the text.
    ///
    /// # Errors
    /// The failure of an earlier text.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(error) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        let text = std::mem::take(&mut self.text);
        let sent = self.sender.as_ref().filter(|_| !text.is_empty()).map(|sender| sender.send(text));
        sent.unwrap_or(Ok(())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn print_all(
    texts: &Receiver<String>,
    every: Duration,
    mut work: impl FnMut(Task) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        match texts.recv_timeout(every) {
            Ok(mut text) => {
                // What came together costs one write.
                text.extend(texts.try_iter());
                work(Task::Print(text))?;
            }
            Err(RecvTimeoutError::Timeout) => work(Task::Tick)?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        // A failure that nobody is left to be told of.
        drop(self.flush());
        drop(self.sender.take());
        if let Some(printing) = self.printing.take() {
            drop(printing.join());
        }
    }
}

#[cfg(test)]
mod tests {
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
