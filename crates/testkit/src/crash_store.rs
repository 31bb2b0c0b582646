//! A store whose machine dies at a chosen record.

use std::path::PathBuf;
use std::sync::Arc;

use lifeboat_engine::store::{Claim, Draft, Journal, Listed, Loaded, Prepare, Store, StoreError};
use lifeboat_model::record::Driver;
use lifeboat_model::{Epoch, Record, RunId, Seq};

use crate::memory_store::MemoryStore;

/// Dies at a record; what was written before can be read from the store inside.
#[derive(Debug)]
pub struct CrashStore {
    inner: MemoryStore,
    crash: Crash,
}

/// Where and how the machine dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// The last record that reaches the disk.
    pub after: Seq,
    /// Whether the append that brought it there was answered. If it was, what it decided is carried out.
    pub answered: bool,
}

impl CrashStore {
    /// A store over `inner` that dies so.
    pub fn new(inner: MemoryStore, crash: Crash) -> Self {
        Self { inner, crash }
    }
}

impl Store for CrashStore {
    fn create(
        &self,
        run: &RunId,
        driver: &Driver,
        mut first: Vec<Draft>,
        prepare: Prepare<'_>,
    ) -> Result<Claim, StoreError> {
        let whole = first.len() as u64;
        first.truncate(usize::try_from(self.crash.after.0).unwrap_or(usize::MAX));
        let kept = first.len() as u64;
        let claim = self.inner.create(run, driver, first, prepare)?;
        if kept < whole || (kept == self.crash.after.0 && !self.crash.answered) {
            return Err(died());
        }
        Ok(self.crashing(claim))
    }

    fn claim(&self, run: &RunId, driver: &Driver) -> Result<Claim, StoreError> {
        self.inner.claim(run, driver).map(|claim| self.crashing(claim))
    }

    fn load(&self, run: &RunId) -> Result<Loaded, StoreError> {
        self.inner.load(run)
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        self.inner.list()
    }
}

impl CrashStore {
    fn crashing(&self, claim: Claim) -> Claim {
        Claim { journal: Box::new(CrashJournal { inner: claim.journal, crash: self.crash }), ..claim }
    }
}

#[derive(Debug)]
struct CrashJournal {
    inner: Box<dyn Journal>,
    crash: Crash,
}

impl Journal for CrashJournal {
    fn append(
        &mut self,
        expected: Seq,
        epoch: Epoch,
        mut drafts: Vec<Draft>,
    ) -> Result<Arc<[Record]>, StoreError> {
        let room = (self.crash.after.0 + 1).saturating_sub(expected.0);
        let whole = drafts.len() as u64;
        drafts.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        if drafts.is_empty() {
            return Err(died());
        }
        let records = self.inner.append(expected, epoch, drafts)?;
        if room < whole || (room == whole && !self.crash.answered) { Err(died()) } else { Ok(records) }
    }

    fn steps_folder(&self) -> PathBuf {
        self.inner.steps_folder()
    }
}

fn died() -> StoreError {
    StoreError::Io {
        doing: "append to",
        path: PathBuf::from("a machine that died"),
        source: std::io::Error::other("the machine died"),
    }
}
