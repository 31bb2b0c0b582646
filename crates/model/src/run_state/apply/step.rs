//! A step begins, ends, and is in doubt.

use jiff::Timestamp;

use super::Refusal;
use crate::ids::{Attempt, StepId, StepIndex};
use crate::outcome::{Failure, Observation, Outcome, Without};
use crate::record::{Mode, Record, Resolution, StepEnd};
use crate::run_state::RunState;
use crate::run_state::step_state::{DoneBy, StepState};

impl RunState {
    pub(super) fn start(&mut self, record: &Record, step: &StepId, attempt: Attempt) -> Result<(), Refusal> {
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

    pub(super) fn fail_attempt(
        &mut self,
        step: &StepId,
        attempt: Attempt,
        failure: &Failure,
        retry_at: Timestamp,
    ) -> Result<(), Refusal> {
        let at = self.running(step, attempt)?;
        let progress = self.progress_mut(at);
        progress.failures += 1;
        progress.unstarted = 0;
        self.set(at, StepState::Retrying { attempt, failure: failure.clone(), at: retry_at });
        Ok(())
    }

    pub(super) fn finish_step(
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
            StepEnd::InPlace { evidence, outputs, warnings } => StepState::Done {
                by: DoneBy::InPlace,
                outcome: Outcome {
                    evidence: evidence.clone(),
                    outputs: outputs.clone(),
                    warnings: warnings.clone(),
                },
            },
            StepEnd::Skipped { why } => StepState::Skipped { why: why.clone() },
            StepEnd::Failed(failure) => StepState::Failed { failure: failure.clone() },
            StepEnd::Cancelled { why } => StepState::Cancelled { why: why.clone() },
        };
        self.end(record, at, state);
        Ok(())
    }

    pub(super) fn rehearse(
        &mut self,
        record: &Record,
        step: &StepId,
        observation: &Observation,
        without: &Without,
    ) -> Result<(), Refusal> {
        if self.mode() != Mode::DryRun {
            return Err("only a dry run rehearses".to_owned());
        }
        let at = self.pending(step)?;
        let (observation, without) = (observation.clone(), without.clone());
        self.end(record, at, StepState::Rehearsed { observation, without });
        Ok(())
    }

    pub(super) fn doubt(&mut self, step: &StepId, attempt: Attempt, cause: &str) -> Result<(), Refusal> {
        let at = match self.find(step)? {
            at if self.is_in_doubt(at, attempt) => at,
            _ => self.running(step, attempt)?,
        };
        self.set(at, StepState::InDoubt { attempt, cause: cause.to_owned(), asked: None });
        Ok(())
    }

    pub(super) fn resolve(
        &mut self,
        record: &Record,
        step: &StepId,
        attempt: Attempt,
        evidence: &str,
        resolution: &Resolution,
        retry_at: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        let at = self.find(step)?;
        let cause = match self.step(at) {
            StepState::InDoubt { attempt: doubted, cause, .. } if *doubted == attempt => cause.clone(),
            other => return Err(format!("step `{step}` is {}, not in doubt", other.status().as_str())),
        };
        self.progress_mut(at).failures += u32::from(retry_at.is_some());
        match resolution {
            Resolution::Done(outcome) => {
                self.end(record, at, StepState::Done { by: DoneBy::Doubt, outcome: outcome.clone() });
            }
            Resolution::Rerun => match retry_at {
                Some(due) => {
                    let failure = Failure::transient(format!("{cause}; {evidence}"));
                    self.set(at, StepState::Retrying { attempt, failure, at: due });
                }
                None => self.set(at, StepState::Pending),
            },
            Resolution::Failed(failure) => {
                self.end(record, at, StepState::Failed { failure: failure.clone() });
            }
            Resolution::Ask => {
                self.set(at, StepState::InDoubt { attempt, cause, asked: Some(evidence.to_owned()) });
            }
        }
        Ok(())
    }

    /// `free`: an attempt is repeated, if it is, because it is proven never to have begun.
    pub(super) fn count_unstarted(
        &mut self,
        step: &StepId,
        resolution: &Resolution,
        free: bool,
    ) -> Result<(), Refusal> {
        let at = self.find(step)?;
        let progress = self.progress_mut(at);
        progress.unstarted = match resolution {
            Resolution::Rerun if free => progress.unstarted + 1,
            Resolution::Ask => progress.unstarted,
            Resolution::Rerun | Resolution::Done(_) | Resolution::Failed(_) => 0,
        };
        Ok(())
    }

    pub(super) fn pending(&self, step: &StepId) -> Result<StepIndex, Refusal> {
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

    pub(super) fn is_in_doubt(&self, at: StepIndex, attempt: Attempt) -> bool {
        matches!(self.step(at), StepState::InDoubt { attempt: doubted, .. } if *doubted == attempt)
    }
}
