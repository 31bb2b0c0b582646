//! Looking into a doubt: for the attempt itself first, for its effect afterwards.

use std::sync::Arc;

use lifeboat_action::{Observation, Outcome, Recovery};
use lifeboat_model::FailureKind;
use lifeboat_model::plan::OnUnknown;

use crate::bounded::Bounded;
use crate::core::Input;
use crate::doubt::Finding;
use crate::job::Job;
use crate::look::look;
use crate::verify::verified;
use crate::worker::Worker;

/// What was found of the attempt itself.
enum Found {
    /// It did what it was to do; where that was read, in words.
    Succeeded(Outcome, String),
    /// It settles the doubt otherwise.
    Settled(Finding),
    /// It does not; what was found, in words, if anything was looked for.
    Open(Option<String>),
}

impl Worker {
    /// Looks into a doubt. `cannot`: its parameters cannot be worked out, for this reason.
    pub(crate) async fn look_into(self, job: Job, cannot: Option<String>) {
        let (at, attempt) = (job.at, job.attempt);
        let finding = match cannot {
            Some(why) => self.wait_for_attempt(&job, why).await,
            None => match self.look_for_attempt(&job).await {
                Found::Succeeded(outcome, evidence) if job.looks() => {
                    self.look_afterwards(job, outcome, evidence).await
                }
                Found::Succeeded(outcome, evidence) => Finding::succeeded(outcome, evidence),
                Found::Settled(finding) => finding,
                Found::Open(trace) => self.look_for_effect(job, trace).await,
            },
        };
        self.send(Input::Looked { at, attempt, finding });
    }

    /// Looks for the attempt, and waits for it if it is still going on: whatever is done about a doubt is done when
    /// nothing of the attempt can come any more. What is left of the step's time is its limit.
    async fn look_for_attempt(&self, job: &Job) -> Found {
        let action = self.actions.action(&job.call.action).filter(|_| job.call.recoverable);
        let Some(action) = action else { return Found::Open(None) };
        let (limit, grace) = (job.time_left(self.clock.now()), self.grace(job));
        let cancel = self.cancel.child_token();
        let context = self.context(cancel.clone(), limit);
        let params = job.call.params.clone();
        let work = async move { action.recover(&context, &params).await };
        let Bounded { answer, timed_out } = self.bounds(&cancel, limit, grace).run(work).await;
        let in_words = |evidence: String| match timed_out {
            Some(_) => format!("its time was over, so it was told to stop: {evidence}"),
            None => evidence,
        };
        match answer {
            Ok(Recovery::Ended { result: Ok(outcome), evidence }) => {
                Found::Succeeded(outcome, in_words(evidence))
            }
            Ok(Recovery::Ended { result: Err(failure), evidence })
                if failure.kind == FailureKind::Unknown =>
            {
                Found::Open(Some(in_words(evidence)))
            }
            Ok(Recovery::Ended { result: Err(failure), evidence }) => {
                Found::Settled(Finding::failed(failure, in_words(evidence)))
            }
            Ok(Recovery::NotStarted { evidence }) => Found::Settled(Finding::not_started(evidence)),
            Ok(Recovery::MayGoOn { why }) => Found::Settled(Finding::may_go_on(&in_words(why))),
            Ok(Recovery::Nothing { why }) => Found::Open(Some(in_words(why))),
            Err(silent) => Found::Settled(Finding::may_go_on(&in_words(silent.why()))),
        }
    }

    /// Without its parameters nothing can be found out about an attempt, and a person has to decide; but not before it is
    /// over.
    async fn wait_for_attempt(&self, job: &Job, why: String) -> Finding {
        let action = self.actions.action(&job.call.action).filter(|_| job.call.recoverable);
        if let Some(action) = action {
            let cancel = self.cancel.child_token();
            let limit = job.time_left(self.clock.now());
            let context = self.context(cancel.clone(), limit);
            let work = async move { action.outlast(&context).await };
            let Bounded { answer, .. } = self.bounds(&cancel, limit, self.grace(job)).run(work).await;
            if let Err(open) = answer.unwrap_or_else(|silent| Err(silent.why())) {
                return Finding::may_go_on(&open);
            }
        }
        Finding::observed(Observation::Unknown { why }, None, OnUnknown::Ask)
    }

    /// Looks after an attempt that succeeded, as it would have been looked after it without a crash.
    async fn look_afterwards(&self, job: Job, outcome: Outcome, evidence: String) -> Finding {
        let (limit, grace, on_unknown) = (job.limit(), self.grace(&job), job.on_unknown);
        let cancel = self.cancel.child_token();
        let context = self.context(cancel.clone(), limit);
        let (actions, clock) = (Arc::clone(&self.actions), Arc::clone(&self.clock));
        let work = async move { verified(&actions, &context, &job, &*clock, outcome).await };
        let Bounded { answer, .. } = self.bounds(&cancel, limit, grace).run(work).await;
        match answer {
            Ok(Ok(outcome)) => Finding::succeeded(outcome, evidence),
            Ok(Err(failure)) if failure.kind == FailureKind::Unknown => {
                Finding::unknown(format!("{failure}; {evidence}"), on_unknown)
            }
            Ok(Err(failure)) => Finding::failed(failure, evidence),
            Err(silent) => Finding::unknown(format!("{}; {evidence}", silent.why()), on_unknown),
        }
    }

    /// Looks whether the step's effect is in place.
    async fn look_for_effect(&self, job: Job, trace: Option<String>) -> Finding {
        let (limit, grace, on_unknown) = (job.limit(), self.grace(&job), job.on_unknown);
        let cancel = self.cancel.child_token();
        let context = self.context(cancel.clone(), limit);
        let actions = Arc::clone(&self.actions);
        let work = async move { look(&actions, &context, &job).await };
        let Bounded { answer, .. } = self.bounds(&cancel, limit, grace).run(work).await;
        let seen = answer.unwrap_or_else(|silent| Observation::Unknown { why: silent.why() });
        Finding::observed(seen, trace.as_deref(), on_unknown)
    }
}
