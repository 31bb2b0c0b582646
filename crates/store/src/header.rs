//! The header of a run: advisory, so that a list opens no journal. Replaced by one write, never synced: a power cut may
//! bring an older one back, half of one or none, and where it makes no sense the journal is read instead.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;

use lifeboat_engine::store::StoreError;
use lifeboat_model::record::{Decision, RecordBody, StopReason};
use lifeboat_model::{Header, Observation, Phase, Record, RunId, Seq};

use crate::folder::{RunFolder, private_file};
use crate::problem;
use crate::text::JournalText;

/// Brings a header up to date with a record; whether it is worth writing.
pub(crate) fn follow(header: &mut Header, record: &Record) -> bool {
    let state = match &record.body {
        RecordBody::RunCreated(_) | RecordBody::RunResumed { .. } => Phase::Running,
        RecordBody::RunStopped { reason } => Phase::Stopped(*reason),
        RecordBody::RunFinished { verdict } => Phase::Finished(*verdict),
        // A person's word about a step of a run that had ended opens it again.
        RecordBody::OperatorDecided {
            decision: Decision::Retry | Decision::Skip | Decision::MarkDone { .. },
            ..
        } if matches!(header.state, Phase::Finished(_)) => Phase::Stopped(StopReason::Paused),
        RecordBody::StepRehearsed { observation, .. } => {
            header.not_rehearsed += usize::from(matches!(observation, Observation::Unknown { .. }));
            return false;
        }
        _ => return false,
    };
    header.state = state;
    header.updated = record.at;
    true
}

/// The header's text is padded to this length, so that one write replaces it and no reader meets half of it.
const PADDED: usize = 1024;

/// Replaces the header.
pub(crate) fn write(folder: &RunFolder, header: &Header) -> io::Result<()> {
    let mut text = serde_json::to_vec(header)?;
    text.resize(text.len().max(PADDED - 1), b' ');
    text.push(b'\n');
    let file = private_file().write(true).create(true).truncate(false).open(folder.header())?;
    file.write_all_at(&text, 0)?;
    file.set_len(text.len() as u64)
}

/// Reads the header; `None` when there is none or it makes no sense.
pub(crate) fn read(folder: &RunFolder) -> Result<Option<Header>, StoreError> {
    let path = folder.header();
    match fs::read(&path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(problem::io("read", &path)(error)),
    }
}

/// Why a folder has no journal with a whole first record. The header is written after that record is on disk: where
/// there is one, the journal was lost since.
pub(crate) fn no_journal(folder: &RunFolder, run: &RunId) -> StoreError {
    if !folder.header().exists() {
        return StoreError::NotFound { run: run.clone() };
    }
    let what = "it is missing or empty, although the run has a header".to_owned();
    StoreError::Corrupt { path: folder.journal(), seq: Seq(1), what }
}

/// Fails when a header tells of a record that the journal, read after it, does not hold: each header is written after
/// its record is on disk, so that the journal's end was lost since, torn as it may look.
pub(crate) fn check_end(header: Option<&Header>, text: &JournalText) -> Result<(), StoreError> {
    let Some(header) = header.filter(|header| !text.holds_moment(header.updated)) else { return Ok(()) };
    let (state, at) = (in_words(header.state), header.updated);
    Err(text.cut_off(&format!("the header says that the run was {state} at {at}")))
}

/// The last known state in words.
pub(crate) fn in_words(state: Phase) -> String {
    match state {
        Phase::Running => "running".to_owned(),
        Phase::Stopped(reason) => format!("stopped ({})", reason.as_str()),
        Phase::Finished(verdict) => format!("finished ({})", verdict.as_str()),
    }
}
