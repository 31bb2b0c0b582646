//! The run as a whole is taken over, and ends.

use super::Refusal;
use crate::record::{Driver, Record, Verdict};
use crate::run_state::step_state::StepState;
use crate::run_state::{Phase, RunState, Sets};

impl RunState {
    pub(super) fn resume(&mut self, driver: Driver) -> Result<(), Refusal> {
        match self.phase {
            Phase::Finished(verdict) => Err(format!("the run is finished: {}", verdict.as_str())),
            Phase::Running | Phase::Stopped(_) => {
                self.driver_is_gone();
                self.driver = driver;
                self.phase = Phase::Running;
                Ok(())
            }
        }
    }

    /// What a reader sees who knows that nobody drives the run: an attempt without a recorded end is in doubt.
    pub fn driver_is_gone(&mut self) {
        let left_open: Vec<_> = self.sets.running.iter().copied().collect();
        for at in left_open {
            if let StepState::Running { attempt } = *self.step(at) {
                let cause = "its driver ended".to_owned();
                self.set(at, StepState::InDoubt { attempt, cause, asked: None });
            }
        }
    }

    pub(super) fn finish(&mut self, record: &Record, verdict: Verdict) -> Result<(), Refusal> {
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
}
