//! What may happen now.

use jiff::Timestamp;

use crate::ids::NodeIndex;
use crate::plan::Section;
use crate::record::{Mode, Verdict};
use crate::run_state::lanes::Lanes;
use crate::run_state::status::Status;
use crate::run_state::{Course, RunState};

/// What a driver is offered to do now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "what may happen now is for the driver to do"]
pub struct Next {
    /// Nodes that may start, or open, ascending.
    pub start: Vec<NodeIndex>,
    /// Nodes in doubt that are to be looked at, ascending.
    pub resolve: Vec<NodeIndex>,
    /// The retry, or the next batch of a loop, that is due first.
    pub due: Option<(Timestamp, NodeIndex)>,
    /// Nodes about which a person has to decide, ascending.
    pub ask: Vec<NodeIndex>,
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
        let offered = |section: Section| &self.lanes(section).offered;
        let start = self.startable().map(|section| offered(section).start.iter().copied().collect());
        let both = || [Section::Steps, Section::Finally].into_iter();
        Next {
            start: start.unwrap_or_default(),
            resolve: both().flat_map(|section| &offered(section).resolve).copied().collect(),
            due: self.due().next(),
            ask: self.awaited().flat_map(|section| &offered(section).ask).copied().collect(),
        }
    }

    /// What is to be expected. Costs little, however large the plan.
    pub fn outlook(&self) -> Outlook {
        let starts = self.startable().is_some_and(|section| !self.lanes(section).ready.is_empty());
        if starts || self.is_busy() || self.is_in_doubt() || self.due().next().is_some() {
            Outlook::GoesOn
        } else if self.asks() {
            Outlook::NeedsPerson
        } else if self.left.finally == 0 && (self.left.steps == 0 || self.is_halted()) && !self.has_to_undo()
        {
            Outlook::Ends(self.verdict())
        } else {
            Outlook::Undoes
        }
    }

    /// Whether an attempt is going on.
    pub fn is_busy(&self) -> bool {
        self.any(|lanes| !lanes.busy.is_empty())
    }

    /// Whether a doubt is to be looked into.
    fn is_in_doubt(&self) -> bool {
        self.any(|lanes| !lanes.doubt.is_empty())
    }

    fn any(&self, holds: impl FnMut(&Lanes) -> bool) -> bool {
        self.lanes.iter().any(holds)
    }

    /// The retries and batches to come, the one due first in front.
    pub fn due(&self) -> impl Iterator<Item = (Timestamp, NodeIndex)> {
        let mut due: Vec<_> =
            self.awaited().map(|section| self.lanes(section).due.iter().peekable()).collect();
        std::iter::from_fn(move || {
            let first = due.iter_mut().filter_map(|due| due.peek().copied()).min()?;
            due.iter_mut().find_map(|due| due.next_if_eq(&first)).copied()
        })
    }

    /// A run that ends anyway waits for nobody and tries nothing again, except in its ending.
    fn awaited(&self) -> impl Iterator<Item = Section> + use<> {
        let steps = (self.course == Course::Forward).then_some(Section::Steps);
        steps.into_iter().chain([Section::Finally])
    }

    /// The part of the plan whose steps may start.
    fn startable(&self) -> Option<Section> {
        if self.ending_again {
            None
        } else if !self.is_halted() && self.left.steps > 0 {
            Some(Section::Steps)
        } else if self.left.steps == 0 || self.is_idle() || self.finally_began() {
            Some(Section::Finally)
        } else {
            None
        }
    }

    /// Whether nothing is going on and nothing waits.
    fn is_idle(&self) -> bool {
        !self.is_busy() && !self.is_in_doubt() && self.due().next().is_none() && !self.asks()
    }

    /// Whether a person has to decide about a step.
    fn asks(&self) -> bool {
        self.awaited().any(|section| !self.lanes(section).asking.is_empty())
    }

    /// Whether nothing outside `finally` may start any more.
    pub fn is_halted(&self) -> bool {
        self.counts.failed > 0 || self.course != Course::Forward
    }

    fn has_to_undo(&self) -> bool {
        self.course == Course::RollingBack && self.in_effect > 0
    }

    pub(super) fn finally_began(&self) -> bool {
        self.graph.finally().next().is_some_and(|first| self.states[first.get()].has_begun())
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.course {
            Course::Cancelled => Verdict::Cancelled,
            Course::RollingBack if self.tally(Status::UndoFailed) > 0 => Verdict::Stuck,
            Course::RollingBack => Verdict::RolledBack,
            Course::Forward if self.counts.failed > 0 || self.is_not_ready() => Verdict::Failed,
            Course::Forward if !self.deviations.is_empty() => Verdict::SucceededWithDeviations,
            Course::Forward => Verdict::Succeeded,
        }
    }

    /// A dry run that found something in the way.
    fn is_not_ready(&self) -> bool {
        self.mode() == Mode::DryRun && self.tally(Status::Failed) > 0
    }

    /// How many steps that call an action have that status.
    pub fn tally(&self, status: Status) -> u32 {
        self.tally[status as usize]
    }
}
