//! What a node can be: what is kept of it, and how readers see it.
//!
//! The result of applying stands beside the work that is going on, so that undoing never overwrites what it undoes, and
//! the footprint beside both: it says what is out there because of this run.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lane::Lane;
use crate::ids::{Attempt, Effort};
use crate::outcome::{Failure, Footprint, Observation, Outcome, Outputs, Without};
use crate::record::OpenGate;

/// What is kept of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeState {
    /// What is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) work: Option<Box<Work>>,
    /// How applying came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Box<Applied>>,
    /// How taking it back came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) undo: Option<Box<Undone>>,
    /// The gate that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gate: Option<Box<OpenGate>>,
    /// A block, call or loop that a record opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) opened: bool,
    /// What is out there because of this run.
    #[serde(default)]
    pub(super) footprint: Footprint,
    /// Which pass over the node this is, from 1: it grows when the node was undone.
    pub(super) pass: u32,
    /// How many attempts were started.
    #[serde(default)]
    pub(super) attempts: u32,
    /// How many of them count against `retry` since the node was last begun afresh.
    #[serde(default)]
    pub(super) failures: u32,
    /// How many attempts in a row, up to the newest, were proven never to have begun.
    #[serde(default)]
    pub(super) unstarted: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<Timestamp>,
    /// The boot id of the machine on which the newest attempt began, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) boot: Option<Arc<str>>,
    /// What its action wants remembered for undoing this pass, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<Value>,
    /// Follows from the states of others: what it waits for that is not over, the opening of what is around it included;
    /// of an open block, the children that are not over.
    #[serde(skip)]
    pub(super) waits_for: u32,
    /// Follows from the states of others, for a block, call or loop.
    #[serde(skip)]
    pub(super) block: Block,
    /// The lane it is in.
    #[serde(skip)]
    pub(super) lane: Lane,
}

impl Default for NodeState {
    fn default() -> Self {
        Self {
            work: None,
            result: None,
            undo: None,
            gate: None,
            opened: false,
            footprint: Footprint::None,
            pass: 1,
            attempts: 0,
            failures: 0,
            unstarted: 0,
            started_at: None,
            ended_at: None,
            boot: None,
            notes: Vec::new(),
            waits_for: 0,
            block: Block::Shut,
            lane: Lane::None,
        }
    }
}

/// How far a block, call or loop is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Block {
    #[default]
    Shut,
    Open,
    /// All that stands inside is over.
    Over,
    /// A loop of which more items failed than may; nothing inside goes on.
    Failed,
}

/// An effort that is going on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Work {
    pub(super) effort: Effort,
    pub(super) attempt: Attempt,
    pub(super) phase: WorkPhase,
    /// The change was accepted and is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) accepted: Option<Accepted>,
}

/// A change that was accepted and is not in effect yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// What the action answered.
    pub outcome: Outcome,
    /// When the patience with it is over.
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WorkPhase {
    Running,
    Retrying { failure: Failure, due: Timestamp },
    InDoubt { cause: String, asked: Option<String> },
}

/// How applying came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Applied {
    Done { by: DoneBy, outcome: Outcome },
    Skipped { why: String },
    Failed { failure: Failure },
    Cancelled { why: String },
    Rehearsed { observation: Observation, without: Without },
}

/// How taking it back came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Undone {
    Undone { evidence: String },
    Failed { failure: Failure },
}

/// How a node came to be done.
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

