//! The plan's dependencies, turned round: who waits for whom.

use crate::ids::StepIndex;
use crate::plan::{Plan, Section, StepKind};

/// What does not change while a plan runs.
#[derive(Debug)]
pub(super) struct Graph {
    /// For each step, those that list it in their needs.
    dependents: Vec<Vec<StepIndex>>,
    /// For each step, how many things it waits for at the beginning.
    waits: Vec<u32>,
    /// The place of the first step of `finally`; the number of steps where there is none.
    first_finally: StepIndex,
    len: u32,
}

impl Graph {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut dependents = vec![Vec::new(); plan.steps().len()];
        let mut waits = Vec::with_capacity(plan.steps().len());
        for (at, step) in plan.indices().zip(plan.steps()) {
            for need in &step.needs {
                dependents[need.get()].push(at);
            }
            waits.push(step.needs.len() as u32 + u32::from(step.parent.is_some()));
        }
        let main = plan.steps().iter().take_while(|step| step.section == Section::Steps).count();
        Self { dependents, waits, first_finally: StepIndex(main as u32), len: plan.steps().len() as u32 }
    }

    pub(super) fn dependents(&self, step: StepIndex) -> &[StepIndex] {
        self.dependents.get(step.get()).map_or(&[], Vec::as_slice)
    }

    /// The number of things a step waits for before anything ran.
    pub(super) fn waits(&self, step: StepIndex) -> u32 {
        self.waits.get(step.get()).copied().unwrap_or(0)
    }

    pub(super) fn first_finally(&self) -> StepIndex {
        self.first_finally
    }

    /// The place behind the last step.
    pub(super) fn end(&self) -> StepIndex {
        StepIndex(self.len)
    }

    pub(super) fn is_finally(&self, step: StepIndex) -> bool {
        step >= self.first_finally
    }

    pub(super) fn finally(&self) -> impl Iterator<Item = StepIndex> + use<> {
        (self.first_finally.0..self.len).map(StepIndex)
    }
}

/// The steps directly inside a block; none for an action.
pub(super) fn children(plan: &Plan, step: StepIndex) -> &[StepIndex] {
    match &plan.step(step).kind {
        StepKind::Block { children } => children,
        StepKind::Action(_) => &[],
    }
}
