//! sled at arm's length: created whole or not at all, opened behind guards, set aside when it misbehaves.

use std::fs::{self, File};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::checkpoint::book::Book;
use crate::checkpoint::saved::Saved;
use crate::folder::{self, RunFolder, sync_folder};

/// sled's threads may hold its file a moment longer than the handle that was dropped.
const LINGERING_LOCK: Duration = Duration::from_secs(1);

/// An open checkpoint store.
#[derive(Debug)]
pub(crate) struct OpenStore {
    pub(crate) db: sled::Db,
    pub(crate) book: Book,
    folder: PathBuf,
}

impl OpenStore {
    /// Opens a store and reads it whole.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Saved), String> {
        // A kill while sled writes its snapshot leaves half a file, which the next open would take for the newest one.
        remove_matching(folder, |name| name.starts_with("snap.") && name.ends_with(".generating"))
            .map_err(|error| error.to_string())?;
        let (db, (saved, book)) = caught(|| {
            let db = open_sled(folder)?;
            let saved = Saved::read(&db)?;
            Ok((db, saved))
        })?;
        Ok((Self { db, book, folder: folder.to_owned() }, saved))
    }

    /// Makes a store with this content. It appears under its name only when it is whole and synced.
    pub(crate) fn create(run: &RunFolder, batch: sled::Batch) -> Result<Self, String> {
        let temporary = run.path().join(format!("checkpoints.tmp-{}", std::process::id()));
        // sled makes its files for everybody to read; nobody else gets at them in here.
        folder::create_folder(&temporary).map_err(|error| error.to_string())?;
        caught(|| {
            let db = open_sled(&temporary)?;
            db.apply_batch(batch).map_err(|error| error.to_string())?;
            db.flush().map_err(|error| error.to_string())?;
            Ok(())
        })?;
        let folder = run.checkpoints();
        sync_tree(&temporary)
            .and_then(|()| fs::rename(&temporary, &folder))
            .and_then(|()| sync_folder(run.path()))
            .map_err(|error| error.to_string())?;
        Self::open(&folder).map(|(store, _)| store)
    }

    pub(crate) fn apply(&self, batch: sled::Batch) -> Result<(), String> {
        self.db.apply_batch(batch).map_err(|error| error.to_string())
    }

    /// Closes the store and syncs it: sled's own flush does not.
    pub(crate) fn close(self) -> Result<(), String> {
        self.db.flush().map_err(|error| error.to_string())?;
        drop(self.db);
        File::open(self.folder.join("db")).and_then(|db| db.sync_data()).map_err(|error| error.to_string())
    }
}

/// A store that is being opened while its journal is read.
#[derive(Debug)]
pub(crate) struct Opening(Option<JoinHandle<Result<(OpenStore, Saved), String>>>);

impl Opening {
    /// Begins to open a run's checkpoints, if it has any. The run is locked.
    pub(crate) fn begin(run: &RunFolder) -> Self {
        if let Err(error) = remove_matching(run.path(), |name| name.starts_with("checkpoints.tmp-")) {
            tracing::warn!(path = %run.path().display(), %error, "cannot remove unfinished checkpoints");
        }
        let folder = run.checkpoints();
        let open = move || OpenStore::open(&folder);
        let begin = || thread::Builder::new().name(THREAD.to_owned()).spawn(open);
        Self(run.checkpoints().exists().then(begin).and_then(Result::ok))
    }

    /// Waits for the store; `None` when there is none.
    pub(crate) fn finish(self) -> Option<Result<(OpenStore, Saved), String>> {
        self.0.map(|thread| thread.join().unwrap_or_else(|panic| Err(panic_text(&*panic))))
    }
}

/// The name of the threads that work on checkpoints. A panic in one is caught and leads to a note.
pub(crate) const THREAD: &str = "checkpoints";

/// Puts a run's checkpoints out of the way and keeps them for those who want to know what happened; only the last ones.
pub(crate) fn set_aside(run: &RunFolder) -> io::Result<()> {
    remove_matching(run.path(), |name| name.starts_with("checkpoints.damaged-"))?;
    let name = format!("checkpoints.damaged-{}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    fs::rename(run.checkpoints(), run.path().join(name))
}

/// Reads checkpoints from a folder that nobody else uses.
pub(crate) fn open(folder: &Path) -> Result<Saved, String> {
    OpenStore::open(folder).map(|(_, saved)| saved)
}

fn open_sled(folder: &Path) -> Result<sled::Db, String> {
    let config = sled::Config::new().path(folder).flush_every_ms(Some(500)).cache_capacity(16 * 1024 * 1024);
    let begin = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error)) if is_lock_trouble(&error) && begin.elapsed() < LINGERING_LOCK => {
                thread::sleep(Duration::from_millis(2));
            }
            result => return result.map_err(|error| error.to_string()),
        }
    }
}

/// sled reports a lock that is held with a kind of `Other`.
fn is_lock_trouble(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Runs something that uses sled, which may panic over a damaged file.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_text(&*panic)))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("sled panicked: {}", text.unwrap_or("without a word"))
}

fn remove_matching(folder: &Path, matches: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&matches) {
            let path = entry.path();
            if entry.file_type()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
        }
    }
    Ok(())
}

fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())
        } else {
            File::open(entry.path())?.sync_all()
        }?;
    }
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_reason() {
        let panics = |index: usize| caught(|| Ok([1, 2][index]));
        assert_eq!(panics(1), Ok(2));
        let why = panics(5).expect_err("out of bounds");
        assert!(why.starts_with("sled panicked: index out of bounds"), "{why}");
    }
}
