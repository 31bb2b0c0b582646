//! A node opens, begins, ends and is in doubt.

use jiff::Timestamp;
use serde_json::Value;

use crate::ids::{Attempt, Effort, NodeIndex};
use crate::node_path::NodePath;
use crate::outcome::{Failure, Footprint, Outcome};
use crate::record::{Items, Resolution, StepEnd};
use crate::run_state::RunState;
use crate::run_state::loops::LoopState;
use crate::run_state::node_state::{
    Accepted, Applied, DoneBy, NodeState, StepState, Undone, Work, WorkPhase,
};

impl RunState {
    pub(super) fn open_node(&mut self, node: &NodePath) {
        let at = self.expect(node);
        self.begin(at);
        self.open(at);
        self.follow_up();
    }

    pub(super) fn expand(&mut self, node: &NodePath, items: &Items) {
        let at = self.expect(node);
        self.begin(at);
        self.add_items(at, items.clone());
        self.open(at);
        self.follow_up();
    }

    fn begin(&mut self, at: NodeIndex) {
        let state = &mut self.states[at.get()];
        state.opened = true;
        state.started_at = Some(self.now);
        self.touched.insert(at);
    }

    /// Makes the nodes of a loop's items.
    pub(in crate::run_state) fn add_items(&mut self, at: NodeIndex, items: Items) {
        let first = self.nodes.len();
        self.loops.push(LoopState::new(items.len()));
        self.nodes.expand(at, items);
        self.states.resize(self.nodes.len(), NodeState::default());
        for new in (first..self.nodes.len()).map(|new| NodeIndex(new as u32)) {
            self.states[new.get()].waits_for = self.graph.waits(self.nodes.template(new));
            if !self.nodes.is_template(new) {
                self.count(new, 1);
            }
        }
    }

    pub(super) fn open_next_batch(&mut self, node: &NodePath) {
        let of = self.nodes.expansion_of(self.expect(node)).expect("bug: the record was found legal");
        self.open_batch(of);
        self.follow_up();
    }

    pub(super) fn start(&mut self, node: &NodePath, effort: Effort, attempt: Attempt) {
        let at = self.expect(node);
        let (now, boot) = (self.now, self.present_boot());
        let due = matches!(self.step(at), StepState::Retrying { .. });
        self.update(at, |state| {
            state.attempts = attempt.0;
            state.boot = boot;
            // An attempt that goes on where one in doubt broke off began when that one did.
            if due || effort == Effort::Undo || state.started_at.is_none() {
                state.started_at = Some(now);
            }
            state.ended_at = None;
            state.work = Some(Box::new(Work { effort, attempt, phase: WorkPhase::Running, accepted: None }));
        });
    }

    pub(super) fn remember(&mut self, node: &NodePath, note: &Value) {
        let at = self.expect(node);
        self.update(at, |state| state.notes.push(note.clone()));
    }

    pub(super) fn accept(&mut self, node: &NodePath, outcome: &Outcome, until: Timestamp) {
        let at = self.expect(node);
        self.update(at, |state| {
            if let Some(work) = &mut state.work {
                work.accepted = Some(Accepted { outcome: outcome.clone(), until });
            }
            state.leaves_behind(Footprint::Full);
        });
    }

    pub(super) fn fail_attempt(&mut self, node: &NodePath, failure: &Failure, due: Timestamp) {
        let at = self.expect(node);
        self.update(at, |state| {
            state.failures += 1;
            state.unstarted = 0;
            state.leaves_behind(failure.footprint());
            state.set_phase(WorkPhase::Retrying { failure: failure.clone(), due });
        });
    }

    pub(super) fn finish_step(&mut self, node: &NodePath, end: &StepEnd) {
        let at = self.expect(node);
        match (self.effort(at), end) {
            (Effort::Apply, StepEnd::Skipped { why }) => self.skip(at, why),
            (Effort::Apply, StepEnd::Succeeded(outcome)) => {
                self.leaves_behind(at, Footprint::Full);
                self.end(at, Applied::Done { by: DoneBy::Action, outcome: outcome.clone() });
            }
            (Effort::Apply, StepEnd::InPlace { evidence, outputs, warnings }) => {
                let outcome = Outcome {
                    evidence: evidence.clone(),
                    outputs: outputs.clone(),
                    warnings: warnings.clone(),
                };
                self.end(at, Applied::Done { by: DoneBy::InPlace, outcome });
            }
            (Effort::Apply, StepEnd::Failed(failure)) => self.fail(at, failure),
            (
                Effort::Undo,
                StepEnd::Succeeded(Outcome { evidence, .. }) | StepEnd::InPlace { evidence, .. },
            ) => {
                self.taken_back(at, evidence);
            }
            (Effort::Undo, StepEnd::Skipped { why }) => self.taken_back(at, why),
            (Effort::Undo, StepEnd::Failed(failure)) => self.undo_failed(at, failure),
        }
    }

