//! Folding a record in: every legal transition of a run, in one place.

mod decision;
mod gate;
mod run;
mod step;
mod undo;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ids::{Seq, StepId, StepIndex};
use crate::plan::{OnFailure, PlanStep};
use crate::record::{DoubtRule, Mode, Record, RecordBody};
use crate::run_state::graph::Graph;
use crate::run_state::step_state::StepState;
use crate::run_state::{Course, Deviation, Offers, Phase, RunState, Sets, StepProgress};
use crate::undriven::Undriven;

/// A record that is not legal in the state it meets: the journal is damaged, or its writer has a bug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {seq} is not legal here: {why}")]
pub struct IllegalRecord {
    /// The record.
    pub seq: Seq,
    /// Why not.
    pub why: String,
}

/// What is wrong with a record, before its number is added.
type Refusal = String;

impl RunState {
    /// The state after a run's first record.
    pub fn new(first: &Record) -> Result<Self, IllegalRecord> {
        let illegal = |why: &str| IllegalRecord { seq: first.seq, why: why.to_owned() };
        let RecordBody::RunCreated(created) = &first.body else {
            return Err(illegal("the first record must be `run_created`"));
        };
        if first.seq != Seq(1) {
            return Err(illegal("the first record must have number 1"));
        }
        let created = Arc::clone(created);
        let graph = Arc::new(Graph::of(&created.plan));
        let pending = StepProgress {
            state: StepState::Pending,
            attempts: 0,
            failures: 0,
            unstarted: 0,
            started_at: None,
            ended_at: None,
            boot: None,
            waits_for: 0,
        };
        let mut state = Self {
            created_at: first.at,
            graph,
            seq: first.seq,
            epoch: first.epoch,
            updated_at: first.at,
            driver: created.driver.clone(),
            phase: Phase::Running,
            course: Course::Forward,
            deviations: Vec::new(),
            kept_edits: BTreeSet::new(),
            ending_again: false,
            undriven: None,
            steps: vec![pending; created.plan.steps().len()],
            sets: Sets::default(),
            offers: Offers::default(),
            touched: BTreeSet::new(),
            created,
        };
        state.derive();
        Ok(state)
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
            .and_then(|()| self.fold(record))
            .map_err(|why| IllegalRecord { seq: record.seq, why })?;
        self.undriven = self.undriven.or(Undriven::of(&record.body));
        self.forget_interrupted_ending();
        self.seq = record.seq;
        self.epoch = record.epoch;
        self.updated_at = record.at;
        Ok(())
    }

    fn follows(&self, record: &Record) -> Result<(), Refusal> {
        if record.seq != self.seq.next() {
            return Err(format!("it follows record {}", self.seq));
        }
        let takes_over = matches!(
            record.body,
            RecordBody::RunResumed { .. } | RecordBody::OperatorDecided { .. } | RecordBody::Note { .. }
        );
        if record.epoch < self.epoch || (record.epoch > self.epoch && !takes_over) {
            return Err(format!("its epoch is {}, the run's is {}", record.epoch, self.epoch));
        }
        Ok(())
    }

    /// The transition. Each arm checks first and changes afterwards.
    fn fold(&mut self, record: &Record) -> Result<(), Refusal> {
        match &record.body {
            RecordBody::RunCreated(_) => Err("the run exists already".to_owned()),
            RecordBody::RunResumed { driver, .. } => self.resume(driver.clone()),
            RecordBody::StepStarted { step, attempt, .. } => self.start(record, step, *attempt),
            RecordBody::AttemptFailed { step, attempt, failure, retry_at } => {
                self.fail_attempt(step, *attempt, failure, *retry_at)
            }
            RecordBody::StepFinished { step, attempt, end } => self.finish_step(record, step, *attempt, end),
            RecordBody::StepRehearsed { step, observation, without, .. } => {
                self.rehearse(record, step, observation, without)
            }
            RecordBody::StepInDoubt { step, attempt, cause } => self.doubt(step, *attempt, cause),
            RecordBody::DoubtResolved { step, attempt, rule, evidence, resolution, retry_at } => {
                self.resolve(record, step, *attempt, evidence, resolution, *retry_at)?;
                let free = *rule == DoubtRule::Recovered && retry_at.is_none();
                self.count_unstarted(step, resolution, free)
            }
            RecordBody::GateOpened { step, question, expires } => {
                self.open_gate(record, step, question, *expires)
            }
            RecordBody::GateDecided { step, decision, why } => self.decide_gate(record, step, *decision, why),
            RecordBody::OperatorDecided { step, decision, actor, reason } => {
                self.decide(record, step.as_ref(), decision, actor, reason)
            }
            RecordBody::GuardTripped { then, .. } => self.trip(*then),
            RecordBody::UndoStarted { step, attempt } => self.start_undo(step, *attempt),
            RecordBody::UndoFinished { step, attempt, end } => self.finish_undo(record, step, *attempt, end),
            RecordBody::RunStopped { reason } => {
                self.is_running()?;
                self.phase = Phase::Stopped(*reason);
                Ok(())
            }
            RecordBody::RunFinished { verdict } => self.finish(record, *verdict),
            RecordBody::Note { .. } => Ok(()),
        }
    }

    /// Records that a step is over, and whatever follows from it.
    fn end(&mut self, record: &Record, at: StepIndex, state: StepState) {
        self.progress_mut(at).ended_at = Some(record.at);
        if let (StepState::Failed { failure }, true) = (&state, self.tolerates_failure(at)) {
            self.deviations.push(Deviation {
                step: Some(self.plan().step(at).id.clone()),
                what: "failed, and the run went on".to_owned(),
                actor: None,
                reason: failure.to_string(),
                at: record.at,
            });
        }
        self.set(at, state);
    }

    /// Whether the run goes on when this step fails.
    pub(super) fn tolerates_failure(&self, at: StepIndex) -> bool {
        let step: &PlanStep = self.plan().step(at);
        self.mode() == Mode::DryRun
            || self.graph.is_finally(at)
            || step.action().is_some_and(|action| action.on_failure == OnFailure::Continue)
    }

    fn is_running(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Running => Ok(()),
            Phase::Stopped(_) => Err("nobody drives the run".to_owned()),
            Phase::Finished(verdict) => Err(format!("the run is finished: {}", verdict.as_str())),
        }
    }

    fn not_finished(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Running | Phase::Stopped(_) => Ok(()),
            Phase::Finished(verdict) => Err(format!("the run is finished: {}", verdict.as_str())),
        }
    }

    fn find(&self, step: &StepId) -> Result<StepIndex, Refusal> {
        self.plan().find(step).ok_or_else(|| format!("the plan has no step `{step}`"))
    }
}
