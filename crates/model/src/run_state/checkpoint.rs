//! A run's state in pieces that can be stored apart, and put together again without its records.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::allows::IllegalRecord;
use super::loops::LoopProgress;
use super::node_state::NodeState;
use super::{Course, Deviation, Phase, RunState};
use crate::ids::{Epoch, NodeIndex, Seq};
use crate::record::{Driver, Items, Record};
use crate::undriven::Undriven;

/// What is known about the run as a whole, besides its first record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// What is known about one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeCheckpoint {
    node: NodeState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expanded: Option<Expanded>,
}

/// What is known about an expanded loop, besides its items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Expanded {
    /// Its place among all expansions of the run.
    number: u32,
    progress: LoopProgress,
}

impl RunState {
    /// The nodes whose state changed since this was last called.
    pub fn take_touched(&mut self) -> BTreeSet<NodeIndex> {
        std::mem::take(&mut self.touched)
    }

    /// The loops that were expanded since this was last called, with their items.
    pub fn take_expanded(&mut self) -> Vec<(NodeIndex, Items)> {
        let loops: Vec<_> = self.nodes.loops().skip(self.loops_taken).collect();
        self.loops_taken += loops.len();
        let items = |at: &NodeIndex| self.nodes.expansion_of(*at).map(|of| self.nodes.items(of).clone());
        loops.into_iter().filter_map(|at| Some((at, items(&at)?))).collect()
    }

    /// The run as a whole.
    pub fn run_checkpoint(&self) -> RunCheckpoint {
        RunCheckpoint {
            seq: self.seq,
            epoch: self.epoch,
            updated_at: self.now,
            driver: self.driver.clone(),
            phase: self.phase,
            course: self.course,
            deviations: self.deviations.clone(),
            kept_edits: self.kept_edits.clone(),
            ending_again: self.ending_again,
            undriven: self.undriven,
        }
    }

    /// One node.
    pub fn node_checkpoint(&self, at: NodeIndex) -> NodeCheckpoint {
        let expanded = self
            .nodes
            .expansion_of(at)
            .map(|of| Expanded { number: of.get() as u32, progress: self.loops[of.get()].progress });
        NodeCheckpoint { node: self.state(at).clone(), expanded }
    }

    /// The state as of a checkpoint. Nodes that are not named were never touched.
    pub fn restore(
        first: &Record,
        run: RunCheckpoint,
        loops: impl IntoIterator<Item = (NodeIndex, Items)>,
        nodes: impl IntoIterator<Item = (NodeIndex, NodeCheckpoint)>,
    ) -> Result<Self, IllegalRecord> {
        let mut state = Self::underived(first)?;
        let mut items: BTreeMap<_, _> = loops.into_iter().collect();
        let nodes = Vec::from_iter(nodes);
        let expanded = |(at, checkpoint): &(NodeIndex, NodeCheckpoint)| Some((*at, checkpoint.expanded?));
        let mut expanded: Vec<_> = nodes.iter().filter_map(expanded).collect();
        expanded.sort_by_key(|(_, expanded)| expanded.number);
        let illegal = |why: String| IllegalRecord { seq: run.seq, why };
        for (number, (at, expanded)) in expanded.into_iter().enumerate() {
            let known = at.get() < state.states.len() && state.nodes.is_loop(at);
            let once = known && state.nodes.expansion_of(at).is_none() && expanded.number as usize == number;
            let items = items
                .remove(&at)
                .filter(|items| once && expanded.progress.admitted() as usize <= items.len());
            let fits = items.filter(|items| state.nodes.refuse_items(at, items).is_none());
            let Some(items) = fits else {
                return Err(illegal(format!("node number {} is no loop that was expanded so", at.0)));
            };
            state.add_items(at, items);
            state.loops[number].progress = expanded.progress;
        }
        for (at, checkpoint) in nodes {
            let unknown = || illegal(format!("the run has no node number {}", at.0));
            *state.states.get_mut(at.get()).ok_or_else(unknown)? = checkpoint.node;
        }
        state.seq = run.seq;
        state.epoch = run.epoch;
        state.set_now(run.updated_at);
        state.set_driver(run.driver);
        state.phase = run.phase;
        state.course = run.course;
        state.deviations = run.deviations;
        state.kept_edits = run.kept_edits;
        state.ending_again = run.ending_again;
        state.undriven = run.undriven;
        state.derive();
        state.touched.clear();
        state.loops_taken = state.loops.len();
        Ok(state)
    }
}
