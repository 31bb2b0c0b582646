//! The thread that keeps the checkpoints.
//!
//! It gets what was appended and may lag behind: what the checkpoints miss is folded from the journal's end. A run that
//! is over soon never pays for sled, which takes longer to open than a short journal to fold, nor for the thread.

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

/// Between two writes: records that come meanwhile share one. sled waits for the disk, which the journal needs, with
/// every batch; and what a kill takes from the checkpoints is folded from the journal in no time.
const PAUSE: Duration = Duration::from_millis(100);

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
    work: Work,
}

/// What the thread is doing.
#[derive(Debug)]
enum Work {
    /// Nothing yet: it is started with what comes once the run has been driven for a while.
    Waiting {
        start: Box<Start>,
        since: Instant,
    },
    Begun(JoinHandle<()>),
    /// It could not be started.
    None,
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
    pub(crate) fn new(start: Start) -> Self {
        let at_once = start.store.is_some() || start.after.is_zero();
        let work = Work::Waiting { start: Box::new(start), since: Instant::now() };
        let mut keeper = Self { queue: Arc::new(Queue::default()), work };
        if at_once {
            keeper.begin();
        }
        keeper
    }

    /// Takes records that are on disk, the last of them with that hash.
    pub(crate) fn take(&mut self, records: &Arc<[Record]>, hash: LineHash) {
        let records = self.queue.put(records, hash);
        if let Work::Waiting { start, since } = &self.work
            && (records >= LONG || since.elapsed() >= start.after)
        {
            self.begin();
        }
    }

    fn begin(&mut self) {
        let Work::Waiting { start, .. } = mem::replace(&mut self.work, Work::None) else { return };
        let queue = Arc::clone(&self.queue);
        let work = move || {
            if let Err(why) = guarded::caught(|| keep(*start, &queue)) {
                queue.give_up(&why);
            }
        };
        match thread::Builder::new().name(guarded::THREAD.to_owned()).spawn(work) {
            Ok(thread) => self.work = Work::Begun(thread),
            Err(error) => self.queue.give_up(&error.to_string()),
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
        if let Work::Begun(thread) = mem::replace(&mut self.work, Work::None) {
            // Whatever went wrong in it was caught and noted.
            drop(thread.join());
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts records in. Says how many wait.
    fn put(&self, records: &Arc<[Record]>, hash: LineHash) -> usize {
        let mut inner = self.lock();
        if inner.closed {
            return 0;
        }
        inner.groups.push(Arc::clone(records));
        inner.records += records.len();
        inner.hash = Some(hash);
        if inner.records >= inner.wake_at {
            self.changed.notify_one();
        }
        inner.records
    }

    fn give_up(&self, why: &str) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.groups = Vec::new();
        inner.notes.push(format!("checkpoints are no longer written, so a resume will take longer: {why}"));
    }

    /// Waits until there are `enough` records, the time is over, or nothing will come any more.
    fn wait(&self, enough: usize, longest: Duration) {
        let mut inner = self.lock();
        inner.wake_at = enough;
        let go_on = |inner: &mut Inner| !inner.closed && inner.records < enough;
        let (mut inner, _) =
            self.changed.wait_timeout_while(inner, longest, go_on).unwrap_or_else(PoisonError::into_inner);
        inner.wake_at = usize::MAX;
    }

    fn drain(&self) -> (Vec<Arc<[Record]>>, Option<LineHash>) {
        let mut inner = self.lock();
        inner.records = 0;
        (mem::take(&mut inner.groups), inner.hash.take())
    }
}

fn keep(start: Start, queue: &Queue) -> Result<(), String> {
    let Start { folder, mut state, mut hash, mut store, mut behind, after: _ } = start;
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
