//! Requests on their way to the supervisor.

use std::io::{self, Write};
use std::process::ChildStdin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The way to the supervisor. Requests arrive in the order in which they are sent.
#[derive(Debug)]
pub(crate) struct Requests {
    pipe: Arc<Mutex<ChildStdin>>,
    /// To the thread that writes what the pipe does not take at once: a supervisor that is slow to read holds up nobody
    /// but those who send to it.
    backlog: mpsc::Sender<Vec<u8>>,
    /// How many requests are with that thread.
    waiting: Arc<AtomicUsize>,
}

impl Requests {
    pub(crate) fn open(pipe: ChildStdin) -> io::Result<Self> {
        let (backlog, requests) = mpsc::channel::<Vec<u8>>();
        let (pipe, waiting) = (Arc::new(Mutex::new(pipe)), Arc::new(AtomicUsize::new(0)));
        let (to, left) = (Arc::clone(&pipe), Arc::clone(&waiting));
        thread::Builder::new().name("requests".to_owned()).spawn(move || {
            for request in requests {
                // Fails when the supervisor is gone, which those who wait for its answers learn.
                drop(to.lock().unwrap_or_else(PoisonError::into_inner).write_all(&request));
                left.fetch_sub(1, Ordering::AcqRel);
            }
        })?;
        Ok(Self { pipe, backlog, waiting })
    }

    /// Sends a request. That the supervisor is gone is learnt from its answers.
    pub(crate) fn send(&self, request: Vec<u8>) {
        if self.waiting.load(Ordering::Acquire) == 0
            && let Ok(mut pipe) = self.pipe.try_lock()
            && has_room(&pipe, request.len())
        {
            drop(pipe.write_all(&request));
            return;
        }
        self.waiting.fetch_add(1, Ordering::AcqRel);
        // The thread is there as long as we are.
        drop(self.backlog.send(request));
    }
}

/// Whether so many bytes can be written to a pipe at once: one that is ready takes what POSIX calls `PIPE_BUF`.
fn has_room(pipe: &ChildStdin, bytes: usize) -> bool {
    const PIPE_BUF: usize = 4096;
    let mut ready = [PollFd::new(pipe, PollFlags::OUT)];
    bytes <= PIPE_BUF && poll(&mut ready, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}
