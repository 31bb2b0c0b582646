//! Where runs are kept: a narrow trait in plain types, so that a folder, memory or a cluster can be behind it.
//!
//! The contract every store passes (one suite, in the testkit):
//!
//! - [`Journal::append`] is durable on return. Of a batch that it did not answer for, any leading part may be there
//!   when the run is read again, never a record without those before it, never a record in part.
//! - Only the holder of a claim appends, with the number and epoch it expects; anybody reads, without a claim.
//! - Damage is found and reported with the record's number; it never makes another run unreadable.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use lifeboat_model::record::Driver;
use lifeboat_model::{Epoch, Header, Holder, Record, RecordBody, RunId, RunState, Seq};

/// A place where runs are kept.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Creates a run with its first records and claims it. The first of them is `RunCreated`; its epoch is 1.
    fn create(
        &self,
        run: &RunId,
        driver: &Driver,
        first: Vec<Draft>,
        prepare: Prepare<'_>,
    ) -> Result<Claim, StoreError>;

    /// Takes a run over: from here on only the returned journal may append, with an epoch one above the run's newest.
    /// Does not itself append anything.
    fn claim(&self, run: &RunId, driver: &Driver) -> Result<Claim, StoreError>;

    /// Reads a run as it is, whoever holds it. A torn last record counts as not written.
    fn load(&self, run: &RunId) -> Result<Loaded, StoreError>;

    /// All runs, newest first, by their headers alone.
    fn list(&self) -> Result<Vec<Listed>, StoreError>;
}

/// What has to be in the folder of a new run's steps before its first records are written: the store calls this with that
/// folder, and creates no run where it fails.
pub type Prepare<'a> = &'a dyn Fn(&Path) -> Result<(), StoreError>;

/// The exclusive right to append to one run. Dropped, it is given up.
pub trait Journal: Send + std::fmt::Debug {
    /// Appends the drafts as records numbered from `expected`, durable on return.
    fn append(
        &mut self,
        expected: Seq,
        epoch: Epoch,
        drafts: Vec<Draft>,
    ) -> Result<Arc<[Record]>, StoreError>;

    /// The folder in which the run's steps keep their outputs: `<folder>/<step>/<attempt>`.
    fn steps_folder(&self) -> PathBuf;

    /// What happened beside the records since the last call, such as checkpoints that had to be rebuilt: for people.
    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// A record that has no number yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// When it was decided.
    pub at: Timestamp,
    /// The fact.
    pub body: RecordBody,
}

/// A claimed run.
#[derive(Debug)]
#[must_use = "dropping a claim gives the run up"]
pub struct Claim {
    /// The right to append.
    pub journal: Box<dyn Journal>,
    /// The state that follows from all records so far.
    pub state: RunState,
    /// The epoch to append with.
    pub epoch: Epoch,
    /// What had to be mended on opening, such as a torn last record that was cut: for people and for the journal.
    pub notes: Vec<String>,
}

/// A run as read without a claim.
#[derive(Debug)]
pub struct Loaded {
    /// All records.
    pub records: Vec<Record>,
    /// The state that follows from them.
    pub state: RunState,
    /// Who drives it now.
    pub holder: Option<Holder>,
    /// Where the run keeps its files, if it does.
    pub folder: Option<PathBuf>,
    /// What a person should know, such as a torn last record.
    pub notes: Vec<String>,
}

/// One line of a list of runs.
#[derive(Debug)]
pub struct Listed {
    /// The run.
    pub run: RunId,
    /// Its header, or why it cannot be read: one bad run never hides the others.
    pub header: Result<Header, StoreError>,
    /// Whether a process drives it now.
    pub held: bool,
}

/// What can go wrong, cut by what the caller may do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process drives the run: wait, or ask it to stop.
    #[error("{run} is driven by another process{}", holder_text(.holder.as_ref()))]
    Locked {
        /// The run.
        run: RunId,
        /// Who holds it, if it could be read.
        holder: Option<Holder>,
    },
    /// There is no such run.
    #[error("there is no run {run}")]
    NotFound {
        /// The run.
        run: RunId,
    },
    /// Somebody else appended, or took the run over: stop driving it.
    #[error(
        "expected to write record {expected} in epoch {epoch}, but the journal is at record {found_seq} of epoch {found_epoch}"
    )]
    Conflict {
        /// The number the caller expected to write.
        expected: Seq,
        /// The caller's epoch.
        epoch: Epoch,
        /// The number of the newest record.
        found_seq: Seq,
        /// The epoch of the newest record.
        found_epoch: Epoch,
    },
    /// The journal is damaged at a record, with good records behind it, or does not follow its own rules.
    #[error("the journal {} is damaged at record {seq}: {what}", .path.display())]
    Corrupt {
        /// The journal.
        path: PathBuf,
        /// The first record that is wrong.
        seq: Seq,
        /// What is wrong with it.
        what: String,
    },
    /// Written by a newer lifeboat.
    #[error("the journal {} has format {found}; this lifeboat reads up to {supported}", .path.display())]
    TooNew {
        /// The journal.
        path: PathBuf,
        /// Its format.
        found: String,
        /// The newest this program knows.
        supported: String,
    },
    /// The operating system refused. After a failed append the journal takes no further one: what is on disk is
    /// unknown until it is read again.
    #[error("cannot {doing} {}", .path.display())]
    Io {
        /// What was tried, such as "append to".
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn holder_text(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |Holder { driver, since }| {
        format!(": pid {} on {}, since {since}", driver.pid, driver.host)
    })
}
