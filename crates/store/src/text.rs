//! A journal as read: its lines, the chain verified, a torn end told from damage.
//!
//! A line is bad when its own hash, its number or the hash of the line before does not fit. A bad line was once
//! synced, so is damaged, if a good line of a *later batch* stands behind it: that batch was begun only after the
//! earlier one was on disk. Otherwise everything from the bad line on belongs to the last batch, which nobody was told
//! to be durable: it is torn, and counts as not written. (A batch may be torn anywhere, since a power cut may keep its
//! second page and lose its first.)

use std::fs;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lifeboat_engine::store::StoreError;
use lifeboat_model::record::{FORMAT, FormatVersion};
use lifeboat_model::run_state::IllegalRecord;
use lifeboat_model::{Epoch, Record, RecordBody, RunId, RunState, Seq};

use crate::checkpoint;
use crate::line::{self, Line, LineHash};
use crate::problem;

/// The newest record of a journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tip {
    pub(crate) seq: Seq,
    pub(crate) epoch: Epoch,
    pub(crate) hash: LineHash,
}

/// A whole journal whose chain is right.
#[derive(Debug)]
pub struct JournalText {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Where each line ends, its line break included.
    ends: Vec<usize>,
    tip: Tip,
    newest: FormatVersion,
}

impl JournalText {
    /// Reads and verifies a journal. `None` when it is not there, or when not even its first record is whole: then
    /// nothing was ever done in its name.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        match fs::read(path) {
            Ok(bytes) => Self::verify(path.to_owned(), bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(problem::io("read", path)(error)),
        }
    }

    fn verify(path: PathBuf, bytes: Vec<u8>) -> Result<Option<Self>, StoreError> {
        let mut ends = Vec::new();
        let mut tip = Tip { seq: Seq(0), epoch: Epoch(0), hash: LineHash::START };
        let mut newest = FORMAT;
        for end in line_ends(&bytes) {
            let start = ends.last().copied().unwrap_or(0);
            match follow(&bytes[start..end], &tip) {
                Ok(line) => {
                    tip = Tip { seq: line.seq, epoch: line.epoch, hash: line.hash };
                    newest = newest.max(line.version);
                    ends.push(end);
                }
                Err(what) => {
                    refuse_damage(&path, &bytes[start..], tip.seq.next(), what)?;
                    break;
                }
            }
        }
        let text = Self { path, bytes, ends, tip, newest };
        if newest.major > FORMAT.major {
            return Err(text.too_new());
        }
        Ok((!text.ends.is_empty()).then_some(text))
    }

    /// The lines of the whole records, each without its line break.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.spans(Seq(0)).map(|(_, line)| line)
    }

    /// How many bytes at the end belong to a batch that was not written whole.
    pub fn torn(&self) -> usize {
        self.bytes.len() - self.whole()
    }

    /// The number of the newest record.
    pub fn seq(&self) -> Seq {
        self.tip.seq
    }

    /// The hash of the newest record: whoever knows it can tell that nothing was taken off the end.
    pub fn hash(&self) -> &str {
        self.tip.hash.as_str()
    }

    pub(crate) fn tip(&self) -> Tip {
        self.tip
    }

    /// Whether folding it takes so long that it should have checkpoints.
    pub(crate) fn is_long(&self) -> bool {
        self.ends.len() >= checkpoint::LONG
    }

    /// How many bytes at the beginning hold whole records.
    pub(crate) fn whole(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Refuses a journal that was written to by a newer lifeboat: reading is fine, writing is not.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        if self.newest > FORMAT { Err(self.too_new()) } else { Ok(()) }
    }

    /// The hash of the line with that number, if there is one.
    pub(crate) fn hash_at(&self, seq: Seq) -> Option<LineHash> {
        let (_, line) = self.spans(Seq(seq.0.checked_sub(1)?)).next()?;
        Line::read(line).ok().map(|line| line.hash)
    }

    /// The first record. The journal must be that of the run in whose folder it lies: one run in two folders would have
    /// two drivers.
    pub(crate) fn first(&self, run: &RunId) -> Result<Record, StoreError> {
        let missing = || Err(self.bad(Seq(1), "it is missing".to_owned()));
        let first = self.records_after(Seq(0)).next().unwrap_or_else(missing)?;
        self.check_run(&first, run)?;
        Ok(first)
    }

    /// Whether the first record is that of a run.
    pub(crate) fn check_run(&self, first: &Record, run: &RunId) -> Result<(), StoreError> {
        match &first.body {
            RecordBody::RunCreated(created) if created.run != *run => {
                let why = format!("it is the journal of {}, and its folder must have that name", created.run);
                Err(self.bad(Seq(1), why))
            }
            _ => Ok(()),
        }
    }

    /// The records with higher numbers.
    pub(crate) fn records_after(
        &self,
        seq: Seq,
    ) -> impl DoubleEndedIterator<Item = Result<Record, StoreError>> {
        self.spans(seq).map(|(seq, line)| {
            let line = Line::read(line).map_err(|what| self.bad(seq, what.to_owned()))?;
            line.record().map_err(|what| self.bad(seq, what))
        })
    }

    /// The state that follows from all records, of which the first is read already.
    pub(crate) fn fold_from(&self, first: &Record) -> Result<RunState, StoreError> {
        let mut state = RunState::new(first).map_err(|why| self.illegal(why))?;
        self.fold_into(&mut state)?;
        Ok(state)
    }

    /// What a person should know about a torn end.
    pub(crate) fn torn_note(&self) -> Option<String> {
        let torn = self.torn();
        let last = self.tip.seq;
        (torn > 0).then(|| format!("the last {torn} bytes of the journal, behind record {last}, were not written whole and do not count"))
    }

    /// The end was damaged or cut off: something that is written only after its record is on disk knows of more.
    pub(crate) fn cut_off(&self, known: &str) -> StoreError {
        let last = self.tip.seq;
        self.bad(
            last.next(),
            format!(
                "it is missing: {known}, and the journal ends with record {last}, so its end was damaged or cut off; \
                 what was recorded there may have been done"
            ),
        )
    }

    /// Whether a record was decided at that moment.
    pub(crate) fn holds_moment(&self, at: Timestamp) -> bool {
        let at = at.to_string();
        self.spans(Seq(0)).rev().any(|(_, line)| line::claimed_moment(line) == Some(at.as_str()))
    }

    /// Folds the records behind those that the state has seen into it.
    pub(crate) fn fold_into(&self, state: &mut RunState) -> Result<(), StoreError> {
        self.records_after(state.seq())
            .try_for_each(|record| state.apply(&record?).map_err(|why| self.illegal(why)))
    }

    /// A record that is whole but cannot be taken.
    pub(crate) fn illegal(&self, IllegalRecord { seq, why }: IllegalRecord) -> StoreError {
        self.bad(seq, why)
    }

    fn bad(&self, seq: Seq, what: String) -> StoreError {
        if self.newest > FORMAT {
            return self.too_new();
        }
        StoreError::Corrupt { path: self.path.clone(), seq, what }
    }

    fn too_new(&self) -> StoreError {
        too_new(&self.path, self.newest)
    }

    /// The numbers and lines of the records behind `seq`.
    fn spans(&self, seq: Seq) -> impl DoubleEndedIterator<Item = (Seq, &[u8])> {
        let skip = usize::try_from(seq.0).unwrap_or(usize::MAX);
        self.ends.iter().enumerate().skip(skip).map(|(at, end)| {
            let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
            (Seq(at as u64 + 1), &self.bytes[start..*end - 1])
        })
    }
}

