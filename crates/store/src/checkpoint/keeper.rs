//! The thread that keeps the checkpoints.
//!
//! It gets what was appended and may lag behind: what the checkpoints miss is folded from the journal's end. A run that
//! is over soon never pays for sled, which takes longer to open than a short journal to fold.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lifeboat_model::{Record, RunState};

use crate::checkpoint::LONG;
use crate::checkpoint::book::Book;
use crate::checkpoint::guarded::{self, OpenStore};
use crate::checkpoint::saved;
use crate::folder::RunFolder;
use crate::line::LineHash;

/// Between two writes: records that come meanwhile share one, and waking the thread costs their writer nothing.
const PAUSE: Duration = Duration::from_millis(10);

/// What a keeper begins with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) folder: RunFolder,
    /// The run so far. Its touched steps are those that the store lacks.
    pub(crate) state: RunState,
    /// The hash of the state's newest record.
    pub(crate) hash: LineHash,
    /// The store, if there is one, and whether it lacks the newest records.
    pub(crate) store: Option<OpenStore>,
    pub(crate) behind: bool,
    /// How long a run has to be driven before it gets a store, unless its journal grows long before.
    pub(crate) after: Duration,
}

/// Keeps a run's checkpoints until it is dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    groups: Vec<Arc<[Record]>>,
    /// The hash of the last record in `groups`.
    hash: Option<LineHash>,
    /// How many records are in `groups`.
    records: usize,
    /// The thread wants to be woken when there are so many.
    wake_at: usize,
    closed: bool,
    notes: Vec<String>,
}

impl Keeper {
    pub(crate) fn start(start: Start) -> Self {
        let queue = Arc::new(Queue::default());
        let thread_queue = Arc::clone(&queue);
        let work = move || {
            if let Err(why) = guarded::caught(|| keep(start, &thread_queue)) {
                thread_queue.give_up(&why);
            }
        };
        let thread = thread::Builder::new().name(guarded::THREAD.to_owned()).spawn(work);
        if let Err(error) = &thread {
            queue.give_up(&error.to_string());
        }
        Self { queue, thread: thread.ok() }
    }

    /// Takes records that are on disk, the last of them with that hash.
    pub(crate) fn take(&self, records: &Arc<[Record]>, hash: LineHash) {
        let mut inner = self.queue.lock();
        if inner.closed {
            return;
        }
        inner.groups.push(Arc::clone(records));
        inner.records += records.len();
        inner.hash = Some(hash);
        if inner.records >= inner.wake_at {
            self.queue.changed.notify_one();
        }
    }

    pub(crate) fn take_notes(&self) -> Vec<String> {
        mem::take(&mut self.queue.lock().notes)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // Whatever went wrong in it was caught and noted.
            drop(thread.join());
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_up(&self, why: &str) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.groups = Vec::new();
        inner.notes.push(format!("checkpoints are no longer written, so a resume will take longer: {why}"));
    }

    /// Waits until there are `enough` records, the time is over, or nothing will come any more. Says how many there are.
    fn wait(&self, enough: usize, longest: Duration) -> usize {
        let mut inner = self.lock();
        inner.wake_at = enough;
        let go_on = |inner: &mut Inner| !inner.closed && inner.records < enough;
        let (mut inner, _) =
            self.changed.wait_timeout_while(inner, longest, go_on).unwrap_or_else(PoisonError::into_inner);
        inner.wake_at = usize::MAX;
        inner.records
    }

    fn drain(&self) -> (Vec<Arc<[Record]>>, Option<LineHash>) {
        let mut inner = self.lock();
        inner.records = 0;
        (mem::take(&mut inner.groups), inner.hash.take())
    }
}

fn keep(start: Start, queue: &Queue) -> Result<(), String> {
    let Start { folder, mut state, mut hash, mut store, mut behind, after } = start;
    if store.is_none() {
        let begin = Instant::now();
        let records = queue.wait(LONG, after);
        if begin.elapsed() < after && records < LONG {
            return Ok(());
        }
    }
    loop {
        let open = !queue.lock().closed;
        let (groups, newest) = queue.drain();
        for record in groups.iter().flat_map(|group| group.iter()) {
            state.apply(record).map_err(|illegal| illegal.to_string())?;
        }
        hash = newest.unwrap_or(hash);
        behind |= !groups.is_empty();
        store = Some(match store {
            Some(store) if !behind => store,
            Some(mut store) => {
                let batch = saved::batch(&mut state, &hash, &mut store.book)?;
                store.apply(batch)?;
                store
            }
            None => OpenStore::create(&folder, saved::batch(&mut state, &hash, &mut Book::default())?)?,
        });
        behind = false;
        if !open {
            break;
        }
        queue.wait(usize::MAX, PAUSE);
        queue.wait(1, Duration::MAX);
    }
    store.map_or(Ok(()), OpenStore::close)
}
