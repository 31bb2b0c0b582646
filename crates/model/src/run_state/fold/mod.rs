//! Folding a record in: the state that follows from each legal record.

mod decision;
mod gate;
mod run;
mod step;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::ids::{NodeIndex, Seq};
use crate::record::{DoubtRule, Record, RecordBody};
use crate::run_state::allows::IllegalRecord;
use crate::run_state::graph::Graph;
use crate::run_state::lanes::Lanes;
use crate::run_state::loops::Counts;
use crate::run_state::node_state::{Applied, NodeState};
use crate::run_state::nodes::Nodes;
use crate::run_state::{Course, Deviation, Left, Phase, RunState};
use crate::undriven::Undriven;

impl RunState {
    /// The state after a run's first record.
    pub fn new(first: &Record) -> Result<Self, IllegalRecord> {
        let mut state = Self::underived(first)?;
        state.derive();
        Ok(state)
    }

    /// The state after a run's first record, of which nothing is worked out yet.
    pub(super) fn underived(first: &Record) -> Result<Self, IllegalRecord> {
        let illegal = |why: &str| IllegalRecord { seq: first.seq, why: why.to_owned() };
        let RecordBody::RunCreated(created) = &first.body else {
            return Err(illegal("the first record must be `run_created`"));
        };
        if first.seq != Seq(1) {
            return Err(illegal("the first record must have number 1"));
        }
        let created = Arc::clone(created);
        let graph = Arc::new(Graph::of(&created.plan));
        Ok(Self {
            created_at: first.at,
            nodes: Nodes::new(Arc::clone(&created), Arc::clone(&graph)),
            graph,
            seq: first.seq,
            epoch: first.epoch,
            now: first.at,
            driver: created.driver.clone(),
            boot: created.driver.boot.as_deref().map(Arc::from),
            phase: Phase::Running,
            course: Course::Forward,
            deviations: Vec::new(),
            kept_edits: BTreeSet::new(),
            ending_again: false,
            undriven: None,
            states: vec![NodeState::default(); created.plan.steps().len()],
            loops: Vec::new(),
            lanes: [Lanes::default(), Lanes::default()],
            counts: Counts::default(),
            left: Left::default(),
            tally: Default::default(),
            in_effect: 0,
            is_folding: false,
            tasks: Vec::new(),
            loop_tasks: BTreeSet::new(),
            touched: BTreeSet::new(),
            loops_taken: 0,
            created,
        })
    }

    /// The state after a run's records, the first of them included.
    pub fn replay(records: &[Record]) -> Result<Self, IllegalRecord> {
        let missing = || IllegalRecord { seq: Seq(1), why: "a run begins with a record".to_owned() };
        let (first, rest) = records.split_first().ok_or_else(missing)?;
        let mut state = Self::new(first)?;
        rest.iter().try_for_each(|record| state.apply(record))?;
        Ok(state)
    }

    /// Folds one record in. A refused record leaves the state as it was.
    pub fn apply(&mut self, record: &Record) -> Result<(), IllegalRecord> {
        self.follows(record)
            .and_then(|()| self.allows(&record.body))
            .map_err(|refused| IllegalRecord { seq: record.seq, why: refused.to_string() })?;
        self.now = record.at;
        self.seq = record.seq;
        self.epoch = record.epoch;
        self.is_folding = true;
        self.fold(record);
        self.is_folding = false;
        self.undriven = self.undriven.or(Undriven::of(&record.body));
        self.forget_interrupted_ending();
        Ok(())
    }

    /// The transition. The record was found legal.
    fn fold(&mut self, record: &Record) {
        match &record.body {
            RecordBody::RunResumed { driver, .. } => self.resume(driver.clone()),
            RecordBody::NodeOpened { node, .. } => self.open_node(node),
            RecordBody::LoopExpanded { node, items } => self.expand(node, items),
            RecordBody::BatchOpened { node, .. } => self.open_next_batch(node),
            RecordBody::StepStarted { node, effort, attempt, .. } => self.start(node, *effort, *attempt),
            RecordBody::AttemptNoted { node, note, .. } => self.remember(node, note),
            RecordBody::ChangeAccepted { node, outcome, until, .. } => self.accept(node, outcome, *until),
            RecordBody::AttemptFailed { node, failure, retry_at, .. } => {
                self.fail_attempt(node, failure, *retry_at);
            }
            RecordBody::StepFinished { node, end, .. } => self.finish_step(node, end),
            RecordBody::StepRehearsed { node, observation, without, .. } => {
                let (observation, without) = (observation.clone(), without.clone());
                let at = self.expect(node);
                self.end(at, Applied::Rehearsed { observation, without });
            }
            RecordBody::StepInDoubt { node, cause, .. } => self.doubt(node, cause),
            RecordBody::DoubtResolved { node, rule, evidence, resolution, retry_at, .. } => {
                let free = *rule == DoubtRule::Recovered && retry_at.is_none();
                self.count_unstarted(node, resolution, free);
                self.resolve(node, evidence, resolution, *retry_at);
            }
            RecordBody::GateOpened { node, gate } => self.open_gate_at(node, gate),
            RecordBody::GateVoted { node, vote } => self.vote(node, vote),
            RecordBody::GateDecided { node, decision, why } => self.decide_gate(node, *decision, why),
            RecordBody::OperatorDecided { node, decision, actor, reason } => {
                self.decide(node.as_ref(), decision, actor, reason);
            }
            RecordBody::RollbackBegan { .. } => self.turn(Course::RollingBack),
            RecordBody::RunStopped { reason } => self.phase = Phase::Stopped(*reason),
            RecordBody::RunFinished { verdict } => self.finish(*verdict),
            RecordBody::RunCreated(_)
            | RecordBody::RequirementMet { .. }
            | RecordBody::GuardTripped { .. }
            | RecordBody::LockTaken { .. }
            | RecordBody::LockReleased { .. }
            | RecordBody::Told { .. }
            | RecordBody::RunEdited { .. }
            | RecordBody::Note { .. } => {}
        }
    }

    /// A node is over, and all that follows from it.
    fn end(&mut self, at: NodeIndex, result: Applied) {
        if let (Applied::Failed { failure }, true) = (&result, self.tolerates_failure(at)) {
            self.deviations.push(Deviation {
                node: Some(self.path(at)),
                what: "failed, and the run went on".to_owned(),
                actor: None,
                reason: failure.to_string(),
                at: self.now,
            });
        }
        let now = self.now;
        self.update(at, |node| {
            node.ended_at = Some(now);
            (node.work, node.gate) = (None, None);
            node.result = Some(Box::new(result));
        });
    }

    /// The boot id of the present driver's machine.
    fn present_boot(&self) -> Option<Arc<str>> {
        self.boot.clone()
    }

    pub(super) fn set_driver(&mut self, driver: crate::record::Driver) {
        self.boot = driver.boot.as_deref().map(Arc::from);
        self.driver = driver;
    }

    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }
}
