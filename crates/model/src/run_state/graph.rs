//! The plan, seen from the side of a run: who waits for whom, and what stands where. Does not change while a plan runs.

use std::collections::HashMap;

use crate::ids::{StepId, StepIndex};
use crate::plan::{Plan, Section, StepKind};

#[derive(Debug)]
pub(super) struct Graph {
    /// For each step, those that list it in their needs.
    dependents: Vec<Vec<StepIndex>>,
    /// For each step, how many things it waits for at the beginning.
    waits: Vec<u32>,
    /// For each step, the place behind all that stands inside it.
    ends: Vec<StepIndex>,
    /// For each step, the innermost step of a loop's items that it is or stands in.
    bodies: Vec<Option<StepIndex>>,
    /// The steps by what is around them, then by id.
    by_id: HashMap<Option<StepIndex>, HashMap<StepId, StepIndex>>,
    /// The steps by id, wherever they stand, ascending.
    named: HashMap<StepId, Vec<StepIndex>>,
    /// The place of the first step of `finally`; the number of steps where there is none.
    first_finally: StepIndex,
    len: u32,
}

impl Graph {
    pub(super) fn of(plan: &Plan) -> Self {
        let len = plan.steps().len();
        let mut graph = Self {
            dependents: vec![Vec::new(); len],
            waits: Vec::with_capacity(len),
            ends: plan.indices().map(|at| StepIndex(at.0 + 1)).collect(),
            bodies: Vec::with_capacity(len),
            by_id: HashMap::new(),
            named: HashMap::new(),
            first_finally: StepIndex(0),
            len: len as u32,
        };
        for (at, step) in plan.indices().zip(plan.steps()) {
            for need in &step.needs {
                graph.dependents[need.get()].push(at);
            }
            graph.waits.push(step.needs.len() as u32 + u32::from(step.parent.is_some()));
            let body = step.parent.and_then(|parent| match plan.step(parent).kind {
                StepKind::Loop(_) => Some(at),
                _ => graph.bodies[parent.get()],
            });
            graph.bodies.push(body);
            graph.named.entry(step.id.clone()).or_default().push(at);
            graph.by_id.entry(step.parent).or_default().insert(step.id.clone(), at);
        }
        for at in plan.indices().rev() {
            if let Some(parent) = plan.step(at).parent {
                graph.ends[parent.get()] = graph.ends[parent.get()].max(graph.ends[at.get()]);
            }
        }
        let main = plan.steps().iter().take_while(|step| step.section == Section::Steps).count();
        graph.first_finally = StepIndex(main as u32);
        graph
    }

    pub(super) fn dependents(&self, step: StepIndex) -> &[StepIndex] {
        self.dependents.get(step.get()).map_or(&[], Vec::as_slice)
    }

    /// The number of things a step waits for before anything ran.
    pub(super) fn waits(&self, step: StepIndex) -> u32 {
        self.waits.get(step.get()).copied().unwrap_or(0)
    }

    /// The place behind a step and all that stands inside it.
    pub(super) fn end(&self, step: StepIndex) -> StepIndex {
        self.ends.get(step.get()).copied().unwrap_or(step)
    }

    /// The innermost step of a loop's items that a step is or stands in.
    pub(super) fn body(&self, step: StepIndex) -> Option<StepIndex> {
        self.bodies.get(step.get()).copied().flatten()
    }

    /// The step with that id directly inside another, or inside none.
    pub(super) fn find(&self, around: Option<StepIndex>, id: &str) -> Option<StepIndex> {
        self.by_id.get(&around)?.get(id).copied()
    }

    /// The steps with that id, wherever they stand, ascending.
    pub(super) fn named(&self, id: &str) -> &[StepIndex] {
        self.named.get(id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn section(&self, step: StepIndex) -> Section {
        if step >= self.first_finally { Section::Finally } else { Section::Steps }
    }

    pub(super) fn is_finally(&self, step: StepIndex) -> bool {
        step >= self.first_finally
    }

    pub(super) fn finally(&self) -> impl Iterator<Item = StepIndex> + use<> {
        (self.first_finally.0..self.len).map(StepIndex)
    }
}

/// The steps directly inside a block or call; none for an action, and for a loop, whose items are nodes of their own.
pub(super) fn children(plan: &Plan, step: StepIndex) -> &[StepIndex] {
    match &plan.step(step).kind {
        StepKind::Block { children } | StepKind::Call { children, .. } => children,
        StepKind::Action(_) | StepKind::Loop(_) => &[],
    }
}
