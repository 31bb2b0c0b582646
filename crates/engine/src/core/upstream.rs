//! What a step of a dry run waits for, and whether any of it would have changed something.

use std::collections::BTreeSet;

use lifeboat_model::plan::{ActionCall, StepKind};
use lifeboat_model::{Effect, Observation, StepId, StepIndex, StepState};

use super::Core;

impl Core {
    /// A step that `at` waits for, directly or through others, and whose change a dry run did not make.
    pub(super) fn change_not_made_before(&self, at: StepIndex) -> Option<StepId> {
        let plan = self.state.plan();
        let mut seen = BTreeSet::new();
        let mut open = vec![at];
        while let Some(next) = open.pop() {
            if next != at && self.would_change(next) {
                return Some(plan.step(next).id.clone());
            }
            let step = plan.step(next);
            let inside: &[StepIndex] = match &step.kind {
                StepKind::Block { children } if !is_around(self, next, at) => children,
                StepKind::Block { .. } | StepKind::Action(_) => &[],
            };
            let before = step.needs.iter().chain(step.parent.as_ref()).chain(inside);
            open.extend(before.copied().filter(|step| seen.insert(*step)));
        }
        None
    }

    fn would_change(&self, at: StepIndex) -> bool {
        let not_made = matches!(
            self.state.step(at),
            StepState::Rehearsed {
                observation: Observation::Pending { .. } | Observation::Unknown { .. },
                ..
            }
        );
        // A call that was not made because nobody vouches for it may well be one that changes something.
        let may_change = |call: &ActionCall| call.effect == Effect::Write || call.harmless.is_unvouched();
        not_made && self.state.plan().step(at).action().is_some_and(|action| may_change(&action.call))
    }
}

/// Whether `block` is one of the blocks around `at`: what else stands in it does not come before `at`.
fn is_around(core: &Core, block: StepIndex, at: StepIndex) -> bool {
    let parent = |step: StepIndex| core.state.plan().step(step).parent;
    std::iter::successors(parent(at), |step| parent(*step)).any(|around| around == block)
}
