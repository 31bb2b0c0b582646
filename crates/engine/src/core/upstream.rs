//! What a step of a dry run waits for, and whether any of it would have changed something.

use std::collections::BTreeSet;

use lifeboat_model::plan::ActionCall;
use lifeboat_model::{Effect, NodeIndex, NodePath, Observation, StepState};

use super::Core;

impl Core {
    /// A node that `at` waits for, directly or through others, and whose change a dry run did not make.
    pub(super) fn change_not_made_before(&self, at: NodeIndex) -> Option<NodePath> {
        let around: BTreeSet<_> =
            std::iter::successors(self.state.parent(at), |node| self.state.parent(*node)).collect();
        let mut seen = BTreeSet::new();
        let mut open = vec![at];
        while let Some(next) = open.pop() {
            if next != at && self.would_change(next) {
                return Some(self.state.path(next));
            }
            // What else stands in a block around `at` does not come before it.
            let inside =
                if next == at || around.contains(&next) { Vec::new() } else { self.state.children(next) };
            let before = self.state.needs(next).into_iter().chain(self.state.parent(next)).chain(inside);
            open.extend(before.filter(|node| seen.insert(*node)));
        }
        None
    }

    fn would_change(&self, at: NodeIndex) -> bool {
        let not_made = matches!(
            self.state.step(at),
            StepState::Rehearsed {
                observation: Observation::Pending { .. } | Observation::Unknown { .. },
                ..
            }
        );
        // A call that was not made because nobody vouches for it may well be one that changes something.
        let may_change = |call: &ActionCall| call.effect == Effect::Write || call.harmless.is_unvouched();
        not_made && self.state.template(at).action().is_some_and(|action| may_change(&action.call))
    }
}
