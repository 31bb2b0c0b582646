//! A gate opens, and has its answer.

use jiff::Timestamp;

use super::Refusal;
use crate::ids::StepId;
use crate::outcome::{Failure, Outcome};
use crate::record::{GateDecision, Record};
use crate::run_state::RunState;
use crate::run_state::step_state::{DoneBy, StepState};

impl RunState {
    pub(super) fn open_gate(
        &mut self,
        record: &Record,
        step: &StepId,
        question: &str,
        expires: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        let at = self.pending(step)?;
        self.progress_mut(at).started_at = Some(record.at);
        self.set(at, StepState::Waiting { question: question.to_owned(), expires });
        Ok(())
    }

    pub(super) fn decide_gate(
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
                StepState::Failed { failure: Failure::permanent(why) }
            }
        };
        self.end(record, at, state);
        Ok(())
    }
}