    /// What the present effort of a node is for.
    fn effort(&self, at: NodeIndex) -> Effort {
        self.states[at.get()].work.as_ref().map_or(Effort::Apply, |work| work.effort)
    }

    pub(super) fn leaves_behind(&mut self, at: NodeIndex, footprint: Footprint) {
        let changes =
            self.template(at).action().is_some_and(|action| action.call.effect == crate::Effect::Write);
        if changes {
            self.update(at, |state| state.leaves_behind(footprint));
        }
    }

    /// Ends a node, and what stands inside it, without having begun. Nothing follows from the ends of what stands inside,
    /// since it never opens.
    pub(super) fn skip(&mut self, at: NodeIndex, why: &str) {
        let template = self.nodes.template(at);
        let behind = at.0 + self.graph.end(template).0 - template.0;
        let inside = (at.0 + 1..behind).map(NodeIndex).filter(|inside| !self.nodes.is_template(*inside));
        for inside in inside.collect::<Vec<_>>() {
            self.count(inside, -1);
            self.states[inside.get()].result = Some(Box::new(Applied::Skipped { why: why.to_owned() }));
            self.count(inside, 1);
            self.touched.insert(inside);
        }
        self.end(at, Applied::Skipped { why: why.to_owned() });
    }

    fn fail(&mut self, at: NodeIndex, failure: &Failure) {
        self.leaves_behind(at, failure.footprint());
        self.end(at, Applied::Failed { failure: failure.clone() });
    }

    fn taken_back(&mut self, at: NodeIndex, evidence: &str) {
        let now = self.now;
        self.update(at, |state| {
            (state.work, state.ended_at, state.footprint) = (None, Some(now), Footprint::TakenBack);
            state.undo = Some(Box::new(Undone::Undone { evidence: evidence.to_owned() }));
        });
    }

    fn undo_failed(&mut self, at: NodeIndex, failure: &Failure) {
        let now = self.now;
        self.update(at, |state| {
            (state.work, state.ended_at) = (None, Some(now));
            state.undo = Some(Box::new(Undone::Failed { failure: failure.clone() }));
        });
    }

    pub(super) fn doubt(&mut self, node: &NodePath, cause: &str) {
        let at = self.expect(node);
        self.update(at, |state| state.set_phase(WorkPhase::InDoubt { cause: cause.to_owned(), asked: None }));
    }

    /// `free`: an attempt is repeated, if it is, because it is proven never to have begun.
    pub(super) fn count_unstarted(&mut self, node: &NodePath, resolution: &Resolution, free: bool) {
        let at = self.expect(node);
        let state = &mut self.states[at.get()];
        state.unstarted = match resolution {
            Resolution::Rerun if free => state.unstarted + 1,
            Resolution::Ask => state.unstarted,
            Resolution::Rerun | Resolution::Done(_) | Resolution::Failed(_) => 0,
        };
    }

    pub(super) fn resolve(
        &mut self,
        node: &NodePath,
        evidence: &str,
        resolution: &Resolution,
        retry_at: Option<Timestamp>,
    ) {
        let at = self.expect(node);
        let (StepState::InDoubt { cause, .. }, effort) = (self.step(at), self.effort(at)) else { return };
        let cause = cause.to_owned();
        if retry_at.is_some() {
            self.update(at, |state| state.failures += 1);
        }
        match (resolution, effort) {
            (Resolution::Done(outcome), Effort::Apply) => {
                self.leaves_behind(at, Footprint::Full);
                self.end(at, Applied::Done { by: DoneBy::Doubt, outcome: outcome.clone() });
            }
            (Resolution::Done(outcome), Effort::Undo) => self.taken_back(at, &outcome.evidence),
            (Resolution::Rerun, _) => self.update(at, |state| match retry_at {
                Some(due) => {
                    let failure = Failure::transient(format!("{cause}; {evidence}"));
                    state.set_phase(WorkPhase::Retrying { failure, due });
                }
                None => state.work = None,
            }),
            (Resolution::Failed(failure), Effort::Apply) => self.fail(at, failure),
            (Resolution::Failed(failure), Effort::Undo) => self.undo_failed(at, failure),
            (Resolution::Ask, _) => self.update(at, |state| {
                state.set_phase(WorkPhase::InDoubt { cause, asked: Some(evidence.to_owned()) });
            }),
        }
    }
}

impl NodeState {
    pub(super) fn set_phase(&mut self, phase: WorkPhase) {
        if let Some(work) = &mut self.work {
            work.phase = phase;
        }
    }

    /// Adds what an attempt left behind to what those before it did.
    pub(super) fn leaves_behind(&mut self, footprint: Footprint) {
        self.footprint = self.footprint.and(footprint);
    }
}
