//! Creating a run and taking one over: the two ways to a claim, each an order of steps that survives a kill anywhere.

use std::fs::{self, File};

use lifeboat_engine::store::{Claim, Draft, Header, StoreError};
use lifeboat_model::record::Driver;
use lifeboat_model::{Epoch, RunId, RunState, Seq};

use crate::appender::Appender;
use crate::folder::{self, RunFolder, private_file};
use crate::journal::FileJournal;
use crate::line::LineHash;
use crate::lock::{self, RunLock};
use crate::problem;
use crate::text::{JournalText, Tip};

/// Creates a run. Its folder holds no run before the first batch is synced in its journal, and the names of folder and
/// journal are synced before anybody may act on that batch.
pub(crate) fn create(
    folder: RunFolder,
    run: &RunId,
    driver: &Driver,
    first: Vec<Draft>,
) -> Result<Claim, StoreError> {
    folder::create_folder(folder.path()).map_err(problem::io("create", folder.path()))?;
    let path = folder.path().to_owned();
    fill(folder, run, driver, first).inspect_err(|_| {
        // Nothing was done in the run's name. What cannot be removed now has no whole first record, so is no run.
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove what is left of a run that was not created");
        }
    })
}

fn fill(folder: RunFolder, run: &RunId, driver: &Driver, first: Vec<Draft>) -> Result<Claim, StoreError> {
    let lock = RunLock::acquire(&folder, run, driver)?;
    let path = folder.journal();
    let file =
        private_file().append(true).create_new(true).open(&path).map_err(problem::io("create", &path))?;
    own(&file, &folder, run)?;
    let epoch = Epoch(1);
    let nothing = Tip { seq: Seq(0), epoch: Epoch(0), hash: LineHash::START };
    let mut appender = Appender::new(file, path.clone(), 0, nothing, epoch);
    let records = appender.append(Seq(1), epoch, first)?;
    folder.sync().map_err(problem::io("sync", folder.path()))?;
    let state = RunState::replay(&records).map_err(problem::illegal(&path))?;
    let header = Header::of(&state);
    let mut journal = FileJournal { appender, header, folder, notes: Vec::new(), _lock: lock };
    journal.write_header();
    Ok(Claim { journal: Box::new(journal), state, epoch, notes: Vec::new() })
}

/// Takes a run over. The lock comes first: nothing is opened, let alone mended, while somebody else drives.
pub(crate) fn take_over(folder: RunFolder, run: &RunId, driver: &Driver) -> Result<Claim, StoreError> {
    let lock = RunLock::acquire(&folder, run, driver)?;
    let path = folder.journal();
    let text = JournalText::read(&path)?.ok_or_else(|| StoreError::NotFound { run: run.clone() })?;
    text.check_writable()?;
    let file = private_file().append(true).open(&path).map_err(problem::io("open", &path))?;
    own(&file, &folder, run)?;
    let mut notes = Vec::new();
    if let Some(note) = text.torn_note() {
        let cut = file.set_len(text.whole() as u64).and_then(|()| file.sync_data());
        cut.map_err(problem::io("cut", &path))?;
        notes.push(note);
    }
    // Whoever created the run may have died before its name was on disk.
    folder.sync().map_err(problem::io("sync", folder.path()))?;
    let state = text.fold()?;
    let epoch = state.epoch().next();
    let appender = Appender::new(file, path, text.whole() as u64, text.tip(), epoch);
    let header = Header::of(&state);
    let journal = FileJournal { appender, header, folder, notes: Vec::new(), _lock: lock };
    Ok(Claim { journal: Box::new(journal), state, epoch, notes })
}

/// Locks the journal itself too, so that a removed lock file does not let a second driver in.
fn own(file: &File, folder: &RunFolder, run: &RunId) -> Result<(), StoreError> {
    match lock::exclusive(file) {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::Locked { run: run.clone(), holder: None }),
        Err(error) => Err(problem::io("lock", &folder.journal())(error)),
    }
}
