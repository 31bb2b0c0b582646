//! Starting a step: conditions, parameters, and the record before the call.

use jiff::Timestamp;
use lifeboat_model::outcome::Without;
use lifeboat_model::plan::{ActionCall, ActionStep};
use lifeboat_model::record::StepEnd;
use lifeboat_model::template::Filled;
use lifeboat_model::{
    Attempt, Effort, Failure, NodeIndex, NodePath, Observation, RecordBody, StepKind, StepState,
};
use serde_json::Value;

use super::fill::Parameters;
use super::opening::Undecided;
use super::{Act, Core, Response};
use crate::doubt::Finding;
use crate::job::{Call, Job};

/// What the conditions and parameters of a step come to.
enum Prepared {
    /// It can be called.
    Ready { job: Box<Job>, masked: Value },
    /// A condition is false.
    Skip { why: String },
    /// Something it uses is not known.
    Unknown { why: String, masked: Value },
    /// A template fails.
    Cannot { why: String },
}

impl Core {
    /// Starts a node that may start, opens it, or ends it at once.
    pub(super) fn begin(&mut self, now: Timestamp, at: NodeIndex, response: &mut Response) {
        match &self.state.template(at).kind {
            StepKind::Action(_) => self.begin_action(now, at, response),
            StepKind::Block { .. } | StepKind::Call { .. } | StepKind::Loop(_) => {
                let body = self.opening(at);
                self.record(now, body, response);
            }
        }
    }

    fn begin_action(&mut self, now: Timestamp, at: NodeIndex, response: &mut Response) {
        let (node, attempt) = (self.path(at), Attempt(self.state.attempts(at) + 1));
        match (self.prepare(now, at, attempt), self.is_dry_run()) {
            (Prepared::Skip { why }, _) => {
                let end = StepEnd::Skipped { why };
                self.record(now, RecordBody::StepFinished { node, attempt: None, end }, response);
            }
            (Prepared::Ready { job, masked }, false) => {
                let effort = Effort::Apply;
                let key = self.state.key(at, effort);
                self.inherited.remove(&at);
                self.record(
                    now,
                    RecordBody::StepStarted { node, effort, attempt, key, with: masked },
                    response,
                );
                response.acts.push(Act::Attempt(*job));
            }
            (Prepared::Ready { job, .. }, true) => {
                self.looking.insert(at);
                response.acts.push(Act::Rehearse(*job));
            }
            (Prepared::Unknown { why, masked }, true) => {
                self.not_asked(now, node, Observation::Unknown { why }, masked, response);
            }
            (Prepared::Cannot { why }, true) => {
                self.not_asked(now, node, Observation::Blocked { why }, Value::Null, response);
            }
            (Prepared::Unknown { why, .. } | Prepared::Cannot { why }, false) => {
                let end = StepEnd::Failed(Failure::permanent(format!("cannot start: {why}")));
                self.record(now, RecordBody::StepFinished { node, attempt: None, end }, response);
            }
        }
    }

    /// Records what a dry run can say of a step without asking its action.
    fn not_asked(
        &mut self,
        now: Timestamp,
        node: NodePath,
        observation: Observation,
        with: Value,
        response: &mut Response,
    ) {
        let without = Without::new();
        self.record(now, RecordBody::StepRehearsed { node, observation, with, without }, response);
    }

    /// Looks into a doubt.
    pub(super) fn look_into(&mut self, now: Timestamp, at: NodeIndex, response: &mut Response) {
        let attempt = Attempt(self.state.attempts(at));
        if let Some(seen) = self.unchecked.remove(&at) {
            let finding = Finding::unknown(seen, self.action(at).on_unknown);
            return self.looked(now, at, attempt, finding, response);
        }
        self.looking.insert(at);
        let (job, cannot) = match self.parameters(now, at, attempt) {
            Prepared::Ready { job, .. } => (*job, None),
            Prepared::Skip { why } | Prepared::Unknown { why, .. } | Prepared::Cannot { why } => {
                (self.job(now, at, attempt, Parameters::default(), None), Some(why))
            }
        };
        response.acts.push(Act::LookInto { job, cannot });
    }

    fn prepare(&self, now: Timestamp, at: NodeIndex, attempt: Attempt) -> Prepared {
        // A dry run opens blocks whose condition it cannot decide, and says so of all that stands inside.
        let around = self.is_dry_run().then(|| self.state.parent(at)).flatten();
        let around = std::iter::successors(around, |node| self.state.parent(*node));
        for node in around.collect::<Vec<_>>().into_iter().rev().chain([at]) {
            match self.condition(node) {
                Ok(()) => {}
                Err(Undecided::False { why }) => return Prepared::Skip { why },
                Err(Undecided::Unknown { why }) => return Prepared::Unknown { why, masked: Value::Null },
                Err(Undecided::Cannot { why }) => return Prepared::Cannot { why },
            }
        }
        self.parameters(now, at, attempt)
    }

    fn parameters(&self, now: Timestamp, at: NodeIndex, attempt: Attempt) -> Prepared {
        let params = match self.fill(at) {
            Ok(params) => params,
            Err(error) => return Prepared::Cannot { why: error.to_string() },
        };
        let masked = params.masked.clone();
        if let Some(why) = params.unknown {
            return Prepared::Unknown { why, masked };
        }
        let check = match &self.action(at).check {
            None => None,
            Some(check) => match self.values(at).fill(&check.with) {
                Ok(Filled::Known { value, .. }) => Some(call(check, value)),
                Ok(Filled::Unknown { why, .. }) => return Prepared::Unknown { why, masked },
                Err(error) => return Prepared::Cannot { why: error.to_string() },
            },
        };
        Prepared::Ready { job: Box::new(self.job(now, at, attempt, params, check)), masked }
    }

    fn job(
        &self,
        now: Timestamp,
        at: NodeIndex,
        attempt: Attempt,
        params: Parameters,
        check: Option<Call>,
    ) -> Job {
        let action = self.action(at);
        Job {
            at,
            node: self.path(at),
            attempt,
            call: call(&action.call, params.value),
            check,
            without: params.without,
            timeout: action.timeout,
            retry: action.retry.clone(),
            on_unknown: action.on_unknown,
            started_at: self.started_at(at).unwrap_or(now),
        }
    }

    /// When the attempt that is looked into, or goes on where one in doubt broke off, began. A retry begins anew.
    fn started_at(&self, at: NodeIndex) -> Option<Timestamp> {
        match self.state.step(at) {
            StepState::Retrying { .. } => None,
            _ => self.state.started_at(at),
        }
    }

    pub(super) fn action(&self, at: NodeIndex) -> &ActionStep {
        self.state.template(at).action().expect("bug: only actions start, blocks open by themselves")
    }
}

fn call(call: &ActionCall, params: Value) -> Call {
    Call {
        action: call.action.clone(),
        params,
        effect: call.effect,
        harmless: call.harmless,
        observable: call.observable,
        recoverable: call.recoverable,
    }
}
