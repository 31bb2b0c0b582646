//! The header of a run: advisory, so that a list opens no journal. Replaced whole, never synced: a power cut may bring
//! an older one back, or none, and then the journal is read instead.

use std::fs;
use std::io::{self, Write as _};

use lifeboat_engine::store::{Header, LastKnown, StoreError};
use lifeboat_model::Record;
use lifeboat_model::record::{Decision, RecordBody, StopReason};

use crate::folder::{RunFolder, private_file};
use crate::problem;

/// Brings a header up to date with a record; whether it is worth writing.
pub(crate) fn follow(header: &mut Header, record: &Record) -> bool {
    let state = match &record.body {
        RecordBody::RunCreated(_) | RecordBody::RunResumed { .. } => LastKnown::Running,
        RecordBody::RunStopped { reason } => LastKnown::Stopped(*reason),
        RecordBody::RunFinished { verdict } => LastKnown::Finished(*verdict),
        // A person's word about a step of a run that had ended opens it again.
        RecordBody::OperatorDecided {
            decision: Decision::Retry | Decision::Skip | Decision::MarkDone { .. },
            ..
        } if matches!(header.state, LastKnown::Finished(_)) => LastKnown::Stopped(StopReason::Paused),
        RecordBody::OperatorDecided { .. }
        | RecordBody::StepStarted { .. }
        | RecordBody::AttemptFailed { .. }
        | RecordBody::StepFinished { .. }
        | RecordBody::StepRehearsed { .. }
        | RecordBody::StepInDoubt { .. }
        | RecordBody::DoubtResolved { .. }
        | RecordBody::GateOpened { .. }
        | RecordBody::GateDecided { .. }
        | RecordBody::GuardTripped { .. }
        | RecordBody::UndoStarted { .. }
        | RecordBody::UndoFinished { .. }
        | RecordBody::Note { .. } => return false,
    };
    header.state = state;
    header.updated = record.at;
    true
}

/// Replaces the header.
pub(crate) fn write(folder: &RunFolder, header: &Header) -> io::Result<()> {
    let text = serde_json::to_vec(header)?;
    let new = folder.path().join("header.json.new");
    let mut file = private_file().write(true).create(true).truncate(true).open(&new)?;
    file.write_all(&text)?;
    file.write_all(b"\n")?;
    fs::rename(&new, folder.header())
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
