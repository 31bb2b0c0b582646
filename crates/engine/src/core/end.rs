//! What follows from the end of an attempt, from a look, and from a person's answer.

use jiff::{SignedDuration, Timestamp};
use lifeboat_model::record::{DoubtRule, Resolution, StepEnd};
use lifeboat_model::{Attempt, Effect, Failure, FailureKind, NodeIndex, Observation, RecordBody, Redact};

use super::fill::Parameters;
use super::{Core, Response};
use crate::doubt::Finding;
use crate::interrupt::Urgency;
use crate::job::AttemptEnd;
use crate::person::Answer;

/// So many attempts of a step in a row that never began are repeated.
const UNSTARTED: u32 = 5;

impl Core {
    pub(super) fn ended(
        &mut self,
        now: Timestamp,
        at: NodeIndex,
        attempt: Attempt,
        end: AttemptEnd,
        response: &mut Response,
    ) {
        let node = self.path(at);
        let body = match end {
            AttemptEnd::Step(end) => {
                let end = self.masked(end);
                RecordBody::StepFinished { node, attempt: Some(attempt), end }
            }
            AttemptEnd::Unchecked(failure) => {
                let failure = self.masked(failure);
                let cause = failure.to_string();
                self.unchecked.insert(at, cause.clone());
                self.unknown.insert(at, failure);
                RecordBody::StepInDoubt { node, attempt, cause }
            }
            AttemptEnd::Failed(failure) => {
                let failure = self.masked(failure);
                let stopped = self.urgency >= Urgency::Cancel;
                if stopped
                    || (failure.kind == FailureKind::Unknown && self.action(at).call.effect == Effect::Write)
                {
                    let by = if stopped { "stopped by a signal: " } else { "" };
                    let cause = format!("{by}{failure}");
                    self.unknown.insert(at, failure);
                    RecordBody::StepInDoubt { node, attempt, cause }
                } else {
                    self.failed(now, at, attempt, failure)
                }
            }
        };
        self.record(now, body, response);
    }

