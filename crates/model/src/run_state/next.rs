//! What may happen now.

use std::ops::Range;

use jiff::Timestamp;

use crate::ids::StepIndex;
use crate::record::{Mode, Verdict};
use crate::run_state::step_state::{DoneBy, Status, StepState};
use crate::run_state::{Course, RunState, Sets};

/// What a driver is offered to do now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "what may happen now is for the driver to do"]
pub struct Next {
    /// Steps that may start, ascending.
    pub start: Vec<StepIndex>,
    /// Steps in doubt that are to be looked at, ascending.
    pub resolve: Vec<StepIndex>,
    /// The retry that is due first.
    pub retry: Option<(Timestamp, StepIndex)>,
    /// Steps about which a person has to decide, ascending.
    pub ask: Vec<StepIndex>,
}

/// What is to be expected of a run that is being driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// Something is going on, or may begin.
    GoesOn,
    /// Nothing can happen before a person decides.
    NeedsPerson,
    /// Nothing is left to do: how the run ends.
    Ends(Verdict),
    /// Nothing is left but to undo what ran.
    Undoes,
}

impl RunState {
    /// What may happen now, apart from what the driver took already ([`RunState::take`]). Costs no more than what it
    /// answers.
    pub fn next(&self) -> Next {
        let offers = &self.offers;
        Next {
            start: offers.start.range(self.startable()).copied().collect(),
            resolve: offers.resolve.iter().copied().collect(),
            retry: self.retries().next(),
            ask: offers.ask.range(self.first_open()..).copied().collect(),
        }
    }

    /// What is to be expected. Costs little, however large the plan.
    pub fn outlook(&self) -> Outlook {
        let sets = &self.sets;
        let starts = sets.ready.range(self.startable()).next().is_some();
        if starts || !sets.running.is_empty() || !sets.doubts.is_empty() || self.retries().next().is_some() {
            Outlook::GoesOn
        } else if self.asks() {
            Outlook::NeedsPerson
        } else if sets.left_finally == 0 && (sets.left == 0 || self.is_halted()) && !self.has_to_undo() {
            Outlook::Ends(self.verdict())
        } else {
            Outlook::Undoes
        }
    }

    /// Whether an attempt or an undo is going on.
    pub fn is_busy(&self) -> bool {
        !self.sets.running.is_empty()
    }

    /// The retries to come, the one due first in front.
    pub fn retries(&self) -> impl Iterator<Item = (Timestamp, StepIndex)> {
        let from = self.first_open();
        self.sets.retrying.iter().filter(move |(_, at)| *at >= from).copied()
    }

    /// A run that ends anyway waits for nobody and tries nothing again, except in its ending.
    fn first_open(&self) -> StepIndex {
        if self.course == Course::Forward { StepIndex(0) } else { self.graph.first_finally() }
    }

    /// The part of the plan whose steps may start.
    fn startable(&self) -> Range<StepIndex> {
        let (first, finally, end) = (StepIndex(0), self.graph.first_finally(), self.graph.end());
        if self.ending_again {
            end..end
        } else if !self.is_halted() && self.sets.left > 0 {
            first..finally
        } else if self.sets.left == 0 || self.is_idle() || self.finally_began() {
            finally..end
        } else {
            end..end
        }
    }

    /// Whether nothing is going on and nothing waits.
    fn is_idle(&self) -> bool {
        let Sets { running, doubts, .. } = &self.sets;
        running.is_empty() && doubts.is_empty() && self.retries().next().is_none() && !self.asks()
    }

    /// Whether a person has to decide about a step.
    fn asks(&self) -> bool {
        self.sets.asking.range(self.first_open()..).next().is_some()
    }

    /// Whether nothing outside `finally` may start any more.
    pub fn is_halted(&self) -> bool {
        !self.sets.stopping.is_empty() || self.course != Course::Forward
    }

    fn has_to_undo(&self) -> bool {
        let is_done =
            |at| matches!(self.step(at), StepState::Done { by: DoneBy::Action | DoneBy::Doubt, .. });
        self.course == Course::RollingBack && self.plan().indices().any(is_done)
    }

    pub(super) fn finally_began(&self) -> bool {
        self.graph.finally().next().is_some_and(|first| *self.step(first) != StepState::Pending)
    }

    fn verdict(&self) -> Verdict {
        match self.course {
            Course::Cancelled => Verdict::Cancelled,
            Course::RollingBack => {
                let failed = self.plan().indices().any(|at| self.status(at) == Status::UndoFailed);
                if failed { Verdict::Stuck } else { Verdict::RolledBack }
            }
            Course::Forward if !self.sets.stopping.is_empty() || self.is_not_ready() => Verdict::Failed,
            Course::Forward if !self.deviations.is_empty() => Verdict::SucceededWithDeviations,
            Course::Forward => Verdict::Succeeded,
        }
    }

    /// A dry run that found something in the way.
    fn is_not_ready(&self) -> bool {
        self.mode() == Mode::DryRun && self.plan().indices().any(|at| self.status(at) == Status::Failed)
    }
}
