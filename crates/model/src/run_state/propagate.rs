//! What follows from a change: blocks open, those that waited may start, loops go on.
//!
//! [`RunState::update`] does it for one node, [`RunState::derive`] from the states alone. They must agree, and a test says
//! so. A node that becomes over opens the way for those that waited for it; one that is over becomes open again only
//! through `derive`.

use super::RunState;
use super::lane::Lane;
use super::lanes::Lanes;
use super::loops::Counts;
use super::node_state::{Applied, Block, NodeState};
use super::nodes::Scope;
use super::task::Task;
use crate::ids::NodeIndex;
use crate::plan::{Section, StepKind};
use crate::run_state::Left;

impl RunState {
    /// Changes a node's state, and all that follows from it.
    pub(super) fn update(&mut self, at: NodeIndex, change: impl FnOnce(&mut NodeState)) {
        let was_over = self.is_over(at);
        self.count(at, -1);
        change(&mut self.states[at.get()]);
        self.count(at, 1);
        self.touched.insert(at);
        self.relane(at);
        if self.is_over(at) && !was_over {
            self.tasks.push(Task::Over(at));
        }
        self.follow_up();
    }

    /// Works everything out that follows from the nodes' states, and offers everything again.
    pub(super) fn derive(&mut self) {
        self.lanes = [Lanes::default(), Lanes::default()];
        self.counts = Counts::default();
        self.left = Left::default();
        self.tally = Default::default();
        self.in_effect = 0;
        self.loops.iter_mut().for_each(|looping| *looping = looping.uncounted());
        let nodes: Vec<_> = self.nodes.all().collect();
        for at in &nodes {
            let waits = self.graph.waits(self.nodes.template(*at));
            let node = &mut self.states[at.get()];
            (node.waits_for, node.block, node.lane) = (waits, Block::Shut, Lane::None);
        }
        // Whatever goes on is counted before anything is concluded from what does not.
        for at in &nodes {
            self.count(*at, 1);
            let node = &self.states[at.get()];
            if node.work.is_some() || node.gate.is_some() || node.result.is_some() {
                self.relane(*at);
            }
        }
        for at in nodes {
            if self.nodes.parent(at).is_none() {
                *self.left_of(at) += 1;
                if self.states[at.get()].waits_for == 0 {
                    self.tasks.push(Task::Free(at));
                }
            }
        }
        self.follow_up();
    }

    /// Counts a node by its status, and whether its effect is out there.
    pub(super) fn count(&mut self, at: NodeIndex, change: i32) {
        if self.template(at).action().is_some() {
            let node = &self.states[at.get()];
            let status = &mut self.tally[node.seen().status() as usize];
            *status = status.strict_add_signed(change);
            self.in_effect = self.in_effect.strict_add_signed(change * i32::from(node.is_in_effect()));
        }
    }

    /// Whether those that wait for the node may go on. A failure that stops the run is no end in that sense: a person
    /// may still decide otherwise.
    pub(super) fn is_over(&self, at: NodeIndex) -> bool {
        let node = &self.states[at.get()];
        match node.result.as_deref() {
            Some(Applied::Failed { .. }) => self.tolerates_failure(at),
            Some(_) => true,
            None => node.block == Block::Over,
        }
    }

    /// One thing less stands before the node.
    pub(super) fn release(&mut self, at: NodeIndex) {
        let node = &mut self.states[at.get()];
        node.waits_for -= 1;
        if node.waits_for == 0 {
            self.tasks.push(Task::Free(at));
        }
    }

    pub(super) fn follow_up(&mut self) {
        // Loops come last, the innermost of them first: what their items do is known then.
        while let Some(task) = self.tasks.pop().or_else(|| self.loop_tasks.pop_last().map(Task::Loop)) {
            match task {
                Task::Free(at) => self.free(at),
                Task::Over(at) => self.over(at),
                Task::Item(scope) => self.review_item(scope),
                Task::Loop(of) => self.review_loop(of),
                Task::Halt(scope) => self.relane_inside(scope),
            }
        }
    }

    fn free(&mut self, at: NodeIndex) {
        let step = self.template(at);
        let opens = step.action().is_none() && (!step.opens_by_record() || self.states[at.get()].opened);
        if self.is_over(at) {
            self.tasks.push(Task::Over(at));
        } else if opens {
            self.open(at);
        } else {
            self.relane(at);
        }
    }

    /// What stands inside may start.
    pub(super) fn open(&mut self, at: NodeIndex) {
        self.states[at.get()].block = Block::Open;
        if let Some(of) = self.nodes.expansion_of(at) {
            for number in 0..self.loops[of.get()].admitted() {
                self.release(self.nodes.item_root(of, number));
            }
            self.loop_tasks.insert(of);
        } else {
            let inside = self.nodes.children(at);
            self.states[at.get()].waits_for = inside.len() as u32;
            inside.into_iter().for_each(|child| self.release(child));
        }
        self.relane(at);
    }

    fn over(&mut self, at: NodeIndex) {
        let dependents: Vec<_> = self.nodes.dependents(at).collect();
        dependents.into_iter().for_each(|dependent| self.release(dependent));
        let Some(around) = self.nodes.parent(at) else {
            *self.left_of(at) -= 1;
            return;
        };
        if let StepKind::Loop(_) = self.template(around).kind {
            self.tasks.push(Task::Item(self.nodes.scope(at)));
            return;
        }
        let block = &mut self.states[around.get()];
        // Everything inside a block that was skipped as a whole is over without having been opened.
        if block.block == Block::Open {
            block.waits_for -= 1;
            if block.waits_for == 0 {
                block.block = Block::Over;
                self.tasks.push(Task::Over(around));
            }
        }
    }

    /// Takes what may start in a scope out of its lane, or puts it back.
    fn relane_inside(&mut self, scope: Scope) {
        let Scope::Item { of, number } = scope else {
            // Nothing may start in a run that is halted, whatever its lane ([`RunState::next`]); only pauses end.
            let loops: Vec<_> = self.nodes.loops().collect();
            return loops.into_iter().for_each(|owner| self.relane(owner));
        };
        for at in
            self.nodes.item_range(of, number).filter(|at| !self.nodes.is_template(*at)).collect::<Vec<_>>()
        {
            self.relane(at);
            if let Some(inner) = self.nodes.expansion_of(at) {
                let items = self.loops[inner.get()].items.len() as u32;
                (0..items).for_each(|number| self.relane_inside(Scope::Item { of: inner, number }));
            }
        }
    }

    /// How much of the node's section is not over: counted in nodes that stand in no other.
    fn left_of(&mut self, at: NodeIndex) -> &mut u32 {
        match self.graph.section(self.nodes.template(at)) {
            Section::Steps => &mut self.left.steps,
            Section::Finally => &mut self.left.finally,
        }
    }
}