/// Reads a line, given with its line break, that should stand behind `tip`.
fn follow<'a>(bytes: &'a [u8], tip: &Tip) -> Result<Line<'a>, &'static str> {
    let line = Line::read(bytes.strip_suffix(b"\n").ok_or("its line does not end")?)?;
    if line.seq != tip.seq.next() {
        return Err("its number does not follow the one before");
    }
    if line.prev != tip.hash {
        return Err("it names another line as the one before");
    }
    Ok(line)
}

/// Decides about what starts with a bad line, which should hold record `seq`: fails unless it is a torn batch.
fn refuse_damage(path: &Path, rest: &[u8], seq: Seq, what: &str) -> Result<(), StoreError> {
    let lines = || rest.split(|byte| *byte == b'\n');
    if lines().skip(1).filter_map(|bytes| Line::read(bytes).ok()).any(|line| line.batch > seq) {
        return Err(StoreError::Corrupt { path: path.to_owned(), seq, what: what.to_owned() });
    }
    // A newer major version may end its lines, and so its hashes, in another way.
    match lines().next().and_then(line::claimed_version) {
        Some(version) if version.major > FORMAT.major => Err(too_new(path, version)),
        Some(_) | None => Ok(()),
    }
}

fn too_new(path: &Path, found: FormatVersion) -> StoreError {
    StoreError::TooNew { path: path.to_owned(), found: found.to_string(), supported: FORMAT.to_string() }
}

/// Where the lines end, each with its line break; the last one may lack it.
fn line_ends(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        // Reading from memory cannot fail.
        rest.skip_until(b'\n').ok().filter(|skipped| *skipped > 0).map(|_| bytes.len() - rest.len())
    })
}
