//! What records can say and no driver of this version can carry out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::Effort;
use crate::record::{Decision, RecordBody};

/// A part of the language whose records are understood, so that its runs can be read, and that this version cannot drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undriven {
    /// Waiting for people.
    Gates,
    /// Watching conditions.
    Guards,
    /// Starting nothing new because a person said so.
    Pause,
    /// Undoing what ran.
    Rollback,
    /// Going on only with what was seen lately.
    Requirements,
    /// Holding locks.
    Locks,
    /// Telling people.
    Telling,
    /// Changing a run that goes on.
    Edits,
}

impl Undriven {
    /// The part that a record belongs to. A part that gets its driver is taken out here.
    pub fn of(body: &RecordBody) -> Option<Self> {
        match body {
            RecordBody::GateOpened { .. } | RecordBody::GateVoted { .. } | RecordBody::GateDecided { .. } => {
                Some(Self::Gates)
            }
            RecordBody::GuardTripped { .. } => Some(Self::Guards),
            RecordBody::RollbackBegan { .. } | RecordBody::StepStarted { effort: Effort::Undo, .. } => {
                Some(Self::Rollback)
            }
            RecordBody::RequirementMet { .. } => Some(Self::Requirements),
            RecordBody::LockTaken { .. } | RecordBody::LockReleased { .. } => Some(Self::Locks),
            RecordBody::Told { .. } => Some(Self::Telling),
            RecordBody::RunEdited { .. } => Some(Self::Edits),
            RecordBody::OperatorDecided { decision, .. } => match decision {
                Decision::Pause => Some(Self::Pause),
                Decision::Rollback => Some(Self::Rollback),
                Decision::Override => Some(Self::Requirements),
                Decision::Retry
                | Decision::Skip
                | Decision::MarkDone { .. }
                | Decision::Cancel
                | Decision::KeepPinned { .. } => None,
            },
            RecordBody::RunCreated(_)
            | RecordBody::RunResumed { .. }
            | RecordBody::NodeOpened { .. }
            | RecordBody::LoopExpanded { .. }
            | RecordBody::BatchOpened { .. }
            | RecordBody::StepStarted { effort: Effort::Apply, .. }
            | RecordBody::AttemptNoted { .. }
            | RecordBody::ChangeAccepted { .. }
            | RecordBody::AttemptFailed { .. }
            | RecordBody::StepFinished { .. }
            | RecordBody::StepRehearsed { .. }
            | RecordBody::StepInDoubt { .. }
            | RecordBody::DoubtResolved { .. }
            | RecordBody::RunStopped { .. }
            | RecordBody::RunFinished { .. }
            | RecordBody::Note { .. } => None,
        }
    }
}

/// What is so of such a run.
impl fmt::Display for Undriven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gates => "has a gate where people decide",
            Self::Guards => "has a guard that tripped",
            Self::Pause => "was told to pause",
            Self::Rollback => "is being rolled back",
            Self::Requirements => "has a requirement that was looked at again",
            Self::Locks => "holds locks",
            Self::Telling => "tells people",
            Self::Edits => "was edited while it went on",
        })
    }
}
