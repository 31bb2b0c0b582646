//! The records: durable facts about a run, in the order in which they were decided. They are the only truth about it.
//!
//! A record is written before the thing it decides is done. Each variant says who writes it and in which state it is
//! legal; the state that follows is in [`crate::RunState::apply`]. The shapes of the whole design are here, also those
//! whose drivers come later (gates, guards, undo), so that the format is settled.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{Attempt, AttemptKey, Epoch, RunId, Seq, StepId};
use crate::outcome::{Failure, Observation, Outcome, Outputs, Without};
use crate::plan::Plan;

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

/// How a run treats the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// For real.
    Live,
    /// For real, on drill targets.
    Drill,
    /// Every action observes; nothing is applied.
    DryRun,
}

impl Mode {
    /// The word used in runbooks and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Drill => "drill",
            Self::DryRun => "dry_run",
        }
    }
}

/// A process that drives a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// The boot id of that host: a later driver that finds another one knows that the machine was restarted, or that
    /// the run was moved. None where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// The version of lifeboat.
    pub version: String,
}

/// The first record of every run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunCreated {
    /// The run.
    pub run: RunId,
    /// How it treats the world.
    pub mode: Mode,
    /// The plan, whole.
    pub plan: Plan,
    /// The inputs, bound and typed.
    pub inputs: Map<String, Value>,
    /// Who started it.
    pub actor: String,
    /// The process that drives it first.
    pub driver: Driver,
    /// The folder in which it was started, where relative paths in its steps begin. None where its name is no text, and
    /// in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The versions of the plug-ins that offer the plan's actions.
    pub plugins: BTreeMap<String, String>,
}

impl PartialEq for RunCreated {
    fn eq(&self, other: &Self) -> bool {
        self.run == other.run && self.mode == other.mode && self.plan.source() == other.plan.source()
    }
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
    /// Driver; before an action is called. The step was pending, or its retry was due.
    StepStarted {
        /// The step.
        step: StepId,
        /// The try.
        attempt: Attempt,
        /// The idempotency key handed to the action.
        key: AttemptKey,
        /// The parameters with templates filled in and secrets masked.
        with: Value,
    },
    /// Driver; a running attempt failed transiently and another follows.
    AttemptFailed {
        /// The step.
        step: StepId,
        /// The try that failed.
        attempt: Attempt,
        /// How.
        failure: Failure,
        /// When the next try is due.
        retry_at: Timestamp,
    },
    /// Driver; a step came to its end: from running, or from pending when it is skipped or cannot even start.
    StepFinished {
        /// The step.
        step: StepId,
        /// The try that ended it; none when it was never tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<Attempt>,
        /// How it ended.
        end: StepEnd,
    },
    /// Driver, dry run only; a pending step was observed instead of being run.
    StepRehearsed {
        /// The step.
        step: StepId,
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
        /// The step.
        step: StepId,
        /// The try.
        attempt: Attempt,
        /// Why it is in doubt.
        cause: String,
    },
    /// Driver; the rule that settled a doubt, and what it was settled by.
    DoubtResolved {
        /// The step.
        step: StepId,
        /// The try.
        attempt: Attempt,
        /// The rule.
        rule: DoubtRule,
        /// What was seen, in words.
        evidence: String,
        /// What follows.
        resolution: Resolution,
        /// When it runs again, if the try uses up one of the attempts of `retry`, as it does when it failed or did not
        /// know what it did. A try whose driver ended is nobody's fault, and runs again at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// Driver; a gate that was pending waits for people.
    GateOpened {
        /// The step.
        step: StepId,
        /// What people are asked.
        question: String,
        /// When it expires.
        expires: Option<Timestamp>,
    },
    /// Driver; an open gate has its answer.
    GateDecided {
        /// The step.
        step: StepId,
        /// The answer.
        decision: GateDecision,
        /// Why, in words: who said what, or that it expired.
        why: String,
    },
    /// Driver or an operator's command; a person's word. Legal as [`Decision`] says.
    OperatorDecided {
        /// The step it is about; none for the whole run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// The word.
        decision: Decision,
        /// Who.
        actor: String,
        /// Why.
        reason: String,
    },
    /// Driver; a guard tripped while the run was going on.
    GuardTripped {
        /// The guard's id.
        guard: StepId,
        /// What it saw.
        evidence: String,
        /// What follows.
        then: GuardEffect,
    },
    /// Driver; before an undo is called. The step is done and the run is rolling back.
    UndoStarted {
        /// The step.
        step: StepId,
        /// The try.
        attempt: Attempt,
    },
    /// Driver; an undo came to its end.
    UndoFinished {
        /// The step.
        step: StepId,
        /// The try.
        attempt: Attempt,
        /// How it ended.
        end: UndoEnd,
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

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepEnd {
    /// The action did it.
    Succeeded(Outcome),
    /// It was in place already: nothing was applied.
    InPlace {
        /// What showed it.
        evidence: String,
        /// What observing yielded.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Outputs,
        /// What should be read of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// A condition was false.
    Skipped {
        /// Which.
        why: String,
    },
    /// It failed for good.
    Failed(Failure),
    /// It was stopped before it changed anything.
    Cancelled {
        /// By whom or what.
        why: String,
    },
}

/// The rule by which a doubt was settled (section 6 of the design).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtRule {
    /// The attempt's own result was found, or it was found running and waited for.
    Recovered,
    /// The action only looks: it may be repeated.
    ReadOnly,
    /// Observing told.
    Observed,
    /// Observing did not tell, and the step says what then (`on_unknown`).
    OnUnknown,
}

/// What follows from a doubt that was looked into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The step is done.
    Done(Outcome),
    /// It runs again, as the next attempt with the same key.
    Rerun,
    /// It counts as failed.
    Failed(Failure),
    /// A person has to decide.
    Ask,
}

/// The answer at a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateDecision {
    /// Go on.
    Approved,
    /// Do not.
    Rejected,
    /// Nobody answered in time: as rejected.
    Expired,
}

/// A person's word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// One vote for an open gate.
    Approve,
    /// One vote against an open gate.
    Reject,
    /// Run a failed step, or one in doubt, again.
    Retry,
    /// Leave out a step that failed or is in doubt (a deviation).
    Skip,
    /// Count a step that failed or is in doubt as done (a deviation).
    MarkDone {
        /// Outputs the person supplies for later steps.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Outputs,
    },
    /// Start nothing new (whole run).
    Pause,
    /// End the run; its `finally` steps still run (whole run).
    Cancel,
    /// Undo what ran, back to the last point of no return (whole run).
    Rollback,
    /// Go on although the runbook's file was edited since (whole run; a deviation).
    KeepPinned {
        /// The digest of the edited file.
        edited: String,
    },
}

/// What a guard does to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardEffect {
    /// The run fails.
    Stop,
    /// The run stops and can be resumed.
    Pause,
    /// The run is rolled back.
    Rollback,
}

/// How an undo ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoEnd {
    /// The effect is taken back.
    Undone {
        /// What shows it.
        evidence: String,
    },
    /// It is not.
    Failed(Failure),
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
        }
    }
}

impl Decision {
    /// The word used on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::MarkDone { .. } => "mark-done",
            Self::Pause => "pause",
            Self::Cancel => "cancel",
            Self::Rollback => "rollback",
            Self::KeepPinned { .. } => "keep-pinned",
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
