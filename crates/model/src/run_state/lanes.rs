//! The nodes by what may happen to them next.
//!
//! A node's lane is one function of what is known ([`RunState::lane_of`]). Whenever something changes that it depends on,
//! the node moves from the lane that it is in to that one ([`RunState::relane`]), also when a state is restored.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::RunState;
use super::lane::Lane;
use super::node_state::{Applied, Block, WorkPhase};
use super::nodes::Scope;
use crate::ids::NodeIndex;
use crate::plan::Section;

/// The lanes of one section of the plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lanes {
    pub(super) ready: BTreeSet<NodeIndex>,
    pub(super) busy: BTreeSet<NodeIndex>,
    pub(super) due: BTreeSet<(Timestamp, NodeIndex)>,
    pub(super) doubt: BTreeSet<NodeIndex>,
    pub(super) asking: BTreeSet<NodeIndex>,
    pub(super) stopping: BTreeSet<NodeIndex>,
    /// What the driver did not take in hand yet, of `ready`, `doubt` and `asking`.
    pub(super) offered: Offers,
}

/// What is offered to a driver.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Offers {
    pub(super) start: BTreeSet<NodeIndex>,
    pub(super) resolve: BTreeSet<NodeIndex>,
    pub(super) ask: BTreeSet<NodeIndex>,
}

impl Lanes {
    fn enter(&mut self, at: NodeIndex, lane: Lane) {
        match lane {
            Lane::None => {}
            Lane::Ready => {
                self.ready.insert(at);
                self.offered.start.insert(at);
            }
            Lane::Busy => drop(self.busy.insert(at)),
            Lane::Due(due) => drop(self.due.insert((due, at))),
            Lane::Doubt => {
                self.doubt.insert(at);
                self.offered.resolve.insert(at);
            }
            Lane::Asking => {
                self.asking.insert(at);
                self.offered.ask.insert(at);
            }
            Lane::Stopping => drop(self.stopping.insert(at)),
        }
    }

    fn leave(&mut self, at: NodeIndex, lane: Lane) {
        self.take(at);
        match lane {
            Lane::None => {}
            Lane::Ready => drop(self.ready.remove(&at)),
            Lane::Busy => drop(self.busy.remove(&at)),
            Lane::Due(due) => drop(self.due.remove(&(due, at))),
            Lane::Doubt => drop(self.doubt.remove(&at)),
            Lane::Asking => drop(self.asking.remove(&at)),
            Lane::Stopping => drop(self.stopping.remove(&at)),
        }
    }

    pub(super) fn take(&mut self, at: NodeIndex) {
        let Offers { start, resolve, ask } = &mut self.offered;
        for offers in [start, resolve, ask] {
            offers.remove(&at);
        }
    }
}

impl RunState {
    /// The lane of a node that takes part in the run.
    pub(super) fn lane_of(&self, at: NodeIndex) -> Lane {
        let node = &self.states[at.get()];
        match (&node.work, &node.gate, &node.result) {
            (Some(work), ..) => match &work.phase {
                WorkPhase::Running => Lane::Busy,
                WorkPhase::Retrying { due, .. } => Lane::Due(*due),
                WorkPhase::InDoubt { asked: None, .. } => Lane::Doubt,
                WorkPhase::InDoubt { asked: Some(_), .. } => Lane::Asking,
            },
            (None, Some(_), _) => Lane::Asking,
            (None, None, Some(result)) => match **result {
                Applied::Failed { .. } if !self.tolerates_failure(at) => Lane::Stopping,
                _ => Lane::None,
            },
            (None, None, None) => self.lane_of_idle(at),
        }
    }

    /// The lane of a node that was not begun, or of which only the inside goes on.
    fn lane_of_idle(&self, at: NodeIndex) -> Lane {
        let node = &self.states[at.get()];
        let step = self.template(at);
        let starts = step.action().is_some() || step.opens_by_record();
        match node.block {
            Block::Shut if starts && node.waits_for == 0 && !self.is_halted_item(self.nodes.scope(at)) => {
                Lane::Ready
            }
            Block::Open => match self.pause_ends(at) {
                Some(due) if !self.is_halted() && !self.is_halted_item(self.nodes.scope(at)) => {
                    Lane::Due(due)
                }
                Some(_) | None => Lane::None,
            },
            Block::Shut | Block::Over | Block::Failed => Lane::None,
        }
    }

    /// Moves a node to its lane, and counts it where it stands.
    pub(super) fn relane(&mut self, at: NodeIndex) {
        let to = self.lane_of(at);
        let from = std::mem::replace(&mut self.states[at.get()].lane, to);
        if from == to {
            return;
        }
        let lanes = self.lanes_mut(at);
        lanes.leave(at, from);
        lanes.enter(at, to);
        let scope = self.nodes.scope(at);
        let change = |was: bool, is: bool| i32::from(is) - i32::from(was);
        self.count_failed(scope, change(from == Lane::Stopping, to == Lane::Stopping));
        self.count_doubtful(scope, change(from.is_doubtful(), to.is_doubtful()));
        self.count_live(scope, change(from.is_live(), to.is_live()));
    }

    /// The driver deals with the node: it is not offered again until its state changes.
    pub fn take(&mut self, at: NodeIndex) {
        self.lanes_mut(at).take(at);
    }

    pub(super) fn lanes(&self, section: Section) -> &Lanes {
        &self.lanes[section as usize]
    }

    fn lanes_mut(&mut self, at: NodeIndex) -> &mut Lanes {
        let section = self.graph.section(self.nodes.template(at));
        &mut self.lanes[section as usize]
    }

    /// Whether a node stands in an item, at any depth, in which nothing new may start.
    pub(super) fn is_halted_item(&self, mut scope: Scope) -> bool {
        while let Scope::Item { of, .. } = scope {
            if self.counts(scope).failed > 0 {
                return true;
            }
            scope = self.nodes.scope(self.nodes.owner(of));
        }
        false
    }
}
