//! A person's word: when it is legal, and what follows from it.

use std::sync::Arc;

use super::Refusal;
use crate::ids::{StepId, StepIndex};
use crate::outcome::Outcome;
use crate::record::{Decision, Record, StopReason, Verdict};
use crate::run_state::step_state::{DoneBy, StepState};
use crate::run_state::{Course, Deviation, Phase, RunState};

impl RunState {
    /// The steps that a person has to decide about before the run can go on, in the order of the plan: in doubt although
    /// somebody looked, or failed so that the run may not go on.
    pub fn undecided(&self) -> Vec<StepIndex> {
        let is_in_doubt = |at: &StepIndex| matches!(self.step(*at), StepState::InDoubt { .. });
        let in_doubt = self.sets.asking.iter().copied().filter(is_in_doubt);
        let mut steps: Vec<_> = in_doubt.chain(self.sets.stopping.iter().copied()).collect();
        steps.sort_unstable();
        steps
    }

    /// Whether a person may decide about a step now: `Retry`, `Skip` and `MarkDone` are legal then.
    pub fn may_be_decided(&self, step: &StepId) -> bool {
        self.decidable(step).is_ok()
    }

    pub(super) fn decide(
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
                progress.unstarted = 0;
                progress.started_at = None;
                self.set(at, StepState::Pending);
                self.has_been_decided();
                Ok(())
            }
            Decision::Skip => {
                let at = self.decidable(named(step)?)?;
                self.reopen(at);
                self.deviations.push(deviation("skipped"));
                self.end(record, at, StepState::Skipped { why: format!("{actor}: {reason}") });
                self.has_been_decided();
                Ok(())
            }
            Decision::MarkDone { outputs } => {
                let at = self.decidable(named(step)?)?;
                self.reopen(at);
                self.deviations.push(deviation("marked as done"));
                let evidence = format!("{actor}: {reason}");
                let outcome = Outcome { evidence, outputs: outputs.clone(), warnings: Vec::new() };
                self.end(record, at, StepState::Done { by: DoneBy::Person, outcome });
                self.has_been_decided();
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
            Decision::KeepPinned { edited } => {
                self.not_finished()?;
                self.kept_edits.insert(edited.clone());
                self.deviations
                    .push(deviation("went on with the pinned runbook although its file was edited"));
                Ok(())
            }
        }
    }

    /// A failed run that goes on: what stands in `finally` belongs to the ending and runs again at the next one, also
    /// when this ending was interrupted.
    fn reopen(&mut self, decided: StepIndex) {
        if let Phase::Finished(_) = self.phase {
            self.phase = Phase::Stopped(StopReason::Paused);
        }
        if self.course == Course::Forward && !self.graph.is_finally(decided) && self.finally_began() {
            self.ending_again = true;
        }
    }

    /// A run that waited for a person waits no longer once nothing is left to decide.
    fn has_been_decided(&mut self) {
        let asks =
            |step| matches!(step, &StepState::InDoubt { asked: Some(_), .. } | &StepState::Waiting { .. });
        let waits = self.phase == Phase::Stopped(StopReason::NeedsPerson);
        if waits && !self.plan().indices().any(|at| asks(self.step(at))) {
            self.phase = Phase::Stopped(StopReason::Paused);
        }
    }

    /// Sets an ending back that will come again. An attempt of it that may still be going on comes to its end first.
    pub(super) fn forget_interrupted_ending(&mut self) {
        let open = |at| matches!(self.step(at), StepState::Running { .. } | StepState::InDoubt { .. });
        if !self.ending_again || self.graph.finally().any(open) {
            return;
        }
        self.ending_again = false;
        let graph = Arc::clone(&self.graph);
        for at in graph.finally() {
            let progress = self.progress_mut(at);
            progress.state = StepState::Pending;
            progress.failures = 0;
            progress.unstarted = 0;
            progress.started_at = None;
        }
        self.derive();
    }

    /// A step about which a person may decide: it is in doubt and looking did not tell, its failure stops the run, or it
    /// waits for its next attempt. Of a doubt that nobody has looked into, the attempt may still be going on.
    fn decidable(&self, step: &StepId) -> Result<StepIndex, Refusal> {
        match self.phase {
            Phase::Finished(Verdict::Failed) | Phase::Running | Phase::Stopped(_) => {}
            Phase::Finished(verdict) => return Err(format!("the run is finished: {}", verdict.as_str())),
        }
        let at = self.find(step)?;
        let state = self.step(at);
        if matches!(state, StepState::InDoubt { asked: None, .. }) {
            return Err(format!("step `{step}` is in doubt, and was not looked at yet"));
        }
        let is_open = matches!(state, StepState::InDoubt { .. } | StepState::Retrying { .. });
        if is_open || self.sets.stopping.contains(&at) {
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
