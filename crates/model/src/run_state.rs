//! The state of a run: what follows from its records.
//!
//! [`RunState::apply`] folds one record in, and refuses it when it is not legal in the present state; [`RunState::next`]
//! says what may happen now. A driver, a resume and a reader all go through the same `apply`.
//!
//! The work per record does not grow with the plan: each step counts what it still waits for, and the steps that may
//! start are kept in a set. Nor does the work per question of a driver: a step it took is not offered again until its
//! state changes.

mod apply;
mod checkpoint;
mod graph;
mod next;
mod sets;
mod step_state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use apply::IllegalRecord;
pub use checkpoint::{RunCheckpoint, StepCheckpoint};
pub use next::{Next, Outlook};
pub use step_state::{DoneBy, Status, StepState};

use self::graph::Graph;
use crate::ids::{Digest, Epoch, RunId, Seq, StepId, StepIndex};
use crate::outcome::Outputs;
use crate::plan::Plan;
use crate::record::{Driver, Mode, RunCreated, StopReason, Verdict};
use crate::undriven::Undriven;

/// What is known about a run after some of its records.
#[derive(Debug, Clone)]
pub struct RunState {
    created: Arc<RunCreated>,
    created_at: Timestamp,
    graph: Arc<Graph>,
    seq: Seq,
    epoch: Epoch,
    updated_at: Timestamp,
    driver: Driver,
    phase: Phase,
    course: Course,
    deviations: Vec<Deviation>,
    /// The digests of edited runbooks in spite of which a person went on with the pinned one.
    kept_edits: BTreeSet<String>,
    /// The run was reopened while it was ending: `finally` is set back, as soon as no attempt of it is open.
    ending_again: bool,
    undriven: Option<Undriven>,
    steps: Vec<StepProgress>,
    sets: Sets,
    offers: Offers,
    /// Steps whose state changed since a checkpoint asked.
    touched: BTreeSet<StepIndex>,
}

/// The steps by what may happen to them next. All of it follows from the steps' states.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sets {
    /// Needs are met, not started.
    ready: BTreeSet<StepIndex>,
    /// An attempt or an undo is going on.
    running: BTreeSet<StepIndex>,
    /// A retry is due at that time.
    retrying: BTreeSet<(Timestamp, StepIndex)>,
    /// In doubt, not looked at yet.
    doubts: BTreeSet<StepIndex>,
    /// In doubt, or a gate: a person has to decide.
    asking: BTreeSet<StepIndex>,
    /// Failed, and the run may not go on.
    stopping: BTreeSet<StepIndex>,
    /// How many steps outside `finally` are not over.
    left: u32,
    /// How many steps of `finally` are not over.
    left_finally: u32,
}

/// The steps that a driver has something to do about and did not take yet: a part of the sets of their kind.
#[derive(Debug, Clone, Default, PartialEq)]
struct Offers {
    start: BTreeSet<StepIndex>,
    resolve: BTreeSet<StepIndex>,
    ask: BTreeSet<StepIndex>,
}

/// Where a run is heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// To the end of its steps.
    Forward,
    /// A person said that it ends here.
    Cancelled,
    /// A person or a guard said that it is undone.
    RollingBack,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A driver is, or was, at work.
    Running,
    /// Its driver let go of it.
    Stopped(StopReason),
    /// It ended.
    Finished(Verdict),
}

/// Something a person overrode, or a failure that the runbook tolerates.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deviation {
    /// The step; none for the whole run.
    pub step: Option<StepId>,
    /// What was done instead, in words.
    pub what: String,
    /// Who; none when it was the runbook's own rule.
    pub actor: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A step's place in the run.
#[derive(Debug, Clone, PartialEq)]
struct StepProgress {
    state: StepState,
    /// How many attempts were started.
    attempts: u32,
    /// How many of them count against the step's `retry` since a person last said "retry".
    failures: u32,
    /// How many attempts in a row never began, up to the newest.
    unstarted: u32,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    /// The boot id of the machine on which the newest attempt began, where it is known.
    boot: Option<String>,
    /// Needs that are not met yet, the opening of the block around it included. For an open block: children that
    /// are not over.
    waits_for: u32,
}

impl RunState {
    /// The run.
    pub fn run(&self) -> &RunId {
        &self.created.run
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.created.plan
    }

    /// How the run treats the world.
    pub fn mode(&self) -> Mode {
        self.created.mode
    }

    /// The inputs, bound and typed.
    pub fn inputs(&self) -> &Map<String, Value> {
        &self.created.inputs
    }

    /// The run's first record.
    pub fn created(&self) -> &RunCreated {
        &self.created
    }

    /// When the run was created.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When the newest record was decided.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The number of the newest record.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The epoch of the newest driver.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The newest driver.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// How far the run is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What was overridden or tolerated so far.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    /// Whether a person has said that the run goes on as it was pinned although its runbook has this digest now.
    pub fn keeps_pinned(&self, edited: &Digest) -> bool {
        self.kept_edits.contains(edited.as_str())
    }

    /// The first thing in the run, if any, that this version of lifeboat cannot drive: it can be read and nothing more.
    pub fn undriven(&self) -> Option<Undriven> {
        self.undriven
    }

    /// The state of a step. A block's follows from its children.
    pub fn step(&self, step: StepIndex) -> &StepState {
        &self.progress(step).state
    }

    /// How many attempts of a step count against its `retry` since it was last begun afresh.
    pub fn failures(&self, step: StepIndex) -> u32 {
        self.progress(step).failures
    }

    /// How many attempts of a step in a row, up to the newest, were proven never to have begun.
    pub fn unstarted(&self, step: StepIndex) -> u32 {
        self.progress(step).unstarted
    }

    /// How many attempts of a step were started.
    pub fn attempts(&self, step: StepIndex) -> u32 {
        self.progress(step).attempts
    }

    /// The boot id of the machine on which a step's newest attempt began, where it is known.
    pub fn attempt_boot(&self, step: StepIndex) -> Option<&str> {
        self.progress(step).boot.as_deref()
    }

    /// When the newest attempt of a step was started; one that goes on where an attempt in doubt broke off, when that
    /// one was.
    pub fn started_at(&self, step: StepIndex) -> Option<Timestamp> {
        self.progress(step).started_at
    }

    /// When a step ended.
    pub fn ended_at(&self, step: StepIndex) -> Option<Timestamp> {
        self.progress(step).ended_at
    }

    /// The outputs of a step that is done.
    pub fn outputs(&self, step: StepIndex) -> Option<&Outputs> {
        self.step(step).outputs()
    }

    /// Where the run is heading.
    pub fn course(&self) -> Course {
        self.course
    }

    /// The word for a step's state; for a block that is over, that of its worst child.
    pub fn status(&self, step: StepIndex) -> Status {
        let worst = |status: &Status| match status {
            Status::Failed => 3,
            Status::InDoubt => 2,
            Status::NotRehearsed => 1,
            _ => 0,
        };
        match self.step(step) {
            StepState::Over => graph::children(self.plan(), step)
                .iter()
                .map(|child| self.status(*child))
                .max_by_key(worst)
                .unwrap_or(Status::Succeeded),
            StepState::Pending if self.phase == Phase::Finished(Verdict::Cancelled) => Status::Cancelled,
            state => state.status(),
        }
    }

    fn progress(&self, step: StepIndex) -> &StepProgress {
        self.steps.get(step.get()).expect("bug: the step index is of another plan")
    }

    fn progress_mut(&mut self, step: StepIndex) -> &mut StepProgress {
        self.touched.insert(step);
        self.steps.get_mut(step.get()).expect("bug: the step index is of another plan")
    }
}
