//! A test aid: with `LIFEBOAT_CRASH_AT` set, this program kills itself at a chosen record, as a power switch would.
//!
//! | value | dies | the next driver finds |
//! |---|---|---|
//! | `before:7` | instead of appending record 7; records 1 to 6 are on disk, and were acted upon | what record 6 decided was done, its result lost |
//! | `after:7` | once the append that holds record 7 was answered, before anything follows from it | what record 7 decided was never begun |
//!
//! Crash tests run a run's every record through both. Unset, nothing is wrapped. A release build has none of this,
//! unless it is built with the feature `crash-points`: see `no_crash_point.rs`.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::{env, process};

use lifeboat_engine::store::{Claim, Draft, Journal, Listed, Loaded, Prepare, Store, StoreError};
use lifeboat_model::record::Driver;
use lifeboat_model::{Epoch, Record, RunId, Seq};
use lifeboat_store::FileStore;
use rustix::process::{Signal, getpid, kill_process};

use crate::error::CliError;

/// The variable that names the point.
const VARIABLE: &str = "LIFEBOAT_CRASH_AT";

/// The store, dying where the environment says.
pub(crate) fn over(store: &FileStore) -> Result<Arc<dyn Store>, CliError> {
    let at = match env::var(VARIABLE) {
        Err(env::VarError::NotPresent) => None,
        Err(env::VarError::NotUnicode(_)) => return Err(malformed()),
        Ok(text) => Some(text.parse().map_err(|()| malformed())?),
    };
    Ok(Arc::new(CrashPoint { store: store.clone(), at }))
}

/// A store whose claimed runs may be where this program dies.
#[derive(Debug)]
struct CrashPoint {
    store: FileStore,
    at: Option<At>,
}

/// The point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Before(Seq),
    After(Seq),
}

impl FromStr for At {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (side, record) = text.split_once(':').ok_or(())?;
        let record = record.parse().ok().filter(|record| *record > 0).map(Seq).ok_or(())?;
        match side {
            "before" => Ok(Self::Before(record)),
            "after" => Ok(Self::After(record)),
            _ => Err(()),
        }
    }
}

impl At {
    /// How many of `count` records, numbered from `first`, are appended before this program dies; none if it lives on.
    fn last_of(self, first: Seq, count: usize) -> Option<usize> {
        match self {
            Self::Before(record) => {
                let kept = usize::try_from(record.0.checked_sub(first.0)?).ok()?;
                (kept < count).then_some(kept)
            }
            Self::After(record) => (first.0..first.0 + count as u64).contains(&record.0).then_some(count),
        }
    }
}

impl Store for CrashPoint {
    fn create(
        &self,
        run: &RunId,
        driver: &Driver,
        mut first: Vec<Draft>,
        prepare: Prepare<'_>,
    ) -> Result<Claim, StoreError> {
        let last = self.at.and_then(|at| at.last_of(Seq(1), first.len()));
        first.truncate(last.unwrap_or(usize::MAX));
        if first.is_empty() {
            die();
        }
        let claim = self.store.create(run, driver, first, prepare)?;
        if last.is_some() {
            die();
        }
        Ok(self.armed(claim))
    }

    fn claim(&self, run: &RunId, driver: &Driver) -> Result<Claim, StoreError> {
        self.store.claim(run, driver).map(|claim| self.armed(claim))
    }

    fn load(&self, run: &RunId) -> Result<Loaded, StoreError> {
        self.store.load(run)
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        self.store.list()
    }
}

impl CrashPoint {
    fn armed(&self, claim: Claim) -> Claim {
        match self.at {
            None => claim,
            Some(at) => Claim { journal: Box::new(CrashingJournal { inner: claim.journal, at }), ..claim },
        }
    }
}

#[derive(Debug)]
struct CrashingJournal {
    inner: Box<dyn Journal>,
    at: At,
}

impl Journal for CrashingJournal {
    fn append(
        &mut self,
        expected: Seq,
        epoch: Epoch,
        mut drafts: Vec<Draft>,
    ) -> Result<Arc<[Record]>, StoreError> {
        let last = self.at.last_of(expected, drafts.len());
        drafts.truncate(last.unwrap_or(usize::MAX));
        if drafts.is_empty() {
            die();
        }
        let records = self.inner.append(expected, epoch, drafts)?;
        if last.is_some() {
            die();
        }
        Ok(records)
    }

    fn steps_folder(&self) -> PathBuf {
        self.inner.steps_folder()
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.inner.take_notes()
    }
}

/// SIGKILL: no handler, no destructor, no buffer flushed.
fn die() -> ! {
    // Returns only if the system refuses the signal.
    kill_process(getpid(), Signal::KILL).unwrap_or_else(|_| process::abort());
    process::abort()
}

fn malformed() -> CliError {
    CliError::usage(format!("{VARIABLE} is `before:RECORD` or `after:RECORD`; it is meant for crash tests"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_is_read_strictly() {
        assert_eq!("before:7".parse(), Ok(At::Before(Seq(7))));
        assert_eq!("after:12".parse(), Ok(At::After(Seq(12))));
        for text in ["", "7", "before", "before:", "before:0", "before:-1", "until:7", "after: 7"] {
            assert_eq!(text.parse::<At>(), Err(()), "{text:?}");
        }
    }

    #[test]
    fn a_batch_is_cut_before_a_record_and_whole_after_it() {
        let batch = |at: At| at.last_of(Seq(5), 3);
        assert_eq!(batch(At::Before(Seq(4))), None);
        assert_eq!(batch(At::Before(Seq(5))), Some(0));
        assert_eq!(batch(At::Before(Seq(7))), Some(2));
        assert_eq!(batch(At::Before(Seq(8))), None);
        assert_eq!(batch(At::After(Seq(4))), None);
        assert_eq!(batch(At::After(Seq(5))), Some(3));
        assert_eq!(batch(At::After(Seq(7))), Some(3));
        assert_eq!(batch(At::After(Seq(8))), None);
    }
}
