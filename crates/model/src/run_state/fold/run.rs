//! The run as a whole is taken over, and ends.

use crate::ids::NodeIndex;
use crate::plan::Section;
use crate::record::{Driver, Verdict};
use crate::run_state::node_state::{Applied, WorkPhase};
use crate::run_state::{Phase, RunState};

impl RunState {
    pub(super) fn resume(&mut self, driver: Driver) {
        self.driver_is_gone();
        self.set_driver(driver);
        self.phase = Phase::Running;
    }

    /// What a reader sees who knows that nobody drives the run: an attempt without a recorded end is in doubt.
    pub fn driver_is_gone(&mut self) {
        let open: Vec<_> = self.lanes.iter().flat_map(|lanes| &lanes.busy).copied().collect();
        for at in open {
            let cause = "its driver ended".to_owned();
            self.update(at, |state| state.set_phase(WorkPhase::InDoubt { cause, asked: None }));
        }
    }

    pub(super) fn finish(&mut self, verdict: Verdict) {
        if verdict == Verdict::Cancelled {
            while let Some(at) = self.unfinished() {
                self.cancel(at);
            }
        }
        self.phase = Phase::Finished(verdict);
    }

    /// A node that was about to start, or to start again.
    fn unfinished(&self) -> Option<NodeIndex> {
        [Section::Steps, Section::Finally].into_iter().find_map(|section| {
            let lanes = self.lanes(section);
            lanes.ready.first().copied().or_else(|| lanes.due.first().map(|(_, at)| *at))
        })
    }

    fn cancel(&mut self, at: NodeIndex) {
        let why = "the run was cancelled".to_owned();
        self.end(at, Applied::Cancelled { why });
    }
}
