//! When a node may open, begin, end and be in doubt.

use super::{Allowed, Refused, refused};
use crate::ids::{Attempt, Effort, NodeIndex};
use crate::node_path::NodePath;
use crate::plan::StepKind;
use crate::record::{Items, Mode, StepEnd};
use crate::run_state::lane::Lane;
use crate::run_state::node_state::{Block, StepState};
use crate::run_state::{Course, RunState};

impl RunState {
    pub(super) fn may_open(&self, node: &NodePath) -> Allowed {
        let at = self.ready(node)?;
        match self.template(at).kind {
            StepKind::Block { .. } | StepKind::Call { .. } => Ok(()),
            StepKind::Action(_) | StepKind::Loop(_) => Err(refused(format!("`{node}` is no block"))),
        }
    }

    pub(super) fn may_expand(&self, node: &NodePath, items: &Items) -> Allowed {
        let at = self.ready(node)?;
        if !self.nodes.is_loop(at) {
            return Err(refused(format!("`{node}` is no loop")));
        }
        self.nodes.refuse_items(at, items).map_or(Ok(()), |why| Err(refused(why)))
    }

    pub(super) fn may_open_batch(&self, node: &NodePath, batch: u32) -> Allowed {
        self.is_driven()?;
        let at = self.known(node)?;
        let follows =
            |of: crate::run_state::nodes::ExpansionIndex| self.loops[of.get()].progress.batch + 1 == batch;
        match self.state(at).lane {
            Lane::Due(_) if self.nodes.expansion_of(at).is_some_and(follows) => Ok(()),
            _ => Err(refused(format!("batch {batch} of `{node}` does not follow"))),
        }
    }

    pub(super) fn may_start(&self, node: &NodePath, effort: Effort, attempt: Attempt) -> Allowed {
        self.is_driven()?;
        let at = self.known(node)?;
        if self.template(at).action().is_none() {
            return Err(refused(format!("`{node}` calls no action")));
        }
        let is_due = matches!(self.step(at), StepState::Retrying { effort: due, .. } if due == effort);
        let may = match effort {
            Effort::Apply => is_due || self.state(at).lane == Lane::Ready,
            Effort::Undo => is_due || self.may_be_undone(at),
        };
        if !may {
            return Err(refused(format!("step `{node}` may not start: it is {}", self.status(at).as_str())));
        }
        if attempt.0 != self.attempts(at) + 1 {
            return Err(refused(format!(
                "attempt {attempt} of step `{node}` follows attempt {}",
                self.attempts(at)
            )));
        }
        Ok(())
    }

    /// Whether an effort to undo may begin: the run is rolled back, and something of the node is out there.
    fn may_be_undone(&self, at: NodeIndex) -> bool {
        let node = self.state(at);
        self.course == Course::RollingBack
            && node.work.is_none()
            && node.result.is_some()
            && node.is_in_effect()
    }

    pub(super) fn may_finish_step(
        &self,
        node: &NodePath,
        attempt: Option<Attempt>,
        end: &StepEnd,
    ) -> Allowed {
        self.is_driven()?;
        match (attempt, end) {
            (Some(attempt), _) => self.running(node, attempt).map(drop),
            (None, StepEnd::Succeeded(_) | StepEnd::InPlace { .. }) => {
                Err(refused(format!("step `{node}` was never tried")))
            }
            (None, StepEnd::Skipped { .. } | StepEnd::Failed(_)) => {
                let at = self.known(node)?;
                if matches!(self.step(at), StepState::Retrying { .. }) {
                    Ok(())
                } else {
                    self.ready(node).map(drop)
                }
            }
        }
    }

    pub(super) fn may_rehearse(&self, node: &NodePath) -> Allowed {
        match self.mode() {
            Mode::DryRun => self.ready(node).map(drop),
            Mode::Live | Mode::Drill => Err(refused("only a dry run rehearses")),
        }
    }

    pub(super) fn may_doubt(&self, node: &NodePath, attempt: Attempt) -> Allowed {
        self.is_driven()?;
        self.doubted(node, attempt).or_else(|_| self.running(node, attempt)).map(drop)
    }

    /// A node that may start, or open, for the first time or again.
    pub(super) fn ready(&self, node: &NodePath) -> Result<NodeIndex, Refused> {
        self.is_driven()?;
        let at = self.known(node)?;
        match self.state(at).lane {
            Lane::Ready => Ok(at),
            _ => Err(refused(format!("step `{node}` may not start: it is {}", self.status(at).as_str()))),
        }
    }

    pub(super) fn running(&self, node: &NodePath, attempt: Attempt) -> Result<NodeIndex, Refused> {
        let at = self.known(node)?;
        match self.step(at) {
            StepState::Running { attempt: running, .. } if running == attempt => Ok(at),
            _ => Err(refused(format!("attempt {attempt} of step `{node}` is not running"))),
        }
    }

    pub(super) fn doubted(&self, node: &NodePath, attempt: Attempt) -> Result<NodeIndex, Refused> {
        let at = self.known(node)?;
        match self.step(at) {
            StepState::InDoubt { attempt: doubted, .. } if doubted == attempt => Ok(at),
            other => Err(refused(format!("step `{node}` is {}, not in doubt", other.status().as_str()))),
        }
    }

    pub(super) fn open_gate(&self, node: &NodePath) -> Result<NodeIndex, Refused> {
        let at = self.known(node)?;
        match self.state(at).gate {
            Some(_) => Ok(at),
            None => Err(refused(format!("no gate is open at step `{node}`"))),
        }
    }

    /// Whether all that waited for a loop may have begun.
    pub(super) fn is_in_loop_that_is_over(&self, mut at: NodeIndex) -> bool {
        while let Some(around) = self.parent(at) {
            if self.nodes.is_loop(around) && self.state(around).block == Block::Over {
                return true;
            }
            at = around;
        }
        false
    }
}
