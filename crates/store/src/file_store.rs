//! The store: a folder of run folders.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lifeboat_engine::store::{Claim, Draft, Listed, Loaded, Prepare, Store, StoreError};
use lifeboat_model::record::Driver;
use lifeboat_model::{Header, RunId, RunState, Seq};

use crate::claim;
use crate::end;
use crate::folder::{self, RunFolder};
use crate::header;
use crate::lock::{self, Held};
use crate::problem;
use crate::text::JournalText;
use crate::verify::{self, VerifyReport};

/// The runs below a home folder.
#[derive(Debug, Clone)]
pub struct FileStore {
    runs: PathBuf,
    checkpoints_after: Duration,
}

/// A run that ends sooner is folded from its journal faster than sled opens (4 to 12 ms).
const CHECKPOINTS_AFTER: Duration = Duration::from_millis(250);

impl FileStore {
    /// The store in a home folder. Nothing is created before the first run is.
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        let home = std::path::absolute(home).map_err(problem::io("open", home))?;
        if home.exists() && !home.is_dir() {
            return Err(problem::io("open", &home)(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { runs: home.join("runs"), checkpoints_after: CHECKPOINTS_AFTER })
    }

    /// The same store, giving a run checkpoints once it was driven for so long, instead of for 250 ms.
    #[must_use]
    pub fn with_checkpoints_after(self, after: Duration) -> Self {
        Self { checkpoints_after: after, ..self }
    }

    /// The folder in which a run's steps keep their outputs.
    pub fn steps_folder(&self, run: &RunId) -> PathBuf {
        self.folder(run).steps()
    }

    /// A run's journal as it stands, without a claim. Its chain is verified.
    pub fn journal(&self, run: &RunId) -> Result<JournalText, StoreError> {
        read_journal(&self.folder(run), run)
    }

    /// Checks a run's journal and checkpoints. Changes nothing; damage to the journal is an error.
    pub fn verify(&self, run: &RunId) -> Result<VerifyReport, StoreError> {
        let folder = self.existing(run)?;
        let header = header::read(&folder).ok().flatten();
        verify::verify(&folder, run, header.as_ref(), &self.journal(run)?)
    }

    /// What a person should know about the end of a listed run's journal, as far as its end shows it.
    pub fn end_warning(&self, listed: &Listed) -> Option<String> {
        let folder = self.folder(&listed.run);
        let header = listed.header.as_ref().ok().filter(|_| !listed.held)?;
        let warning = end::warning(&folder, header)?;
        // Somebody may have taken it over meanwhile.
        let as_before = header::read(&folder).ok().flatten().as_ref() == Some(header);
        (as_before && matches!(lock::probe(&folder), Held::No)).then_some(warning)
    }

    fn folder(&self, run: &RunId) -> RunFolder {
        RunFolder::new(self.runs.join(run.as_str()))
    }

    /// The existing folder of a run.
    fn existing(&self, run: &RunId) -> Result<RunFolder, StoreError> {
        let folder = self.folder(run);
        if folder.path().is_dir() { Ok(folder) } else { Err(StoreError::NotFound { run: run.clone() }) }
    }

    /// A line of the list. `None` for a folder that holds no run, or not yet.
    fn listed(&self, run: RunId) -> Option<Listed> {
        let folder = self.folder(&run);
        let header = match header::read(&folder) {
            Ok(Some(_)) if is_empty(&folder) => Err(header::no_journal(&folder, &run)),
            Ok(Some(header)) if header.run == run => Ok(header),
            Ok(_) => match header_from_journal(&folder, &run) {
                Err(StoreError::NotFound { .. }) => return None,
                header => header,
            },
            Err(error) => Err(error),
        };
        let held = matches!(lock::probe(&folder), Held::Yes(_));
        Some(Listed { run, header, held })
    }
}

impl Store for FileStore {
    fn create(
        &self,
        run: &RunId,
        driver: &Driver,
        first: Vec<Draft>,
        prepare: Prepare<'_>,
    ) -> Result<Claim, StoreError> {
        folder::create_durably(&self.runs).map_err(problem::io("create", &self.runs))?;
        claim::create(self.folder(run), run, driver, first, prepare, self.checkpoints_after)
    }

    fn claim(&self, run: &RunId, driver: &Driver) -> Result<Claim, StoreError> {
        claim::take_over(self.existing(run)?, run, driver, self.checkpoints_after)
    }

    fn load(&self, run: &RunId) -> Result<Loaded, StoreError> {
        let folder = self.existing(run)?;
        let header = header::read(&folder).ok().flatten();
        let text = self.journal(run)?;
        let records: Vec<_> = text.records_after(Seq(0)).collect::<Result<_, _>>()?;
        records.first().map_or(Ok(()), |first| text.check_run(first, run))?;
        let state = RunState::replay(&records).map_err(|why| text.illegal(why))?;
        let (holder, notes) = match lock::probe(&folder) {
            // What looks torn while somebody writes is an append in progress.
            Held::Yes(holder) => (holder.or_else(|| lock::newest_driver(records.iter().rev())), Vec::new()),
            Held::No => (None, end_notes(header.as_ref(), &text)),
        };
        Ok(Loaded { records, state, holder, folder: Some(folder.path().to_owned()), notes })
    }

    fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let entries = match fs::read_dir(&self.runs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(problem::io("read", &self.runs))?,
        };
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let names: Vec<_> = names.collect::<Result<_, _>>().map_err(problem::io("read", &self.runs))?;
        // A run's id begins with the time of its creation.
        let mut runs: Vec<RunId> = names.iter().filter_map(|name| RunId::new(name.to_str()?).ok()).collect();
        runs.sort_unstable_by(|a, b| b.cmp(a));
        Ok(runs.into_iter().filter_map(|run| self.listed(run)).collect())
    }
}

/// The header of a run whose header file is missing or makes no sense.
fn header_from_journal(folder: &RunFolder, run: &RunId) -> Result<Header, StoreError> {
    let text = read_journal(folder, run)?;
    tracing::warn!(%run, "the header is missing or damaged: the journal was read instead");
    Ok(Header::of(&text.fold_from(&text.first(run)?)?))
}

/// What a person should know about the end of a journal that nobody writes to.
pub(crate) fn end_notes(header: Option<&Header>, text: &JournalText) -> Vec<String> {
    let cut_off = header::check_end(header, text).err().map(|error| error.to_string());
    cut_off.into_iter().chain(text.torn_note()).collect()
}

/// Whether a run's journal is missing or empty.
fn is_empty(folder: &RunFolder) -> bool {
    fs::metadata(folder.journal()).map_or(true, |journal| journal.len() == 0)
}

fn read_journal(folder: &RunFolder, run: &RunId) -> Result<JournalText, StoreError> {
    JournalText::read(&folder.journal())?.ok_or_else(|| header::no_journal(folder, run))
}