/// A node as readers see it. Blocks, calls and loops are only ever `Pending`, `Open`, `Over`, `Skipped` or `Cancelled`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepState<'s> {
    /// Not started, or to be started again.
    Pending,
    /// What stands inside may start.
    Open,
    /// What stands inside is over.
    Over,
    /// An attempt is going on.
    Running {
        /// What it is for.
        effort: Effort,
        /// The attempt's number.
        attempt: Attempt,
    },
    /// The last attempt failed; another follows.
    Retrying {
        /// What it is for.
        effort: Effort,
        /// The attempt that failed.
        attempt: Attempt,
        /// How.
        failure: &'s Failure,
        /// When the next one is due.
        at: Timestamp,
    },
    /// An attempt has no known end.
    InDoubt {
        /// What it was for.
        effort: Effort,
        /// The attempt's number.
        attempt: Attempt,
        /// Why it is in doubt.
        cause: &'s str,
        /// Looking did not tell and a person has to decide: what was seen.
        asked: Option<&'s str>,
    },
    /// A gate waits for people.
    Waiting(&'s OpenGate),
    /// It is done.
    Done {
        /// How it came to be done.
        by: DoneBy,
        /// What shows it, and the outputs.
        outcome: &'s Outcome,
    },
    /// Left out.
    Skipped {
        /// Why.
        why: &'s str,
    },
    /// It failed for good.
    Failed {
        /// How.
        failure: &'s Failure,
    },
    /// Never started, because the run ended.
    Cancelled {
        /// Why.
        why: &'s str,
    },
    /// Looked at in a dry run.
    Rehearsed {
        /// What was seen.
        observation: &'s Observation,
        /// The parameters that the action was asked without.
        without: &'s Without,
    },
    /// Taken back.
    Undone {
        /// What shows it.
        evidence: &'s str,
    },
    /// Its undo failed.
    UndoFailed {
        /// How.
        failure: &'s Failure,
    },
}

impl NodeState {
    /// How readers see it.
    pub(super) fn seen(&self) -> StepState<'_> {
        if let Some(work) = &self.work {
            let (effort, attempt) = (work.effort, work.attempt);
            return match &work.phase {
                WorkPhase::Running => StepState::Running { effort, attempt },
                WorkPhase::Retrying { failure, due } => {
                    StepState::Retrying { effort, attempt, failure, at: *due }
                }
                WorkPhase::InDoubt { cause, asked } => {
                    StepState::InDoubt { effort, attempt, cause, asked: asked.as_deref() }
                }
            };
        }
        match (self.undo.as_deref(), self.gate.as_deref(), self.result.as_deref(), self.block) {
            (Some(Undone::Undone { evidence }), ..) => StepState::Undone { evidence },
            (Some(Undone::Failed { failure }), ..) => StepState::UndoFailed { failure },
            (None, Some(gate), ..) => StepState::Waiting(gate),
            (None, None, Some(result), _) => result.seen(),
            (None, None, None, Block::Shut) => StepState::Pending,
            (None, None, None, Block::Open) => StepState::Open,
            (None, None, None, Block::Over | Block::Failed) => StepState::Over,
        }
    }

    /// Whether it is not as it was in the beginning.
    pub(super) fn has_begun(&self) -> bool {
        self.seen() != StepState::Pending
    }

    /// Whether the effect of this run is, or may be, out there.
    pub(super) fn is_in_effect(&self) -> bool {
        match self.footprint {
            Footprint::Part | Footprint::Full | Footprint::Unknown => true,
            Footprint::None | Footprint::TakenBack => false,
        }
    }
}

impl Applied {
    fn seen(&self) -> StepState<'_> {
        match self {
            Self::Done { by, outcome } => StepState::Done { by: *by, outcome },
            Self::Skipped { why } => StepState::Skipped { why },
            Self::Failed { failure } => StepState::Failed { failure },
            Self::Cancelled { why } => StepState::Cancelled { why },
            Self::Rehearsed { observation, without } => StepState::Rehearsed { observation, without },
        }
    }

    /// The outputs of a node that is done, or that a dry run found in place.
    pub(super) fn outputs(&self) -> Option<&Outputs> {
        match self {
            Self::Done { outcome, .. } => Some(&outcome.outputs),
            Self::Rehearsed { observation: Observation::InPlace { outputs, .. }, .. } => Some(outputs),
            Self::Skipped { .. } | Self::Failed { .. } | Self::Cancelled { .. } | Self::Rehearsed { .. } => {
                None
            }
        }
    }
}
