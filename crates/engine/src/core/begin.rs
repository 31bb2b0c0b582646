//! Starting a step: conditions, parameters, and the record before the call.

use jiff::Timestamp;
use lifeboat_model::outcome::Without;
use lifeboat_model::plan::{ActionCall, ActionStep};
use lifeboat_model::record::StepEnd;
use lifeboat_model::template::{Decided, Filled};
use lifeboat_model::{Attempt, AttemptKey, Failure, Observation, RecordBody, StepId, StepIndex, StepState};
use serde_json::Value;

use super::fill::Parameters;
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
    /// Starts a step that may start, or ends it at once.
    pub(super) fn begin(&mut self, now: Timestamp, at: StepIndex, response: &mut Response) {
        let attempt = Attempt(self.state.attempts(at) + 1);
        let step = self.step_id(at);
        match (self.prepare(now, at, attempt), self.is_dry_run()) {
            (Prepared::Skip { why }, _) => {
                let end = StepEnd::Skipped { why };
                self.record(now, RecordBody::StepFinished { step, attempt: None, end }, response);
            }
            (Prepared::Ready { job, masked }, false) => {
                let key = AttemptKey::of(self.state.run(), &step);
                self.inherited.remove(&at);
                self.record(now, RecordBody::StepStarted { step, attempt, key, with: masked }, response);
                response.acts.push(Act::Attempt(*job));
            }
            (Prepared::Ready { job, .. }, true) => {
                self.looking.insert(at);
                response.acts.push(Act::Rehearse(*job));
            }
            (Prepared::Unknown { why, masked }, true) => {
                self.not_asked(now, step, Observation::Unknown { why }, masked, response);
            }
            (Prepared::Cannot { why }, true) => {
                self.not_asked(now, step, Observation::Blocked { why }, Value::Null, response);
            }
            (Prepared::Unknown { why, .. } | Prepared::Cannot { why }, false) => {
                let end = StepEnd::Failed(Failure::permanent(format!("cannot start: {why}")));
                self.record(now, RecordBody::StepFinished { step, attempt: None, end }, response);
            }
        }
    }

    /// Records what a dry run can say of a step without asking its action.
    fn not_asked(
        &mut self,
        now: Timestamp,
        step: StepId,
        observation: Observation,
        with: Value,
        response: &mut Response,
    ) {
        let without = Without::new();
        self.record(now, RecordBody::StepRehearsed { step, observation, with, without }, response);
    }

    /// Looks into a doubt.
    pub(super) fn look_into(&mut self, now: Timestamp, at: StepIndex, response: &mut Response) {
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

    fn prepare(&self, now: Timestamp, at: StepIndex, attempt: Attempt) -> Prepared {
        for condition in &self.state.plan().step(at).when {
            match self.values().decide(condition) {
                Ok(Decided::True) => {}
                Ok(Decided::False) => return Prepared::Skip { why: format!("`{condition}` is false") },
                Ok(Decided::Unknown { why }) => {
                    let why = format!("`{condition}` cannot be decided: {why}");
                    return Prepared::Unknown { why, masked: Value::Null };
                }
                Err(error) => return Prepared::Cannot { why: error.to_string() },
            }
        }
        self.parameters(now, at, attempt)
    }

    fn parameters(&self, now: Timestamp, at: StepIndex, attempt: Attempt) -> Prepared {
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
            Some(check) => match self.values().fill(&check.with) {
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
        at: StepIndex,
        attempt: Attempt,
        params: Parameters,
        check: Option<Call>,
    ) -> Job {
        let action = self.action(at);
        Job {
            at,
            step: self.step_id(at),
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
    fn started_at(&self, at: StepIndex) -> Option<Timestamp> {
        match self.state.step(at) {
            StepState::Retrying { .. } => None,
            _ => self.state.started_at(at),
        }
    }

    pub(super) fn action(&self, at: StepIndex) -> &ActionStep {
        self.state.plan().step(at).action().expect("bug: only actions start, blocks open by themselves")
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
