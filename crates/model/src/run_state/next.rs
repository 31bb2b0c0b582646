//! What may happen now.

use jiff::Timestamp;

use crate::ids::StepIndex;
use crate::record::{Mode, Verdict};
use crate::run_state::step_state::{DoneBy, Status, StepState};
use crate::run_state::{Course, RunState};

/// What may happen now in a run that is being driven.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "what may happen now is for the driver to do"]
pub struct Next {
    /// Steps that may start, ascending.
    pub start: Vec<StepIndex>,
    /// Steps in doubt that are to be looked at, ascending.
    pub resolve: Vec<StepIndex>,
    /// Retries, the one due first in front.
    pub retry: Vec<(Timestamp, StepIndex)>,
    /// Steps about which a person has to decide, ascending.
    pub ask: Vec<StepIndex>,
    /// How many attempts are going on.
    pub running: usize,
    /// Nothing is left to do: how the run ends.
    pub finish: Option<Verdict>,
}

impl Next {
    /// Whether nothing can happen before a person decides.
    pub fn needs_person(&self) -> bool {
        !self.ask.is_empty()
            && self.start.is_empty()
            && self.resolve.is_empty()
            && self.retry.is_empty()
            && self.running == 0
            && self.finish.is_none()
    }
}

impl RunState {
    /// What may happen now. Costs no more than what it answers.
    pub fn next(&self) -> Next {
        let sets = &self.sets;
        let resolve: Vec<_> = sets.doubts.iter().copied().collect();
        let finally = self.graph.first_finally();
        // A run that ends anyway waits for nobody and tries nothing again, except in its ending.
        let from = if self.course == Course::Forward { StepIndex(0) } else { finally };
        let retry: Vec<_> = sets.retrying.iter().filter(|(_, at)| *at >= from).copied().collect();
        let ask: Vec<_> = sets.asking.range(from..).copied().collect();
        let running = sets.running.len();
        let start: Vec<_> = if self.is_halted() || sets.left == 0 {
            let idle = running == 0 && resolve.is_empty() && retry.is_empty() && ask.is_empty();
            let over = sets.left == 0 || idle || self.finally_began();
            if over { sets.ready.range(finally..).copied().collect() } else { Vec::new() }
        } else {
            sets.ready.range(..finally).copied().collect()
        };
        let idle =
            running == 0 && start.is_empty() && resolve.is_empty() && retry.is_empty() && ask.is_empty();
        let over = sets.left_finally == 0 && (sets.left == 0 || self.is_halted()) && !self.has_to_undo();
        let finish = (idle && over).then(|| self.verdict());
        Next { start, resolve, retry, ask, running, finish }
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
