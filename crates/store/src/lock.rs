//! The lock on a run: `flock` on a file that says who holds it. It ends with its process, however that ends.
//!
//! Readers learn whether a run is held by trying for a *shared* lock, which they give back at once. Two readers never
//! disturb each other; a claim that meets a reader in that instant waits for it (see [`PROBE_PATIENCE`]).

use std::borrow::Borrow;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lifeboat_engine::store::StoreError;
use lifeboat_model::record::Driver;
use lifeboat_model::{Holder, Record, RecordBody, RunId};

use crate::folder::{RunFolder, private_file};
use crate::problem;

/// How long a claim goes on trying. A reader's probe takes some microseconds; whoever holds the lock longer drives.
const PROBE_PATIENCE: Duration = Duration::from_millis(50);

/// The holder's text is padded to this length, so that one write replaces it and no reader meets half of it.
const PADDED: usize = 512;

/// The right to drive a run; dropped, it is given up.
#[derive(Debug)]
pub(crate) struct RunLock {
    _file: File,
}

impl RunLock {
    pub(crate) fn acquire(folder: &RunFolder, run: &RunId, driver: &Driver) -> Result<Self, StoreError> {
        let path = folder.lock();
        let mut options = private_file();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(problem::io("open", &path))?;
        if !exclusive(&file).map_err(problem::io("lock", &path))? {
            return Err(StoreError::Locked { run: run.clone(), holder: holder_in(folder) });
        }
        let holder = Holder { driver: driver.clone(), since: Timestamp::now() };
        write_holder(&file, &holder).map_err(problem::io("write", &path))?;
        Ok(Self { _file: file })
    }
}

/// Whether a process drives the run, and who, as far as it can be read. Its driver holds the journal, too, in case the
/// lock file was removed.
pub(crate) fn probe(folder: &RunFolder) -> Held {
    if is_held(&folder.lock()) {
        Held::Yes(holder_in(folder))
    } else if is_held(&folder.journal()) {
        Held::Yes(None)
    } else {
        Held::No
    }
}

fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// What a probe found.
#[derive(Debug)]
pub(crate) enum Held {
    No,
    Yes(Option<Holder>),
}

/// Who wrote the lock file: the present holder if it is held, the last one otherwise.
pub(crate) fn holder_in(folder: &RunFolder) -> Option<Holder> {
    let text = fs::read(folder.lock()).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Whoever took a run over last, by its records from the newest on: who holds it, where its lock file does not tell.
pub(crate) fn newest_driver(mut newest_first: impl Iterator<Item = impl Borrow<Record>>) -> Option<Holder> {
    newest_first.find_map(|record| {
        let record = record.borrow();
        let driver = match &record.body {
            RecordBody::RunCreated(created) => &created.driver,
            RecordBody::RunResumed { driver, .. } => driver,
            _ => return None,
        };
        Some(Holder { driver: driver.clone(), since: record.at })
    })
}

/// Tries to lock a file, past readers that probe it.
pub(crate) fn exclusive(file: &File) -> io::Result<bool> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if begin.elapsed() < PROBE_PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn write_holder(file: &File, holder: &Holder) -> io::Result<()> {
    let mut text = serde_json::to_vec(holder)?;
    text.resize(text.len().max(PADDED - 1), b' ');
    writeln!(text)?;
    file.write_all_at(&text, 0)?;
    file.set_len(text.len() as u64)
}
