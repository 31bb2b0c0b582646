//! How drivers let go of runs, and how runs end.

use serde::{Deserialize, Serialize};

/// What a guard does to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardEffect {
    /// Nothing new starts, and a person is asked.
    Hold,
    /// The node that it guards fails.
    Stop,
    /// The node that it guards is rolled back.
    Rollback,
}

/// How telling people ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldEnd {
    /// It was handed over.
    Delivered,
    /// It was not.
    Failed {
        /// Why.
        why: String,
    },
}

/// Why a driver let go of a run that is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// A signal.
    Interrupted,
    /// An operator's word or a guard.
    Paused,
    /// A gate, or a step in doubt, needs a person.
    NeedsPerson,
    /// Another process takes it over.
    HandedOver,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As written.
    Succeeded,
    /// Done, but somebody overrode something, or a step that may fail did.
    SucceededWithDeviations,
    /// A step failed; the run can be reopened.
    Failed,
    /// What ran was undone.
    RolledBack,
    /// An undo failed.
    Stuck,
    /// A person ended it.
    Cancelled,
}

impl StopReason {
    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Paused => "paused",
            Self::NeedsPerson => "needs_person",
            Self::HandedOver => "handed_over",
        }
    }
}

impl Verdict {
    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::SucceededWithDeviations => "succeeded_with_deviations",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
            Self::Cancelled => "cancelled",
        }
    }
}
