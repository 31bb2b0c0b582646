//! A store in memory: as durable as its process, otherwise like any other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lifeboat_engine::store::{Claim, Draft, Journal, Listed, Loaded, Prepare, Store, StoreError};
use lifeboat_model::record::Driver;
use lifeboat_model::run_state::IllegalRecord;
use lifeboat_model::{Epoch, Header, Holder, Record, RunId, RunState, Seq};

/// Runs in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    runs: Arc<Mutex<BTreeMap<RunId, MemoryRun>>>,
}

#[derive(Debug)]
struct MemoryRun {
    records: Vec<Record>,
    holder: Option<Holder>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<RunId, MemoryRun>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claimed(&self, run: &RunId, state: RunState, epoch: Epoch) -> Claim {
        let journal = MemoryJournal { store: self.clone(), run: run.clone(), epoch };
        Claim { journal: Box::new(journal), state, epoch, notes: Vec::new() }
    }
}

impl Store for MemoryStore {
    fn create(
        &self,
        run: &RunId,
        driver: &Driver,
        first: Vec<Draft>,
        prepare: Prepare<'_>,
    ) -> Result<Claim, StoreError> {
        let mut runs = self.runs();
        if runs.contains_key(run) {
            let (doing, path) = ("create", path(run));
            return Err(StoreError::Io { doing, path, source: std::io::ErrorKind::AlreadyExists.into() });
        }
        prepare(&steps_folder(run))?;
        let records = numbered(Seq(1), Epoch(1), first);
        let state = RunState::replay(&records).map_err(|illegal| corrupt(run, illegal))?;
        runs.insert(run.clone(), MemoryRun { records, holder: Some(holder(driver)) });
        drop(runs);
        Ok(self.claimed(run, state, Epoch(1)))
    }

    fn claim(&self, run: &RunId, driver: &Driver) -> Result<Claim, StoreError> {
        let mut runs = self.runs();
        let found = runs.get_mut(run).ok_or_else(|| StoreError::NotFound { run: run.clone() })?;
        if let Some(holder) = &found.holder {
            return Err(StoreError::Locked { run: run.clone(), holder: Some(holder.clone()) });
        }
        let state = RunState::replay(&found.records).map_err(|illegal| corrupt(run, illegal))?;
        found.holder = Some(holder(driver));
        drop(runs);
        let epoch = state.epoch().next();
        Ok(self.claimed(run, state, epoch))
    }

    fn load(&self, run: &RunId) -> Result<Loaded, StoreError> {
        let runs = self.runs();
        let found = runs.get(run).ok_or_else(|| StoreError::NotFound { run: run.clone() })?;
        let records = found.records.clone();
        let state = RunState::replay(&records).map_err(|illegal| corrupt(run, illegal))?;
        Ok(Loaded { records, state, holder: found.holder.clone(), folder: None, notes: Vec::new() })
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let listed = |(run, found): (&RunId, &MemoryRun)| Listed {
            run: run.clone(),
            header: RunState::replay(&found.records)
                .map(|state| Header::of(&state))
                .map_err(|illegal| corrupt(run, illegal)),
            held: found.holder.is_some(),
        };
        Ok(self.runs().iter().rev().map(listed).collect())
    }
}

#[derive(Debug)]
struct MemoryJournal {
    store: MemoryStore,
    run: RunId,
    epoch: Epoch,
}

impl Journal for MemoryJournal {
    fn append(
        &mut self,
        expected: Seq,
        epoch: Epoch,
        drafts: Vec<Draft>,
    ) -> Result<Arc<[Record]>, StoreError> {
        let mut runs = self.store.runs();
        let found = runs.get_mut(&self.run).ok_or_else(|| StoreError::NotFound { run: self.run.clone() })?;
        let (found_seq, found_epoch) =
            found.records.last().map_or((Seq(0), Epoch(0)), |last| (last.seq, last.epoch));
        if expected != found_seq.next() || epoch != self.epoch {
            return Err(StoreError::Conflict { expected, epoch, found_seq, found_epoch });
        }
        let records = numbered(expected, epoch, drafts);
        found.records.extend(records.iter().cloned());
        Ok(records.into())
    }

    fn steps_folder(&self) -> PathBuf {
        steps_folder(&self.run)
    }
}

impl Drop for MemoryJournal {
    fn drop(&mut self) {
        if let Some(found) = self.store.runs().get_mut(&self.run) {
            found.holder = None;
        }
    }
}

fn steps_folder(run: &RunId) -> PathBuf {
    std::env::temp_dir().join("lifeboat-memory-store").join(run.as_str())
}

fn holder(driver: &Driver) -> Holder {
    Holder { driver: driver.clone(), since: Timestamp::UNIX_EPOCH }
}

fn numbered(from: Seq, epoch: Epoch, drafts: Vec<Draft>) -> Vec<Record> {
    let record = |(seq, Draft { at, body })| Record { seq: Seq(seq), epoch, at, body };
    (from.0..).zip(drafts).map(record).collect()
}

fn corrupt(run: &RunId, IllegalRecord { seq, why }: IllegalRecord) -> StoreError {
    StoreError::Corrupt { path: path(run), seq, what: why }
}

fn path(run: &RunId) -> PathBuf {
    PathBuf::from(format!("memory:{run}"))
}
