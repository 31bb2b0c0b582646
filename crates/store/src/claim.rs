//! Creating a run and taking one over: the two ways to a claim, each an order of steps that survives a kill anywhere.

use std::fs::{self, File};
use std::panic;
use std::thread;
use std::time::Duration;

use lifeboat_engine::store::{Claim, Draft, Prepare, StoreError};
use lifeboat_model::record::Driver;
use lifeboat_model::{Epoch, Header, Holder, Record, RunId, RunState, Seq};

use crate::appender::Appender;
use crate::checkpoint::{self, Keeper, OpenStore, Opening, Start};
use crate::folder::{self, RunFolder, private_file};
use crate::header;
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
    prepare: Prepare<'_>,
    checkpoints_after: Duration,
) -> Result<Claim, StoreError> {
    folder::create_folder(folder.path()).map_err(problem::io("create", folder.path()))?;
    let path = folder.path().to_owned();
    fill(folder, run, driver, first, prepare, checkpoints_after).inspect_err(|_| {
        // Nothing was done in the run's name. What cannot be removed now has no whole first record, so is no run.
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove what is left of a run that was not created");
        }
    })
}

fn fill(
    folder: RunFolder,
    run: &RunId,
    driver: &Driver,
    first: Vec<Draft>,
    prepare: Prepare<'_>,
    after: Duration,
) -> Result<Claim, StoreError> {
    let lock = RunLock::acquire(&folder, run, driver)?;
    folder::create_folder(&folder.steps()).map_err(problem::io("create", &folder.steps()))?;
    prepare(&folder.steps())?;
    let path = folder.journal();
    let file =
        private_file().append(true).create_new(true).open(&path).map_err(problem::io("create", &path))?;
    own(&file, &folder, run, || None)?;
    let epoch = Epoch(1);
    let nothing = Tip { seq: Seq(0), epoch: Epoch(0), hash: LineHash::START };
    let mut appender = Appender::new(file, path.clone(), 0, nothing, epoch);
    // The names are there already: syncing them beside the content lets the file system do all of it at once.
    let records = thread::scope(|scope| {
        let names = scope.spawn(|| folder.sync().map_err(problem::io("sync", folder.path())));
        let records = appender.append(Seq(1), epoch, first);
        names.join().unwrap_or_else(|panic| panic::resume_unwind(panic)).and(records)
    })?;
    let state = RunState::replay(&records).map_err(problem::illegal(&path))?;
    let start = Start {
        folder: folder.clone(),
        state: state.clone(),
        hash: appender.hash(),
        store: None,
        behind: true,
        after,
    };
    let keeper = Keeper::new(start);
    let header = Header::of(&state);
    let mut journal = FileJournal { appender, keeper, header, folder, notes: Vec::new(), _lock: lock };
    journal.write_header();
    Ok(Claim { journal: Box::new(journal), state, epoch, notes: Vec::new() })
}

/// Takes a run over. The lock comes first: nothing is opened, let alone mended, while somebody else drives.
pub(crate) fn take_over(
    folder: RunFolder,
    run: &RunId,
    driver: &Driver,
    checkpoints_after: Duration,
) -> Result<Claim, StoreError> {
    let lock = RunLock::acquire(&folder, run, driver)?;
    let opening = Opening::begin(&folder);
    let path = folder.journal();
    let text = JournalText::read(&path)?.ok_or_else(|| header::no_journal(&folder, run))?;
    text.check_writable()?;
    // It holds the plan: it is read while sled opens.
    let first = text.first(run)?;
    let file = private_file().append(true).open(&path).map_err(problem::io("open", &path))?;
    own(&file, &folder, run, || lock::newest_driver(text.records_after(Seq(0)).rev().flatten()))?;
    header::check_end(header::read(&folder).ok().flatten().as_ref(), &text)?;
    let mut notes = Vec::new();
    notes.extend(folder.create_lost_steps().map_err(problem::io("create", &folder.steps()))?);
    // Whoever created the run may have died before its name was on disk.
    folder.sync().map_err(problem::io("sync", folder.path()))?;
    let Restored { state, store, behind, rebuild } = restore(&folder, &text, &first, opening, &mut notes)?;
    if let Some(note) = text.torn_note() {
        let cut = file.set_len(text.whole() as u64).and_then(|()| file.sync_data());
        cut.map_err(problem::io("cut", &path))?;
        notes.insert(0, note);
    }
    let epoch = state.epoch().next();
    let appender = Appender::new(file, path, text.whole() as u64, text.tip(), epoch);
    let after = if rebuild { Duration::ZERO } else { checkpoints_after };
    let start =
        Start { folder: folder.clone(), state: state.clone(), hash: appender.hash(), store, behind, after };
    let keeper = Keeper::new(start);
    let header = Header::of(&state);
    let journal = FileJournal { appender, keeper, header, folder, notes: Vec::new(), _lock: lock };
    Ok(Claim { journal: Box::new(journal), state, epoch, notes })
}

/// The state of a run that is taken over.
struct Restored {
    state: RunState,
    /// Its checkpoints, if they can be gone on with.
    store: Option<OpenStore>,
    /// Whether they lack the newest records.
    behind: bool,
    /// Whether new ones are due at once.
    rebuild: bool,
}

/// Works the state out, from the checkpoints and the journal's end if the checkpoints are good, else from the journal
/// alone.
fn restore(
    folder: &RunFolder,
    text: &JournalText,
    first: &Record,
    opening: Opening,
    notes: &mut Vec<String>,
) -> Result<Restored, StoreError> {
    let why = match opening.finish() {
        Some(Ok((store, saved))) => {
            saved.check_end(text)?;
            let behind = saved.seq() < text.seq();
            match saved.restore(first, text) {
                Ok(state) => return Ok(Restored { state, store: Some(store), behind, rebuild: false }),
                Err(why) => Some(why),
            }
        }
        Some(Err(why)) => Some(why),
        None => None,
    };
    let state = text.fold_from(first)?;
    let records = text.seq();
    let rebuild = match why {
        Some(why) => {
            notes.push(format!(
                "the checkpoints were set aside and are rebuilt from {records} records: {why}"
            ));
            checkpoint::set_aside(folder)
                .inspect_err(|error| notes.push(format!("the checkpoints cannot be set aside: {error}")))
                .is_ok()
        }
        None if text.is_long() => {
            notes.push(format!("there were no checkpoints: the state was rebuilt from {records} records"));
            true
        }
        None => false,
    };
    Ok(Restored { state, store: None, behind: true, rebuild })
}

/// Locks the journal itself too, so that a removed lock file does not let a second driver in; `holder` says who the
/// first is.
fn own(
    file: &File,
    folder: &RunFolder,
    run: &RunId,
    holder: impl FnOnce() -> Option<Holder>,
) -> Result<(), StoreError> {
    match lock::exclusive(file) {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::Locked { run: run.clone(), holder: holder() }),
        Err(error) => Err(problem::io("lock", &folder.journal())(error)),
    }
}
