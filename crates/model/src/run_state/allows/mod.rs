//! Whether a record is legal in the present state: every rule about it, apart from what follows from the record.
//!
//! An operator's word that is not legal any more is refused with the reason. A driver asks before it writes, and the fold
//! cannot fail, so that a late word never stops a failover.

mod decision;
mod run;
mod step;

use crate::ids::{NodeIndex, Seq};
use crate::node_path::NodePath;
use crate::record::{Record, RecordBody};
use crate::run_state::{Phase, RunState};

/// A record that is not legal in the state it meets: the journal is damaged, or its writer has a bug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {seq} is not legal here: {why}")]
pub struct IllegalRecord {
    /// The record.
    pub seq: Seq,
    /// Why not.
    pub why: String,
}

/// Why a record is not legal now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub(super) String);

pub(super) type Allowed = Result<(), Refused>;

fn refused(why: impl Into<String>) -> Refused {
    Refused(why.into())
}

impl RunState {
    /// Whether a record with this body may follow now.
    ///
    /// # Errors
    /// Why not, in words for people.
    pub fn allows(&self, body: &RecordBody) -> Allowed {
        match body {
            RecordBody::RunCreated(_) => Err(refused("the run exists already")),
            RecordBody::RunResumed { .. } => self.not_finished(),
            RecordBody::NodeOpened { node, .. } => self.may_open(node),
            RecordBody::LoopExpanded { node, items } => self.may_expand(node, items),
            RecordBody::BatchOpened { node, batch } => self.may_open_batch(node, *batch),
            RecordBody::StepStarted { node, effort, attempt, .. } => self.may_start(node, *effort, *attempt),
            RecordBody::AttemptNoted { node, attempt, .. }
            | RecordBody::ChangeAccepted { node, attempt, .. } => {
                self.is_driven()?;
                self.running(node, *attempt).map(drop)
            }
            RecordBody::AttemptFailed { node, attempt, .. } => {
                self.is_driven()?;
                self.running(node, *attempt).map(drop)
            }
            RecordBody::StepFinished { node, attempt, end } => self.may_finish_step(node, *attempt, end),
            RecordBody::StepRehearsed { node, .. } => self.may_rehearse(node),
            RecordBody::StepInDoubt { node, attempt, .. } => self.may_doubt(node, *attempt),
            RecordBody::DoubtResolved { node, attempt, .. } => {
                self.is_driven()?;
                self.doubted(node, *attempt).map(drop)
            }
            RecordBody::GateOpened { node, .. } => self.ready(node).map(drop),
            RecordBody::GateVoted { node, .. } => {
                self.not_finished()?;
                self.open_gate(node).map(drop)
            }
            RecordBody::GateDecided { node, .. } => {
                self.is_driven()?;
                self.open_gate(node).map(drop)
            }
            RecordBody::RequirementMet { node, required, .. } => {
                self.is_driven()?;
                self.known(node)?;
                self.known(required).map(drop)
            }
            RecordBody::OperatorDecided { node, decision, .. } => self.may_decide(node.as_ref(), decision),
            RecordBody::GuardTripped { node, .. } => {
                self.is_driven()?;
                node.as_ref().map_or(Ok(()), |node| self.known(node).map(drop))
            }
            RecordBody::RollbackBegan { node, .. } => {
                self.not_finished()?;
                node.as_ref().map_or(Ok(()), |node| self.known(node).map(drop))
            }
            RecordBody::LockTaken { .. } | RecordBody::RunEdited { .. } => self.not_finished(),
            RecordBody::RunStopped { .. } => self.may_stop(),
            RecordBody::RunFinished { verdict } => self.may_finish(*verdict),
            RecordBody::LockReleased { .. } | RecordBody::Told { .. } | RecordBody::Note { .. } => Ok(()),
        }
    }

    /// Whether a record follows the newest one, and comes from the newest driver or one that takes over.
    pub(super) fn follows(&self, record: &Record) -> Allowed {
        if record.seq != self.seq.next() {
            return Err(refused(format!("it follows record {}", self.seq)));
        }
        let takes_over = matches!(
            record.body,
            RecordBody::RunResumed { .. }
                | RecordBody::OperatorDecided { .. }
                | RecordBody::GateVoted { .. }
                | RecordBody::RunEdited { .. }
                | RecordBody::Note { .. }
        );
        if record.epoch < self.epoch || (record.epoch > self.epoch && !takes_over) {
            return Err(refused(format!("its epoch is {}, the run's is {}", record.epoch, self.epoch)));
        }
        Ok(())
    }

    fn is_driven(&self) -> Allowed {
        match self.phase {
            Phase::Running => Ok(()),
            Phase::Stopped(_) => Err(refused("nobody drives the run")),
            Phase::Finished(verdict) => Err(refused(format!("the run is finished: {}", verdict.as_str()))),
        }
    }

    fn not_finished(&self) -> Allowed {
        match self.phase {
            Phase::Running | Phase::Stopped(_) => Ok(()),
            Phase::Finished(verdict) => Err(refused(format!("the run is finished: {}", verdict.as_str()))),
        }
    }

    fn known(&self, node: &NodePath) -> Result<NodeIndex, Refused> {
        self.find(node).ok_or_else(|| refused(format!("the plan has no step `{node}`")))
    }

    /// The node of a record that was found legal.
    pub(super) fn expect(&self, node: &NodePath) -> NodeIndex {
        self.find(node).expect("bug: the record was found legal")
    }
}
