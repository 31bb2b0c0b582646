//! A run's state in pieces that can be stored apart, and put together again without its records.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Epoch, Seq, StepIndex};
use crate::record::{Driver, Record};
use crate::run_state::apply::IllegalRecord;
use crate::run_state::step_state::StepState;
use crate::run_state::{Course, Deviation, Phase, RunState};
use crate::undriven::Undriven;

/// What is known about the run as a whole, besides its first record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCheckpoint {
    /// The record up to which the checkpoint holds.
    pub seq: Seq,
    epoch: Epoch,
    updated_at: Timestamp,
    driver: Driver,
    phase: Phase,
    course: Course,
    deviations: Vec<Deviation>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    kept_edits: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ending_again: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undriven: Option<Undriven>,
}

/// What is known about one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepCheckpoint {
    state: StepState,
    attempts: u32,
    failures: u32,
    unstarted: u32,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    #[serde(default)]
    boot: Option<String>,
}

impl RunState {
    /// The steps whose state changed since this was last called.
    pub fn take_touched(&mut self) -> BTreeSet<StepIndex> {
        std::mem::take(&mut self.touched)
    }

    /// The run as a whole.
    pub fn run_checkpoint(&self) -> RunCheckpoint {
        RunCheckpoint {
            seq: self.seq,
            epoch: self.epoch,
            updated_at: self.updated_at,
            driver: self.driver.clone(),
            phase: self.phase,
            course: self.course,
            deviations: self.deviations.clone(),
            kept_edits: self.kept_edits.clone(),
            ending_again: self.ending_again,
            undriven: self.undriven,
        }
    }

    /// One step.
    pub fn step_checkpoint(&self, step: StepIndex) -> StepCheckpoint {
        let progress = self.progress(step);
        StepCheckpoint {
            state: progress.state.clone(),
            attempts: progress.attempts,
            failures: progress.failures,
            unstarted: progress.unstarted,
            started_at: progress.started_at,
            ended_at: progress.ended_at,
            boot: progress.boot.clone(),
        }
    }

    /// The state as of a checkpoint. Steps that are not named were never touched.
    pub fn restore(
        first: &Record,
        run: RunCheckpoint,
        steps: impl IntoIterator<Item = (StepIndex, StepCheckpoint)>,
    ) -> Result<Self, IllegalRecord> {
        let mut state = Self::new(first)?;
        for (at, step) in steps {
            let unknown =
                || IllegalRecord { seq: run.seq, why: format!("the plan has no step number {}", at.0) };
            let progress = state.steps.get_mut(at.get()).ok_or_else(unknown)?;
            progress.state = step.state;
            progress.attempts = step.attempts;
            progress.failures = step.failures;
            progress.unstarted = step.unstarted;
            progress.started_at = step.started_at;
            progress.ended_at = step.ended_at;
            progress.boot = step.boot;
        }
        state.seq = run.seq;
        state.epoch = run.epoch;
        state.updated_at = run.updated_at;
        state.driver = run.driver;
        state.phase = run.phase;
        state.course = run.course;
        state.deviations = run.deviations;
        state.kept_edits = run.kept_edits;
        state.ending_again = run.ending_again;
        state.undriven = run.undriven;
        state.derive();
        state.touched.clear();
        Ok(state)
    }
}
