//! Folding a record in: every legal transition of a run, in one place.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ids::{Attempt, Seq, StepId, StepIndex};
use crate::outcome::Outcome;
use crate::plan::{OnFailure, PlanStep};
use crate::record::{
    Decision, GateDecision, GuardEffect, Mode, Record, RecordBody, Resolution, StepEnd, StopReason, UndoEnd,
    Verdict,
};
use crate::run_state::graph::Graph;
use crate::run_state::step_state::{DoneBy, StepState};
use crate::run_state::{Course, Deviation, Phase, RunState, Sets, StepProgress};

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
            steps: vec![pending; created.plan.steps().len()],
            sets: Sets::default(),
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
                let at = self.running(step, *attempt)?;
                self.progress_mut(at).failures += 1;
                let (attempt, failure, due) = (*attempt, failure.clone(), *retry_at);
                self.set(at, StepState::Retrying { attempt, failure, at: due });
                Ok(())
            }
            RecordBody::StepFinished { step, attempt, end } => self.finish_step(record, step, *attempt, end),
            RecordBody::StepRehearsed { step, observation, .. } => {
                if self.mode() != Mode::DryRun {
                    return Err("only a dry run rehearses".to_owned());
                }
                let at = self.pending(step)?;
                self.end(record, at, StepState::Rehearsed { observation: observation.clone() });
                Ok(())
            }
            RecordBody::StepInDoubt { step, attempt, cause } => {
                let at = match self.find(step)? {
                    at if self.is_in_doubt(at, *attempt) => at,
                    _ => self.running(step, *attempt)?,
                };
                self.set(at, StepState::InDoubt { attempt: *attempt, cause: cause.clone(), asked: None });
                Ok(())
            }
            RecordBody::DoubtResolved { step, attempt, evidence, resolution, .. } => {
                self.resolve(record, step, *attempt, evidence, resolution)
            }
            RecordBody::GateOpened { step, question, expires } => {
                let at = self.pending(step)?;
                self.progress_mut(at).started_at = Some(record.at);
                self.set(at, StepState::Waiting { question: question.clone(), expires: *expires });
                Ok(())
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

    fn resume(&mut self, driver: crate::record::Driver) -> Result<(), Refusal> {
        match self.phase {
            Phase::Finished(verdict) => Err(format!("the run is finished: {}", verdict.as_str())),
            Phase::Running | Phase::Stopped(_) => {
                let left_open: Vec<_> = self.sets.running.iter().copied().collect();
                for at in left_open {
                    if let StepState::Running { attempt } = *self.step(at) {
                        let cause = "its driver ended".to_owned();
                        self.set(at, StepState::InDoubt { attempt, cause, asked: None });
                    }
                }
                self.driver = driver;
                self.phase = Phase::Running;
                Ok(())
            }
        }
    }

    fn start(&mut self, record: &Record, step: &StepId, attempt: Attempt) -> Result<(), Refusal> {
        self.is_running()?;
        let at = self.find(step)?;
        let due = matches!(self.step(at), StepState::Retrying { .. });
        if !due && !self.sets.ready.contains(&at) {
            return Err(format!("step `{step}` may not start: it is {}", self.step(at).status().as_str()));
        }
        if attempt.0 != self.attempts(at) + 1 {
            return Err(format!("attempt {attempt} of step `{step}` follows attempt {}", self.attempts(at)));
        }
        let boot = self.driver.boot.clone();
        let progress = self.progress_mut(at);
        progress.attempts = attempt.0;
        progress.boot = boot;
        // An attempt that goes on where one in doubt broke off began when that one did.
        if due || progress.started_at.is_none() {
            progress.started_at = Some(record.at);
        }
        progress.ended_at = None;
        self.set(at, StepState::Running { attempt });
        Ok(())
    }

    fn finish_step(
        &mut self,
        record: &Record,
        step: &StepId,
        attempt: Option<Attempt>,
        end: &StepEnd,
    ) -> Result<(), Refusal> {
        let at = match attempt {
            Some(attempt) => self.running(step, attempt)?,
            None if matches!(end, StepEnd::Succeeded(_) | StepEnd::InPlace { .. }) => {
                return Err(format!("step `{step}` was never tried"));
            }
            None => self.idle(step)?,
        };
        let state = match end {
            StepEnd::Succeeded(outcome) => StepState::Done { by: DoneBy::Action, outcome: outcome.clone() },
            StepEnd::InPlace { evidence, outputs } => StepState::Done {
                by: DoneBy::InPlace,
                outcome: Outcome {
                    evidence: evidence.clone(),
                    outputs: outputs.clone(),
                    warnings: Vec::new(),
                },
            },
            StepEnd::Skipped { why } => StepState::Skipped { why: why.clone() },
            StepEnd::Failed(failure) => StepState::Failed { failure: failure.clone() },
            StepEnd::Cancelled { why } => StepState::Cancelled { why: why.clone() },
        };
        self.end(record, at, state);
        Ok(())
    }

    fn resolve(
        &mut self,
        record: &Record,
        step: &StepId,
        attempt: Attempt,
        evidence: &str,
        resolution: &Resolution,
    ) -> Result<(), Refusal> {
        let at = self.find(step)?;
        let cause = match self.step(at) {
            StepState::InDoubt { attempt: doubted, cause, .. } if *doubted == attempt => cause.clone(),
            other => return Err(format!("step `{step}` is {}, not in doubt", other.status().as_str())),
        };
        match resolution {
            Resolution::Done(outcome) => {
                self.end(record, at, StepState::Done { by: DoneBy::Doubt, outcome: outcome.clone() });
            }
            Resolution::Rerun => self.set(at, StepState::Pending),
            Resolution::Failed(failure) => {
                self.end(record, at, StepState::Failed { failure: failure.clone() });
            }
            Resolution::Ask => {
                self.set(at, StepState::InDoubt { attempt, cause, asked: Some(evidence.to_owned()) });
            }
        }
        Ok(())
    }

    fn decide_gate(
        &mut self,
        record: &Record,
        step: &StepId,
        decision: GateDecision,
        why: &str,
    ) -> Result<(), Refusal> {
        let at = self.find(step)?;
        if !matches!(self.step(at), StepState::Waiting { .. }) {
            return Err(format!("no gate is open at step `{step}`"));
        }
        let state = match decision {
            GateDecision::Approved => StepState::Done {
                by: DoneBy::Gate,
                outcome: Outcome { evidence: why.to_owned(), ..Outcome::default() },
            },
            GateDecision::Rejected | GateDecision::Expired => {
                StepState::Failed { failure: crate::Failure::permanent(why) }
            }
        };
        self.end(record, at, state);
        Ok(())
    }

    fn decide(
        &mut self,
        record: &Record,
        step: Option<&StepId>,
        decision: &Decision,
        actor: &str,
        reason: &str,
    ) -> Result<(), Refusal> {
        let deviation = |what: &str| Deviation {
            step: step.cloned(),
            what: what.to_owned(),
            actor: Some(actor.to_owned()),
            reason: reason.to_owned(),
            at: record.at,
        };
        match decision {
            Decision::Approve | Decision::Reject => {
                let at = self.find(named(step)?)?;
                match self.step(at) {
                    StepState::Waiting { .. } => Ok(()),
                    _ => Err("no gate is open there".to_owned()),
                }
            }
            Decision::Retry => {
                let at = self.decidable(named(step)?)?;
                self.reopen(at);
                let progress = self.progress_mut(at);
                progress.failures = 0;
                progress.started_at = None;
                self.set(at, StepState::Pending);
                Ok(())
            }
            Decision::Skip => {
                let at = self.decidable(named(step)?)?;
                self.reopen(at);
                self.deviations.push(deviation("skipped"));
                self.end(record, at, StepState::Skipped { why: format!("{actor}: {reason}") });
                Ok(())
            }
            Decision::MarkDone { outputs } => {
                let at = self.decidable(named(step)?)?;
                self.reopen(at);
                self.deviations.push(deviation("marked as done"));
                let evidence = format!("{actor}: {reason}");
                let outcome = Outcome { evidence, outputs: outputs.clone(), warnings: Vec::new() };
                self.end(record, at, StepState::Done { by: DoneBy::Person, outcome });
                Ok(())
            }
            Decision::Pause => self.not_finished(),
            Decision::Cancel => {
                self.not_finished()?;
                self.course = Course::Cancelled;
                Ok(())
            }
            Decision::Rollback => {
                self.not_finished()?;
                self.course = Course::RollingBack;
                Ok(())
            }
            Decision::KeepPinned { .. } => {
                self.not_finished()?;
                self.deviations
                    .push(deviation("went on with the pinned runbook although its file was edited"));
                Ok(())
            }
        }
    }

    fn trip(&mut self, then: GuardEffect) -> Result<(), Refusal> {
        self.is_running()?;
        if then == GuardEffect::Rollback {
            self.course = Course::RollingBack;
        }
        Ok(())
    }

    fn start_undo(&mut self, step: &StepId, attempt: Attempt) -> Result<(), Refusal> {
        let at = self.find(step)?;
        match (self.course, self.step(at)) {
            (Course::RollingBack, StepState::Done { .. } | StepState::UndoFailed { .. }) => {
                self.set(at, StepState::Undoing { attempt });
                Ok(())
            }
            (_, state) => Err(format!("step `{step}` is {} and may not be undone", state.status().as_str())),
        }
    }

    fn finish_undo(
        &mut self,
        record: &Record,
        step: &StepId,
        attempt: Attempt,
        end: &UndoEnd,
    ) -> Result<(), Refusal> {
        let at = self.find(step)?;
        if *self.step(at) != (StepState::Undoing { attempt }) {
            return Err(format!("no undo of step `{step}` is going on"));
        }
        let state = match end {
            UndoEnd::Undone { evidence } => StepState::Undone { evidence: evidence.clone() },
            UndoEnd::Failed(failure) => StepState::UndoFailed { failure: failure.clone() },
        };
        self.progress_mut(at).ended_at = Some(record.at);
        self.set(at, state);
        Ok(())
    }

    fn finish(&mut self, record: &Record, verdict: Verdict) -> Result<(), Refusal> {
        self.is_running()?;
        if !self.sets.running.is_empty() {
            return Err("steps are still running".to_owned());
        }
        if verdict == Verdict::Cancelled {
            let unfinished = |sets: &Sets| {
                let retrying = || sets.retrying.first().map(|(_, at)| *at);
                sets.ready.first().copied().or_else(retrying)
            };
            while let Some(at) = unfinished(&self.sets) {
                self.end(record, at, StepState::Cancelled { why: "the run was cancelled".to_owned() });
            }
        }
        self.phase = Phase::Finished(verdict);
        Ok(())
    }

    /// A failed run that goes on: what stands in `finally` belongs to the ending and runs again at the next one, also
    /// when this ending was interrupted.
    fn reopen(&mut self, decided: StepIndex) {
        if let Phase::Finished(_) = self.phase {
            self.phase = Phase::Stopped(StopReason::Paused);
        }
        if self.course != Course::Forward || self.graph.is_finally(decided) || !self.finally_began() {
            return;
        }
        let graph = Arc::clone(&self.graph);
        // An attempt that may still be going on is not forgotten: then the ending goes on where it is.
        let open = |at| matches!(self.step(at), StepState::Running { .. } | StepState::InDoubt { .. });
        if graph.finally().any(open) {
            return;
        }
        for at in graph.finally() {
            let progress = self.progress_mut(at);
            progress.state = StepState::Pending;
            progress.failures = 0;
            progress.started_at = None;
        }
        self.derive();
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

    fn pending(&self, step: &StepId) -> Result<StepIndex, Refusal> {
        self.is_running()?;
        let at = self.find(step)?;
        if self.sets.ready.contains(&at) {
            Ok(at)
        } else {
            Err(format!("step `{step}` may not start: it is {}", self.step(at).status().as_str()))
        }
    }

    /// A step that is about to start, for the first time or again.
    fn idle(&self, step: &StepId) -> Result<StepIndex, Refusal> {
        let at = self.find(step)?;
        if matches!(self.step(at), StepState::Retrying { .. }) { Ok(at) } else { self.pending(step) }
    }

    fn running(&self, step: &StepId, attempt: Attempt) -> Result<StepIndex, Refusal> {
        let at = self.find(step)?;
        if *self.step(at) == (StepState::Running { attempt }) {
            Ok(at)
        } else {
            Err(format!("attempt {attempt} of step `{step}` is not running"))
        }
    }

    fn is_in_doubt(&self, at: StepIndex, attempt: Attempt) -> bool {
        matches!(self.step(at), StepState::InDoubt { attempt: doubted, .. } if *doubted == attempt)
    }

    /// A step about which a person may decide: it is in doubt, or its failure stops the run.
    fn decidable(&self, step: &StepId) -> Result<StepIndex, Refusal> {
        match self.phase {
            Phase::Finished(Verdict::Failed) | Phase::Running | Phase::Stopped(_) => {}
            Phase::Finished(verdict) => return Err(format!("the run is finished: {}", verdict.as_str())),
        }
        let at = self.find(step)?;
        let in_doubt = matches!(self.step(at), StepState::InDoubt { .. });
        if in_doubt || self.sets.stopping.contains(&at) {
            Ok(at)
        } else {
            Err(format!(
                "step `{step}` is {}: it is neither in doubt nor stops the run",
                self.status(at).as_str()
            ))
        }
    }
}

fn named(step: Option<&StepId>) -> Result<&StepId, Refusal> {
    step.ok_or_else(|| "it must name a step".to_owned())
}
