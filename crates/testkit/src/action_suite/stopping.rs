//! Calls that are told to stop.

use std::pin::pin;
use std::time::Duration;

use lifeboat_action::{FailureKind, Observation};
use lifeboat_model::Mode;
use serde_json::Value;

use super::call::Call;
use super::honesty::MODES;
use super::peer::{Listener, turns};
use super::{ActionSuite, Case, MakeSuite, driven};

/// It calls nobody, has seen nothing and, since it has changed nothing, may be tried again.
pub fn a_call_that_was_stopped_before_does_nothing(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        for case in &suite.cases {
            let trial = Trial::of(&suite, case).await;
            for mode in MODES {
                let call = Call::of(&case.action).in_mode(mode);
                call.stop.cancel();
                let seen = trial.soon(call.observe(&trial.params)).await;
                trial.was_stopped(mode, &seen);
            }
            let call = Call::of(&case.action);
            call.stop.cancel();
            let ended = trial.soon(call.apply(&trial.params)).await;
            let transient = ended.as_ref().is_err_and(|failure| failure.kind == FailureKind::Transient);
            assert!(transient, "{case:?}: it was stopped before: {ended:?}");
            let called = trial.listener.was_called().await;
            assert!(!called, "{case:?}: it was stopped before and called the server");
        }
    });
}

/// Within what it said it needs for that. It does not make more of its half of an answer than it is.
pub fn a_call_that_hangs_stops_when_told(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        for case in &suite.cases {
            let trial = Trial::of(&suite, case).await;
            for mode in MODES {
                let call = Call::of(&case.action).in_mode(mode);
                let seen = trial.stopped(&call, call.observe(&trial.params)).await;
                trial.was_stopped(mode, &seen);
            }
            let call = Call::of(&case.action);
            let ended = trial.stopped(&call, call.apply(&trial.params)).await;
            let honest = ended.as_ref().is_err_and(|failure| failure.kind != FailureKind::Permanent);
            assert!(honest, "{case:?}: it was told to stop: {ended:?}");
        }
    });
}

/// A case with a server that says nothing.
struct Trial<'s> {
    case: &'s Case,
    listener: Listener,
    params: Value,
    grace: Duration,
}

impl<'s> Trial<'s> {
    async fn of(suite: &ActionSuite, case: &'s Case) -> Self {
        let listener = Listener::new().await;
        let params = (case.params)(&listener.address());
        let grace = suite.grace.saturating_add(case.action.stop_takes(&params));
        Self { case, listener, params, grace }
    }

    /// The answer of a call that is told to stop as soon as it has reached the server, or has begun where it reaches
    /// nothing.
    async fn stopped<T>(&self, call: &Call, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        let begun = async { if self.case.reaches { self.listener.called().await } else { turns().await } };
        tokio::select! {
            biased;
            early = &mut answer => return early,
            () = begun => call.stop.cancel(),
        }
        self.soon(answer).await
    }

    /// The answer to "stop".
    async fn soon<T>(&self, answer: impl Future<Output = T>) -> T {
        let Self { case, grace, .. } = self;
        let answer = tokio::time::timeout(*grace, answer).await;
        answer.unwrap_or_else(|_| panic!("{case:?}: told to stop, it did not answer within {grace:?}"))
    }

    /// A look that was stopped has seen nothing. A rehearsal of a wait need not look to know what it would wait for.
    fn was_stopped(&self, mode: Mode, seen: &Observation) {
        let honest = match seen {
            Observation::Unknown { .. } => true,
            Observation::Pending { .. } => mode == Mode::DryRun && !self.case.reaches,
            Observation::InPlace { .. } | Observation::Blocked { .. } => false,
        };
        assert!(honest, "{:?}: it was stopped, in mode {}: {seen:?}", self.case, mode.as_str());
    }
}
