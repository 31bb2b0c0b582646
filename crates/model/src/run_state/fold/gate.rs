//! A gate opens, is voted on, and has its answer.

use crate::node_path::NodePath;
use crate::outcome::{Failure, Outcome};
use crate::record::{GateDecision, OpenGate, Vote};
use crate::run_state::RunState;
use crate::run_state::node_state::{Applied, DoneBy};

impl RunState {
    pub(super) fn open_gate_at(&mut self, node: &NodePath, gate: &OpenGate) {
        let (at, now) = (self.expect(node), self.now);
        self.update(at, |state| {
            state.started_at = Some(now);
            state.gate = Some(Box::new(gate.clone()));
        });
    }

    pub(super) fn vote(&mut self, node: &NodePath, vote: &Vote) {
        let at = self.expect(node);
        self.update(at, |state| {
            if let Some(gate) = &mut state.gate {
                gate.votes.push(vote.clone());
            }
        });
    }

    pub(super) fn decide_gate(&mut self, node: &NodePath, decision: GateDecision, why: &str) {
        let at = self.expect(node);
        let result = match decision {
            GateDecision::Approved => Applied::Done {
                by: DoneBy::Gate,
                outcome: Outcome { evidence: why.to_owned(), ..Outcome::default() },
            },
            GateDecision::Rejected | GateDecision::Expired => {
                Applied::Failed { failure: Failure::permanent(why) }
            }
            GateDecision::Withdrawn => Applied::Cancelled { why: why.to_owned() },
        };
        self.end(at, result);
    }
}
