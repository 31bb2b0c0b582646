//! One attempt, ready to be carried out.

use jiff::{SignedDuration, Timestamp};
use lifeboat_model::plan::OnUnknown;
use lifeboat_model::record::StepEnd;
use lifeboat_model::{ActionName, Attempt, Effect, Failure, StepId, StepIndex};
use serde_json::Value;

/// An attempt with its parameters filled in.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) at: StepIndex,
    pub(crate) step: StepId,
    pub(crate) attempt: Attempt,
    pub(crate) call: Call,
    pub(crate) check: Option<Call>,
    pub(crate) timeout: Option<SignedDuration>,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) started_at: Timestamp,
}

/// An action and the parameters it is called with.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) action: ActionName,
    pub(crate) params: Value,
    pub(crate) effect: Effect,
    pub(crate) observable: bool,
    pub(crate) recoverable: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AttemptEnd {
    /// The step is over.
    Step(StepEnd),
    /// It failed; whether another attempt follows is for the core to decide.
    Failed(Failure),
}
