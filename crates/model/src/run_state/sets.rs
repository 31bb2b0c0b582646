//! Keeping the sets in step with the steps' states. [`RunState::set`] does it for one change, [`RunState::derive`] from
//! the states alone; they must agree, and a test says so.

use std::sync::Arc;

use crate::ids::StepIndex;
use crate::run_state::graph::children;
use crate::run_state::step_state::StepState;
use crate::run_state::{Offers, RunState, Sets};

impl RunState {
    /// Gives an action's step its new state and moves it between the sets. A step that becomes over opens the way
    /// for those that waited for it; one that is over becomes open again only through [`RunState::derive`].
    pub(super) fn set(&mut self, at: StepIndex, state: StepState) {
        let was_over = self.is_over(at);
        self.leave(at);
        self.progress_mut(at).state = state;
        self.enter(at);
        if self.is_over(at) && !was_over {
            self.propagate(Vec::new(), vec![at]);
        }
    }

    /// The driver deals with the step: it is not offered again until its state changes.
    pub fn take(&mut self, at: StepIndex) {
        let Offers { start, resolve, ask } = &mut self.offers;
        for offered in [start, resolve, ask] {
            offered.remove(&at);
        }
    }

    /// Works the sets and counters out anew, and offers everything again.
    pub(super) fn derive(&mut self) {
        self.sets = Sets::default();
        self.offers = Offers::default();
        let created = Arc::clone(&self.created);
        for at in created.plan.indices() {
            let waits = self.graph.waits(at);
            let progress = &mut self.steps[at.get()];
            progress.waits_for = waits;
            if !children(&created.plan, at).is_empty() {
                progress.state = StepState::Pending;
            }
            *self.left_of(at) += 1;
        }
        let free = created.plan.indices().filter(|at| self.graph.waits(*at) == 0).collect();
        self.propagate(free, Vec::new());
        created.plan.indices().for_each(|at| self.enter(at));
    }

    /// Whether those that wait for the step may go on. A failure that stops the run is no end in that sense: a person
    /// may still decide otherwise.
    pub(super) fn is_over(&self, at: StepIndex) -> bool {
        match self.step(at) {
            StepState::Over
            | StepState::Done { .. }
            | StepState::Skipped { .. }
            | StepState::Rehearsed { .. }
            | StepState::Cancelled { .. }
            | StepState::Undoing { .. }
            | StepState::Undone { .. }
            | StepState::UndoFailed { .. } => true,
            StepState::Failed { .. } => self.tolerates_failure(at),
            StepState::Pending
            | StepState::Open
            | StepState::Running { .. }
            | StepState::Retrying { .. }
            | StepState::InDoubt { .. }
            | StepState::Waiting { .. } => false,
        }
    }

    fn leave(&mut self, at: StepIndex) {
        self.take(at);
        let due = match self.step(at) {
            StepState::Retrying { at: due, .. } => Some(*due),
            _ => None,
        };
        let sets = &mut self.sets;
        if let Some(due) = due {
            sets.retrying.remove(&(due, at));
        }
        for set in
            [&mut sets.ready, &mut sets.running, &mut sets.doubts, &mut sets.asking, &mut sets.stopping]
        {
            set.remove(&at);
        }
    }

    fn enter(&mut self, at: StepIndex) {
        let progress = &self.steps[at.get()];
        let stops = !self.tolerates_failure(at);
        match &progress.state {
            StepState::Pending if progress.waits_for == 0 => self.make_ready(at),
            StepState::Running { .. } | StepState::Undoing { .. } => {
                self.sets.running.insert(at);
            }
            StepState::Retrying { at: due, .. } => {
                self.sets.retrying.insert((*due, at));
            }
            StepState::InDoubt { asked: None, .. } => {
                self.sets.doubts.insert(at);
                self.offers.resolve.insert(at);
            }
            StepState::InDoubt { asked: Some(_), .. } | StepState::Waiting { .. } => {
                self.sets.asking.insert(at);
                self.offers.ask.insert(at);
            }
            StepState::Failed { .. } if stops => {
                self.sets.stopping.insert(at);
            }
            StepState::Pending
            | StepState::Open
            | StepState::Over
            | StepState::Done { .. }
            | StepState::Skipped { .. }
            | StepState::Failed { .. }
            | StepState::Cancelled { .. }
            | StepState::Rehearsed { .. }
            | StepState::Undone { .. }
            | StepState::UndoFailed { .. } => {}
        }
    }

    /// Follows what it means that nothing stands before some steps any more, and that others are over.
    fn propagate(&mut self, mut free: Vec<StepIndex>, mut over: Vec<StepIndex>) {
        let (created, graph) = (Arc::clone(&self.created), Arc::clone(&self.graph));
        loop {
            if let Some(at) = free.pop() {
                let inside = children(&created.plan, at);
                if !inside.is_empty() {
                    let block = self.progress_mut(at);
                    block.state = StepState::Open;
                    block.waits_for = inside.len() as u32;
                    self.count_down(inside, &mut free);
                } else if self.is_over(at) {
                    over.push(at);
                } else if *self.step(at) == StepState::Pending {
                    self.make_ready(at);
                }
            } else if let Some(at) = over.pop() {
                *self.left_of(at) -= 1;
                self.count_down(graph.dependents(at), &mut free);
                if let Some(block) = created.plan.step(at).parent {
                    let progress = &mut self.steps[block.get()];
                    progress.waits_for -= 1;
                    if progress.waits_for == 0 {
                        self.progress_mut(block).state = StepState::Over;
                        over.push(block);
                    }
                }
            } else {
                return;
            }
        }
    }

    fn make_ready(&mut self, at: StepIndex) {
        self.sets.ready.insert(at);
        self.offers.start.insert(at);
    }

    fn count_down(&mut self, steps: &[StepIndex], free: &mut Vec<StepIndex>) {
        for at in steps {
            let progress = &mut self.steps[at.get()];
            progress.waits_for -= 1;
            if progress.waits_for == 0 {
                free.push(*at);
            }
        }
    }

    fn left_of(&mut self, at: StepIndex) -> &mut u32 {
        if self.graph.is_finally(at) { &mut self.sets.left_finally } else { &mut self.sets.left }
    }
}
