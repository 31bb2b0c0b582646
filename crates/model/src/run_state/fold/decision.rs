//! Folds a person's word in.

use crate::ids::NodeIndex;
use crate::node_path::NodePath;
use crate::outcome::{Footprint, Outcome};
use crate::record::{Decision, StopReason};
use crate::run_state::node_state::{Applied, DoneBy, NodeState, StepState};
use crate::run_state::{Course, Deviation, Phase, RunState};

impl RunState {
    pub(super) fn decide(&mut self, node: Option<&NodePath>, decision: &Decision, actor: &str, reason: &str) {
        let at = node.map(|node| self.expect(node));
        match (decision, at) {
            (Decision::Retry, Some(at)) => self.set_back(at),
            (Decision::Skip, Some(at)) => {
                self.deviation(node, "skipped", actor, reason);
                self.settle(at, Applied::Skipped { why: format!("{actor}: {reason}") });
            }
            (Decision::MarkDone { outputs }, Some(at)) => {
                self.deviation(node, "marked as done", actor, reason);
                let evidence = format!("{actor}: {reason}");
                let outcome = Outcome { evidence, outputs: outputs.clone(), ..Outcome::default() };
                self.leaves_behind(at, Footprint::Full);
                self.settle(at, Applied::Done { by: DoneBy::Person, outcome });
            }
            (Decision::Cancel, _) => self.turn(Course::Cancelled),
            (Decision::Rollback, _) => self.turn(Course::RollingBack),
            (Decision::Override, _) => self.deviation(node, "overridden", actor, reason),
            (Decision::KeepPinned { edited }, _) => {
                self.kept_edits.insert(edited.clone());
                let what = "went on with the pinned runbook although its file was edited";
                self.deviation(node, what, actor, reason);
            }
            (Decision::Pause | Decision::Retry | Decision::Skip | Decision::MarkDone { .. }, _) => {}
        }
    }

    fn deviation(&mut self, node: Option<&NodePath>, what: &str, actor: &str, reason: &str) {
        self.deviations.push(Deviation {
            node: node.cloned(),
            what: what.to_owned(),
            actor: Some(actor.to_owned()),
            reason: reason.to_owned(),
            at: self.now,
        });
    }

    /// The run heads elsewhere.
    pub(super) fn turn(&mut self, course: Course) {
        self.course = course;
        self.tasks.push(crate::run_state::Task::Halt(crate::run_state::nodes::Scope::Run));
        self.follow_up();
    }

    /// A node is begun afresh.
    fn set_back(&mut self, at: NodeIndex) {
        self.reopen(at);
        self.update(at, |state| {
            (state.work, state.result, state.failures, state.started_at) = (None, None, 0, None);
            state.unstarted = 0;
        });
        self.has_been_decided();
    }

    fn settle(&mut self, at: NodeIndex, result: Applied) {
        self.reopen(at);
        self.end(at, result);
        self.has_been_decided();
    }

    /// `finally` runs again after a reopened run ends, also when its first time was interrupted.
    fn reopen(&mut self, decided: NodeIndex) {
        if let Phase::Finished(_) = self.phase {
            self.phase = Phase::Stopped(StopReason::Paused);
        }
        let in_steps = !self.graph.is_finally(self.nodes.template(decided));
        if self.course == Course::Forward && in_steps && self.finally_began() {
            self.ending_again = true;
        }
    }

    /// A run that waited for a person waits no longer once nothing is left to decide.
    fn has_been_decided(&mut self) {
        let waits = self.phase == Phase::Stopped(StopReason::NeedsPerson);
        if waits && self.lanes.iter().all(|lanes| lanes.asking.is_empty()) {
            self.phase = Phase::Stopped(StopReason::Paused);
        }
    }

    /// Sets an ending back that will come again. An attempt of it that may still be going on comes to its end first.
    pub(super) fn forget_interrupted_ending(&mut self) {
        if !self.ending_again {
            return;
        }
        let finally: Vec<_> = self.graph.finally().map(|step| NodeIndex(step.0)).collect();
        let is_open =
            |at: &NodeIndex| matches!(self.step(*at), StepState::Running { .. } | StepState::InDoubt { .. });
        if finally.iter().any(is_open) {
            return;
        }
        self.ending_again = false;
        for at in finally {
            let before = &self.states[at.get()];
            let (attempts, footprint, boot) = (before.attempts, before.footprint, before.boot.clone());
            self.states[at.get()] = NodeState { attempts, footprint, boot, ..NodeState::default() };
            self.touched.insert(at);
        }
        self.derive();
    }
}