    /// The record of a failure whose effect is known: another attempt, or the end.
    fn failed(&self, now: Timestamp, at: NodeIndex, attempt: Attempt, failure: Failure) -> RecordBody {
        let node = self.path(at);
        match self.delay(at, &failure) {
            Some(delay) => {
                let retry_at = now.checked_add(delay).unwrap_or(Timestamp::MAX);
                RecordBody::AttemptFailed { node, attempt, failure, retry_at }
            }
            None => RecordBody::StepFinished { node, attempt: Some(attempt), end: StepEnd::Failed(failure) },
        }
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn delay(&self, at: NodeIndex, failure: &Failure) -> Option<SignedDuration> {
        let failures = self.state.failures(at) + 1;
        match failure.kind {
            FailureKind::Permanent => None,
            FailureKind::Transient | FailureKind::Unknown => self.action(at).retry.delay_after(failures),
        }
    }

    pub(super) fn rehearsed(
        &mut self,
        now: Timestamp,
        at: NodeIndex,
        observation: Observation,
        response: &mut Response,
    ) {
        self.looking.remove(&at);
        if self.urgency >= Urgency::Cancel
            && !matches!(observation, Observation::InPlace { .. } | Observation::Pending { .. })
        {
            // It was told to stop, so it may have seen nothing: the next driver looks again.
            return;
        }
        // As when it was asked: what it uses was over by then.
        let Parameters { masked: with, without, .. } = self.fill(at).unwrap_or_default();
        let observation = self.masked(self.as_far_as_can_be_said(at, observation));
        let without = self.masked(without);
        let body = RecordBody::StepRehearsed { node: self.path(at), observation, with, without };
        self.record(now, body, response);
    }

    /// A look that finds a condition not met says nothing while a change that the step waits for was not made: the
    /// condition may be that very change.
    fn as_far_as_can_be_said(&self, at: NodeIndex, observation: Observation) -> Observation {
        match observation {
            Observation::Blocked { why } if self.action(at).call.effect == Effect::Read => {
                match self.change_not_made_before(at) {
                    Some(step) => Observation::Unknown {
                        why: format!("it waits for `{step}`, which did not run; now: {why}"),
                    },
                    None => Observation::Blocked { why },
                }
            }
            other => other,
        }
    }

    pub(super) fn looked(
        &mut self,
        now: Timestamp,
        at: NodeIndex,
        attempt: Attempt,
        finding: Finding,
        response: &mut Response,
    ) {
        self.looking.remove(&at);
        if self.urgency >= Urgency::Cancel && !finding.settles() {
            // It was told to stop, so it may have seen nothing: the doubt is left to the next driver.
            return;
        }
        let Finding { rule, evidence, resolution } = self.without_endless_repeats(at, finding);
        let evidence = self.masker.mask(&evidence).into_owned();
        let (resolution, delay) = self.within_retries(at, rule, self.masked(resolution), &evidence);
        let retry_at = delay.map(|delay| now.checked_add(delay).unwrap_or(Timestamp::MAX));
        let node = self.path(at);
        let body = RecordBody::DoubtResolved { node, attempt, rule, evidence, resolution, retry_at };
        self.record(now, body, response);
    }

    /// Attempts that never begin are repeated at no cost, and so not without end.
    fn without_endless_repeats(&self, at: NodeIndex, finding: Finding) -> Finding {
        let repeats = self.state.unstarted(at);
        let never_began = finding.rule == DoubtRule::Recovered && finding.resolution == Resolution::Rerun;
        if never_began && repeats >= UNSTARTED { finding.never_begins(repeats + 1) } else { finding }
    }

    /// A look may call for another attempt, or find a failure; whether the step has an attempt left is for its retry
    /// policy to say, and then that one is used up, and follows after its delay. What a crash of the driver interrupted
    /// is nobody's attempt, nor is what is proven never to have begun: those are repeated freely.
    fn within_retries(
        &mut self,
        at: NodeIndex,
        rule: DoubtRule,
        resolution: Resolution,
        evidence: &str,
    ) -> (Resolution, Option<SignedDuration>) {
        let unknown = self.unknown.remove(&at);
        let another = self.action(at).retry.delay_after(self.state.failures(at) + 1);
        match (resolution, unknown) {
            (Resolution::Rerun, Some(_)) if rule == DoubtRule::Recovered => (Resolution::Rerun, None),
            (Resolution::Rerun, Some(_)) if another.is_some() => (Resolution::Rerun, another),
            (Resolution::Rerun, Some(failure)) => {
                let message = format!("{}; then found {evidence}", failure.message);
                (Resolution::Failed(Failure { kind: FailureKind::Transient, message, ..failure }), None)
            }
            (Resolution::Failed(failure), _)
                if rule == DoubtRule::Recovered
                    && failure.kind == FailureKind::Transient
                    && another.is_some() =>
            {
                (Resolution::Rerun, another)
            }
            // What is given up for not being known is not known for a reason.
            (Resolution::Failed(failure), Some(cause)) if rule == DoubtRule::OnUnknown => {
                let message = format!("{}; {}", cause.message, failure.message);
                (Resolution::Failed(Failure { message, tail: cause.tail, ..failure }), None)
            }
            (resolution, _) => (resolution, None),
        }
    }

    pub(super) fn answered(
        &mut self,
        now: Timestamp,
        at: NodeIndex,
        answer: Option<Answer>,
        response: &mut Response,
    ) {
        self.asking.remove(&at);
        match answer {
            None => self.nobody = true,
            Some(Answer { decision, actor, reason }) => {
                let node = Some(self.path(at));
                let (decision, reason) = (self.masked(decision), self.masked(reason));
                self.record(now, RecordBody::OperatorDecided { node, decision, actor, reason }, response);
            }
        }
    }

    /// The same with every secret's value masked.
    fn masked<T: Redact>(&self, stored: T) -> T {
        self.masker.masked(stored)
    }
}
