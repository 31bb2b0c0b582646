//! A node's state in the one word that people and programs are shown.

use serde::{Deserialize, Serialize};

use super::node_state::{DoneBy, StepState};
use crate::outcome::Observation;

/// The word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not started; in a dry run: a change would be made.
    Pending,
    /// Going on, retries and undo included.
    Running,
    /// A gate waits.
    Waiting,
    /// Done.
    Succeeded,
    /// It was in place already.
    InPlace,
    /// Left out.
    Skipped,
    /// Failed; in a dry run: it could not be done now.
    Failed,
    /// Nobody knows.
    InDoubt,
    /// Never started, because the run ended.
    Cancelled,
    /// Taken back.
    Undone,
    /// Could not be taken back.
    UndoFailed,
    /// A dry run could not tell.
    NotRehearsed,
}

impl Status {
    /// How many words there are.
    pub(super) const COUNT: usize = Self::NotRehearsed as usize + 1;

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::InPlace => "in_place",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::InDoubt => "in_doubt",
            Self::Cancelled => "cancelled",
            Self::Undone => "undone",
            Self::UndoFailed => "undo_failed",
            Self::NotRehearsed => "not_rehearsed",
        }
    }

    /// How much it matters to what stands around: the worst word of its children is a block's.
    pub(super) fn weight(self) -> u8 {
        match self {
            Self::UndoFailed => 4,
            Self::Failed => 3,
            Self::InDoubt => 2,
            Self::NotRehearsed => 1,
            Self::Pending
            | Self::Running
            | Self::Waiting
            | Self::Succeeded
            | Self::InPlace
            | Self::Skipped
            | Self::Cancelled
            | Self::Undone => 0,
        }
    }
}

impl StepState<'_> {
    /// The one word for it. For a block that is over, the word is that of its worst child: ask
    /// [`super::RunState::status`].
    pub fn status(&self) -> Status {
        match self {
            Self::Pending | Self::Rehearsed { observation: Observation::Pending { .. }, .. } => {
                Status::Pending
            }
            Self::Open | Self::Running { .. } | Self::Retrying { .. } => Status::Running,
            Self::InDoubt { .. } => Status::InDoubt,
            Self::Waiting(_) => Status::Waiting,
            Self::Done { by: DoneBy::InPlace, .. }
            | Self::Rehearsed { observation: Observation::InPlace { .. }, .. } => Status::InPlace,
            Self::Over | Self::Done { .. } => Status::Succeeded,
            Self::Skipped { .. } => Status::Skipped,
            Self::Failed { .. } | Self::Rehearsed { observation: Observation::Blocked { .. }, .. } => {
                Status::Failed
            }
            Self::Cancelled { .. } => Status::Cancelled,
            Self::Rehearsed { observation: Observation::Unknown { .. }, .. } => Status::NotRehearsed,
            Self::Undone { .. } => Status::Undone,
            Self::UndoFailed { .. } => Status::UndoFailed,
        }
    }
}
