//! What a step can be.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::Attempt;
use crate::outcome::{Failure, Observation, Outcome, Outputs, Without};

/// The state of a step. Blocks are only ever `Pending`, `Open` or `Over`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not started, or to be started again.
    Pending,
    /// A block whose steps may start.
    Open,
    /// A block whose steps are all over.
    Over,
    /// An attempt is going on.
    Running {
        /// The try.
        attempt: Attempt,
    },
    /// The last attempt failed transiently; another follows.
    Retrying {
        /// The try that failed.
        attempt: Attempt,
        /// How.
        failure: Failure,
        /// When the next one is due.
        at: Timestamp,
    },
    /// An attempt has no known end.
    InDoubt {
        /// The try.
        attempt: Attempt,
        /// Why it is in doubt.
        cause: String,
        /// Looking did not tell and a person has to decide: what was seen.
        asked: Option<String>,
    },
    /// A gate waits for people.
    Waiting {
        /// What they are asked.
        question: String,
        /// When it expires.
        expires: Option<Timestamp>,
    },
    /// It is done.
    Done {
        /// How it came to be done.
        by: DoneBy,
        /// What shows it, and the outputs.
        outcome: Outcome,
    },
    /// Left out.
    Skipped {
        /// Why.
        why: String,
    },
    /// It failed for good.
    Failed {
        /// How.
        failure: Failure,
    },
    /// Stopped, or never started because the run ended.
    Cancelled {
        /// Why.
        why: String,
    },
    /// Looked at in a dry run.
    Rehearsed {
        /// What was seen.
        observation: Observation,
        /// The parameters that the action was asked without.
        #[serde(default, skip_serializing_if = "Without::is_empty")]
        without: Without,
    },
    /// Its undo is going on.
    Undoing {
        /// The try of the undo.
        attempt: Attempt,
    },
    /// Taken back.
    Undone {
        /// What shows it.
        evidence: String,
    },
    /// Its undo failed.
    UndoFailed {
        /// How.
        failure: Failure,
    },
}

/// How a step came to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneBy {
    /// The action did it.
    Action,
    /// It was in place before.
    InPlace,
    /// It was found done after a doubt.
    Doubt,
    /// A person said so.
    Person,
    /// A gate was approved.
    Gate,
}

/// A step's state in the one word that people and programs are shown.
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
    /// Stopped, or never started because the run ended.
    Cancelled,
    /// Taken back.
    Undone,
    /// Could not be taken back.
    UndoFailed,
    /// A dry run could not tell.
    NotRehearsed,
}

impl Status {
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
}

impl StepState {
    /// The one word for it. For a block that is over, the word is that of its worst child: ask
    /// [`super::RunState::status`].
    pub fn status(&self) -> Status {
        match self {
            Self::Pending | Self::Rehearsed { observation: Observation::Pending { .. }, .. } => {
                Status::Pending
            }
            Self::Open | Self::Running { .. } | Self::Retrying { .. } | Self::Undoing { .. } => {
                Status::Running
            }
            Self::InDoubt { .. } => Status::InDoubt,
            Self::Waiting { .. } => Status::Waiting,
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

    /// The outputs of a step that is done, or that a dry run found in place.
    pub fn outputs(&self) -> Option<&Outputs> {
        match self {
            Self::Done { outcome, .. } => Some(&outcome.outputs),
            Self::Rehearsed { observation: Observation::InPlace { outputs, .. }, .. } => Some(outputs),
            Self::Pending
            | Self::Open
            | Self::Over
            | Self::Running { .. }
            | Self::Retrying { .. }
            | Self::InDoubt { .. }
            | Self::Waiting { .. }
            | Self::Skipped { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Rehearsed { .. }
            | Self::Undoing { .. }
            | Self::Undone { .. }
            | Self::UndoFailed { .. } => None,
        }
    }
}
