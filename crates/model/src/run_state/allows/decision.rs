//! When a person's word is legal.

use super::{Allowed, refused};
use crate::ids::NodeIndex;
use crate::node_path::NodePath;
use crate::record::{Decision, Verdict};
use crate::run_state::lane::Lane;
use crate::run_state::node_state::StepState;
use crate::run_state::{Phase, RunState};

impl RunState {
    /// The nodes that a person has to decide about before the run can go on, ascending: in doubt although somebody
    /// looked, or failed so that the run may not go on.
    pub fn undecided(&self) -> Vec<NodeIndex> {
        let is_in_doubt = |at: &NodeIndex| matches!(self.step(*at), StepState::InDoubt { .. });
        let both = || self.lanes.iter();
        let in_doubt = both().flat_map(|lanes| lanes.asking.iter().copied().filter(is_in_doubt));
        let mut nodes: Vec<_> =
            in_doubt.chain(both().flat_map(|lanes| lanes.stopping.iter().copied())).collect();
        nodes.sort_unstable();
        nodes
    }

    /// Whether a person may decide about a node now: `Retry`, `Skip` and `MarkDone` are legal then.
    pub fn may_be_decided(&self, node: &NodePath) -> bool {
        self.is_decidable(node).is_ok()
    }

    pub(super) fn may_decide(&self, node: Option<&NodePath>, decision: &Decision) -> Allowed {
        match decision {
            Decision::Retry | Decision::Skip | Decision::MarkDone { .. } => {
                self.is_decidable(node.ok_or_else(|| refused("it must name a step"))?)
            }
            Decision::Pause | Decision::Cancel | Decision::KeepPinned { .. } => match node {
                None => self.not_finished(),
                Some(node) => Err(refused(format!("it is about the whole run, not about `{node}`"))),
            },
            Decision::Rollback | Decision::Override => {
                self.not_finished()?;
                node.map_or(Ok(()), |node| self.known(node).map(drop))
            }
        }
    }

    /// A step about which a person may decide: it is in doubt and looking did not tell, its failure stops the run, or it
    /// waits for its next attempt. Of a doubt that nobody has looked into, the attempt may still be going on.
    fn is_decidable(&self, node: &NodePath) -> Allowed {
        match self.phase {
            Phase::Finished(Verdict::Failed) | Phase::Running | Phase::Stopped(_) => {}
            Phase::Finished(verdict) => {
                return Err(refused(format!("the run is finished: {}", verdict.as_str())));
            }
        }
        let at = self.known(node)?;
        match (self.step(at), self.state(at).lane) {
            (StepState::InDoubt { asked: None, .. }, _) => {
                Err(refused(format!("step `{node}` is in doubt, and was not looked at yet")))
            }
            (StepState::InDoubt { .. } | StepState::Retrying { .. }, _) => Ok(()),
            (_, Lane::Stopping) if self.is_in_loop_that_is_over(at) => {
                Err(refused(format!("the loop around step `{node}` is over, within its budget for failures")))
            }
            (_, Lane::Stopping) => Ok(()),
            _ => Err(refused(format!(
                "step `{node}` is {}: it is neither in doubt nor stops the run",
                self.status(at).as_str()
            ))),
        }
    }
}
