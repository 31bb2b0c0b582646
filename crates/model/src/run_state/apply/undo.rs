//! A guard trips, and what ran is undone.

use super::Refusal;
use crate::ids::{Attempt, StepId};
use crate::record::{GuardEffect, Record, UndoEnd};
use crate::run_state::step_state::StepState;
use crate::run_state::{Course, RunState};

impl RunState {
    pub(super) fn trip(&mut self, then: GuardEffect) -> Result<(), Refusal> {
        self.is_running()?;
        if then == GuardEffect::Rollback {
            self.course = Course::RollingBack;
        }
        Ok(())
    }

    pub(super) fn start_undo(&mut self, step: &StepId, attempt: Attempt) -> Result<(), Refusal> {
        let at = self.find(step)?;
        match (self.course, self.step(at)) {
            (Course::RollingBack, StepState::Done { .. } | StepState::UndoFailed { .. }) => {
                self.set(at, StepState::Undoing { attempt });
                Ok(())
            }
            (_, state) => Err(format!("step `{step}` is {} and may not be undone", state.status().as_str())),
        }
    }

    pub(super) fn finish_undo(
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
}
