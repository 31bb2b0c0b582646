//! The records: durable facts about a run, in the order in which they were decided. They are the only truth about it.
//!
//! The driver writes a record before it does what the record decides. Each variant says who writes it and in which state
//! it is legal; the state that follows is in [`crate::RunState::apply`]. The format holds the whole language, also what
//! no driver of this version carries out ([`crate::Undriven`]).

mod created;
mod people;
mod run;
mod step;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use created::{Driver, Mode, RunCreated};
pub use people::{Decision, GateDecision, Identity, OpenGate, Quorum, Vote};
pub use run::{GuardEffect, StopReason, ToldEnd, Verdict};
pub use step::{DoubtRule, Item, Items, Resolution, StepEnd};

use crate::attempt_key::AttemptKey;
use crate::ids::{Attempt, Digest, Effort, Epoch, Seq, StepId};
use crate::node_path::NodePath;
use crate::outcome::{Failure, Observation, Outcome, Without};

/// The version of the record format. A reader takes every minor version of its major version; nobody writes to a
/// journal of a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormatVersion {
    /// Changes when old readers would be misled.
    pub major: u16,
    /// Changes when something is added.
    pub minor: u16,
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The version this program writes.
pub const FORMAT: FormatVersion = FormatVersion { major: 1, minor: 0 };

/// One fact, with its place and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number in the journal.
    pub seq: Seq,
    /// The driver that wrote it.
    pub epoch: Epoch,
    /// When it was decided, by the driver's clock.
    pub at: Timestamp,
    /// The fact.
    pub body: RecordBody,
}

