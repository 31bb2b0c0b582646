//! One attempt, ready to be carried out.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifeboat_action::CallInfo;
use lifeboat_model::outcome::Without;
use lifeboat_model::plan::{OnUnknown, RetryPolicy};
use lifeboat_model::record::StepEnd;
use lifeboat_model::{
    ActionName, Attempt, Effect, Effort, Failure, Harmlessness, NodeIndex, NodePath, RunState,
};
use serde_json::Value;

/// An attempt with its parameters filled in.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) at: NodeIndex,
    pub(crate) node: NodePath,
    pub(crate) attempt: Attempt,
    pub(crate) call: Call,
    pub(crate) check: Option<Call>,
    /// The parameters of `call` that a rehearsal leaves out.
    pub(crate) without: Without,
    pub(crate) timeout: Option<SignedDuration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) started_at: Timestamp,
}

impl Job {
    /// How long one attempt, or one look, may take.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.timeout.and_then(|limit| Duration::try_from(limit).ok())
    }

    /// What is left of the limit for an attempt that is still going on, maybe under another driver than began it.
    pub(crate) fn time_left(&self, now: Timestamp) -> Option<Duration> {
        let limit = self.limit()?;
        let passed = Duration::try_from(now.duration_since(self.started_at)).unwrap_or_default();
        Some(limit.saturating_sub(passed))
    }

    /// The facts about its calls. `boot`: that of the machine on which the attempt began, where it is known.
    pub(crate) fn info(&self, state: &RunState, steps: &Path, boot: Option<String>) -> CallInfo {
        CallInfo {
            run: state.run().clone(),
            step: self.node.clone(),
            attempt: self.attempt,
            key: state.key(self.at, Effort::Apply),
            mode: state.mode(),
            started_at: self.started_at,
            folder: steps.join(state.folder_name(self.at)).join(self.attempt.to_string()),
            boot,
            without: self.without.clone(),
            time_left: None,
        }
    }

    /// Whether it can be looked if the effect is in place.
    pub(crate) fn looks(&self) -> bool {
        self.check.is_some() || self.call.observable
    }
}

/// An action and the parameters it is called with.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) action: ActionName,
    pub(crate) params: Value,
    pub(crate) effect: Effect,
    pub(crate) harmless: Harmlessness,
    pub(crate) observable: bool,
    pub(crate) recoverable: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AttemptEnd {
    /// The step is over.
    Step(StepEnd),
    /// It did what it was to do, and looking afterwards did not tell whether that is in effect.
    Unchecked(Failure),
    /// It failed; whether another attempt follows is for the core to decide.
    Failed(Failure),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_has_no_more_time_because_its_driver_was_replaced() {
        let seconds = |text: &str| SignedDuration::from_secs(text.parse().unwrap());
        let call = Call {
            action: ActionName::new("fake.set").unwrap(),
            params: Value::Null,
            effect: Effect::Write,
            harmless: Harmlessness::Proven,
            observable: false,
            recoverable: true,
        };
        let job = Job {
            at: NodeIndex(0),
            node: NodePath::new("one").unwrap(),
            attempt: Attempt::FIRST,
            call,
            check: None,
            without: Without::new(),
            timeout: Some(seconds("10")),
            retry: RetryPolicy::default(),
            on_unknown: OnUnknown::Ask,
            started_at: Timestamp::UNIX_EPOCH + seconds("100"),
        };
        let left = |now: &str| job.time_left(Timestamp::UNIX_EPOCH + seconds(now)).map(|left| left.as_secs());
        assert_eq!(left("104"), Some(6));
        assert_eq!(left("110"), Some(0));
        assert_eq!(left("3600"), Some(0));
        assert_eq!(left("90"), Some(10), "a clock that was set back gives the whole time and no more");
    }
}