/// A fact about a run. On disk: `"type"` and `"data"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "data")]
pub enum RecordBody {
    /// Driver; only as the first record.
    RunCreated(Arc<RunCreated>),
    /// Driver; on taking over a run that is not finished. Its epoch is new. Attempts of the driver before it are in doubt
    /// from here on.
    RunResumed {
        /// The new driver.
        driver: Driver,
        /// Who resumed.
        actor: String,
    },
    /// Driver; a block with a condition that is true, or a call, whose turn has come: what stands inside may start.
    NodeOpened {
        /// The block or call.
        #[serde(rename = "step")]
        node: NodePath,
        /// The inputs of a called runbook, bound and typed.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        inputs: Map<String, Value>,
    },
    /// Driver; a loop whose turn has come. Its list is evaluated this once and never again.
    LoopExpanded {
        /// The loop.
        #[serde(rename = "step")]
        node: NodePath,
        /// Its items, in order; never empty.
        items: Items,
    },
    /// Driver; the pause behind a loop's batch is over, and the next batch may start.
    BatchOpened {
        /// The loop.
        #[serde(rename = "step")]
        node: NodePath,
        /// The batch, counted from 0.
        batch: u32,
    },
    /// Driver; before an action is called. The step was ready, or its retry was due; to undo, its effect is there.
    StepStarted {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// What the attempt is for.
        effort: Effort,
        /// The attempt's number.
        attempt: Attempt,
        /// The idempotency key handed to the action.
        key: AttemptKey,
        /// The parameters with templates filled in and secrets masked.
        with: Value,
    },
    /// Driver; an action hands over what undoing its change will need. On disk before the change is made.
    AttemptNoted {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// The attempt's number.
        attempt: Attempt,
        /// What the action wants remembered, secrets masked.
        note: Value,
    },
    /// Driver; a change was accepted and is not in effect yet: from here on it is only looked at.
    ChangeAccepted {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// The attempt's number.
        attempt: Attempt,
        /// What the action answered.
        outcome: Outcome,
        /// When the patience with it is over.
        until: Timestamp,
    },
    /// Driver; a running attempt failed and another follows.
    AttemptFailed {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// The attempt that failed.
        attempt: Attempt,
        /// How.
        failure: Failure,
        /// When the next attempt is due.
        retry_at: Timestamp,
    },
    /// Driver; an effort came to its end: from running, or from ready when the step is skipped or cannot even start.
    StepFinished {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// The attempt that ended it; none when it was never tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<Attempt>,
        /// How it ended.
        end: StepEnd,
    },
    /// Driver, dry run only; a ready step was looked at instead of being run.
    StepRehearsed {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// What was seen.
        observation: Observation,
        /// The parameters with templates filled in and secrets masked; null where a value is unknown.
        with: Value,
        /// The parameters that the action was asked without.
        #[serde(default, skip_serializing_if = "Without::is_empty")]
        without: Without,
    },
    /// Driver; a running attempt has no known end: its driver died, or its action answered "unknown". Also on resume,
    /// about each step that is in doubt: it is looked at, or looked at again.
    StepInDoubt {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// The attempt's number.
        attempt: Attempt,
        /// Why it is in doubt.
        cause: String,
    },
    /// Driver; the rule that settled a doubt, and the evidence.
    DoubtResolved {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// The attempt's number.
        attempt: Attempt,
        /// The rule.
        rule: DoubtRule,
        /// What was seen, in words.
        evidence: String,
        /// What follows.
        resolution: Resolution,
        /// When it runs again, if the attempt counts against `retry`, as it does when it failed or did not know what it
        /// did. An attempt whose driver ended does not count, and runs again at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// Driver; a gate that was ready waits for people.
    GateOpened {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// What is asked of whom.
        gate: OpenGate,
    },
    /// Driver or an operator's command; a vote at an open gate.
    GateVoted {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// The vote.
        vote: Vote,
    },
    /// Driver; an open gate has its answer.
    GateDecided {
        /// The node.
        #[serde(rename = "step")]
        node: NodePath,
        /// The answer.
        decision: GateDecision,
        /// Why, in words: who said what, or that it expired.
        why: String,
    },
    /// Driver; a requirement of a node was looked at again, before the node's action is called.
    RequirementMet {
        /// The node that requires it.
        #[serde(rename = "step")]
        node: NodePath,
        /// The required node.
        required: NodePath,
        /// When it was last seen so.
        seen_at: Timestamp,
        /// What showed it.
        evidence: String,
    },
    /// Driver or an operator's command; a person's word. Legal as [`Decision`] says.
    OperatorDecided {
        /// The node it is about; none for the whole run.
        #[serde(rename = "step", default, skip_serializing_if = "Option::is_none")]
        node: Option<NodePath>,
        /// The word.
        decision: Decision,
        /// Who.
        actor: String,
        /// Why.
        reason: String,
    },
    /// Driver; a guard tripped while the node that it guards was going on.
    GuardTripped {
        /// The guard's id.
        guard: StepId,
        /// The guarded node; none for the whole run.
        #[serde(rename = "step", default, skip_serializing_if = "Option::is_none")]
        node: Option<NodePath>,
        /// What it saw.
        evidence: String,
        /// What follows.
        then: GuardEffect,
    },
    /// Driver; a node, or without one the whole run, is rolled back from here on.
    RollbackBegan {
        /// The node.
        #[serde(rename = "step", default, skip_serializing_if = "Option::is_none")]
        node: Option<NodePath>,
        /// Why, in words.
        why: String,
    },
    /// Driver; the run holds a lock from here on.
    LockTaken {
        /// The lock's name.
        name: String,
    },
    /// Driver; the run gives a lock up.
    LockReleased {
        /// The lock's name.
        name: String,
        /// Until when no run may take it by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cools_until: Option<Timestamp>,
    },
    /// Driver; people were told of an event, or were not.
    Told {
        /// The entry of `tell`, counted from 0.
        entry: u32,
        /// The record that they were told of.
        about: Seq,
        /// How it ended.
        end: ToldEnd,
    },
    /// Driver; an operator changed inputs, steps not begun or items of the live run.
    RunEdited {
        /// Who.
        actor: String,
        /// Why.
        reason: String,
        /// The digest of the edited text.
        digest: Digest,
        /// The change, as a document of its own that later versions define.
        edit: Value,
    },
    /// Driver; it lets go of a run that is not finished.
    RunStopped {
        /// Why.
        reason: StopReason,
    },
    /// Driver; nothing is left to do. A failed run may be reopened by [`Decision::Retry`], `Skip` or `MarkDone`.
    RunFinished {
        /// How it ended.
        verdict: Verdict,
    },
    /// Driver; something worth keeping that changes nothing, such as checkpoints that had to be rebuilt.
    Note {
        /// What happened.
        text: String,
    },
}

impl RecordBody {
    /// Whether a reader that does not know this kind of record may pass over it: it changes nothing.
    pub fn may_be_skipped(&self) -> bool {
        matches!(self, Self::Note { .. } | Self::Told { .. })
    }

    /// The node that the record is about.
    pub fn node(&self) -> Option<&NodePath> {
        match self {
            Self::NodeOpened { node, .. }
            | Self::LoopExpanded { node, .. }
            | Self::BatchOpened { node, .. }
            | Self::StepStarted { node, .. }
            | Self::AttemptNoted { node, .. }
            | Self::ChangeAccepted { node, .. }
            | Self::AttemptFailed { node, .. }
            | Self::StepFinished { node, .. }
            | Self::StepRehearsed { node, .. }
            | Self::StepInDoubt { node, .. }
            | Self::DoubtResolved { node, .. }
            | Self::GateOpened { node, .. }
            | Self::GateVoted { node, .. }
            | Self::GateDecided { node, .. }
            | Self::RequirementMet { node, .. } => Some(node),
            Self::OperatorDecided { node, .. }
            | Self::GuardTripped { node, .. }
            | Self::RollbackBegan { node, .. } => node.as_ref(),
            Self::RunCreated(_)
            | Self::RunResumed { .. }
            | Self::LockTaken { .. }
            | Self::LockReleased { .. }
            | Self::Told { .. }
            | Self::RunEdited { .. }
            | Self::RunStopped { .. }
            | Self::RunFinished { .. }
            | Self::Note { .. } => None,
        }
    }
}
