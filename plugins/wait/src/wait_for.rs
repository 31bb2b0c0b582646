//! `wait.for`: lets some time pass.

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use lifeboat_action::{ActionContext, Change, Observation, TypedObserve, duration};
use lifeboat_model::{Mode, outcome::Outputs};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::clock::WallClock;
use crate::pause::{beyond_limit, pause, words};

/// How long `wait.for` waits.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// How long to wait, such as `30s`, `5m` or `1h 30m`, counted from the start of the attempt: a wait that was
    /// interrupted does not start over. `0s` ends at once.
    #[serde(with = "duration")]
    #[schemars(schema_with = "duration::schema")]
    duration: Duration,
}

/// `wait.for` has no outputs.
#[derive(Debug, JsonSchema)]
pub(crate) struct NoOutputs {}

/// See the module.
#[derive(Debug)]
pub(crate) struct WaitFor<C> {
    clock: C,
}

impl<C: WallClock> WaitFor<C> {
    pub(crate) fn new(clock: C) -> Self {
        Self { clock }
    }

    /// What is left of a wait. A wall clock that was set back since the start can lengthen it to the whole again, but
    /// never beyond.
    fn left(&self, context: &ActionContext, length: Duration) -> Duration {
        let passed: SignedDuration = self.clock.now().duration_since(context.info().started_at);
        length.saturating_sub(Duration::try_from(passed).unwrap_or(Duration::ZERO))
    }
}

#[async_trait]
impl<C: WallClock> TypedObserve for WaitFor<C> {
    type Params = Params;
    type Outputs = NoOutputs;

    fn describe(&self) -> (&'static str, &'static str) {
        ("wait.for", "Lets some time pass")
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    async fn observe(&self, context: &ActionContext, params: &Params) -> Observation {
        let length = params.duration;
        if length.is_zero() {
            return passed(length);
        }
        if context.info().mode == Mode::DryRun {
            let change =
                Change { before: "not waited".to_owned(), after: format!("{} later", words(length)) };
            return Observation::Pending { change };
        }
        // Measured once, then left to a clock that nobody can set: a jump of the wall clock does not change the wait.
        let left = self.left(context, length);
        if let Some(why) = beyond_limit(context, left) {
            return Observation::Blocked { why };
        }
        let since = tokio::time::Instant::now();
        match pause(context, left).await {
            Ok(()) => passed(length),
            Err(_) => {
                let left = left.saturating_sub(since.elapsed());
                let why = format!("stopped with {} of {} left", words(left), words(length));
                Observation::Unknown { why }
            }
        }
    }
}

fn passed(length: Duration) -> Observation {
    Observation::in_place(format!("{} passed", words(length)), Outputs::new())
}

#[cfg(test)]
mod tests {
    use lifeboat_action::CallInfo;

    use super::*;
    use crate::clock::tests::TestClock;
    use crate::pause::tests::{call, context};

    const FIVE_MINUTES: Params = Params { duration: Duration::from_secs(300) };

    fn evidence(observation: &Observation) -> &str {
        match observation {
            Observation::InPlace { evidence, .. } => evidence,
            other => panic!("expected InPlace, got {other:?}"),
        }
    }

    fn why(observation: &Observation) -> &str {
        match observation {
            Observation::Blocked { why } | Observation::Unknown { why } => why,
            other => panic!("expected Blocked or Unknown, got {other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_whole_time_is_waited() {
        let clock = TestClock::new();
        let (context, _stop) = context(call(&clock));
        let saw = WaitFor::new(clock.clone()).observe(&context, &FIVE_MINUTES).await;
        assert_eq!(evidence(&saw), "5m passed");
        assert_eq!(clock.elapsed(), Duration::from_secs(300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_resumed_wait_does_not_start_over() {
        let clock = TestClock::new();
        let info = call(&clock);
        clock.jump(SignedDuration::from_secs(240));
        let (context, _stop) = context(info);
        let saw = WaitFor::new(clock.clone()).observe(&context, &FIVE_MINUTES).await;
        assert_eq!(evidence(&saw), "5m passed");
        assert_eq!(clock.elapsed(), Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_set_back_costs_no_more_than_the_whole_wait() {
        let clock = TestClock::new();
        let info = call(&clock);
        clock.jump(SignedDuration::from_secs(-86_400));
        let (context, _stop) = context(info);
        let saw = WaitFor::new(clock.clone()).observe(&context, &FIVE_MINUTES).await;
        assert_eq!(evidence(&saw), "5m passed");
        assert_eq!(clock.elapsed(), Duration::from_secs(300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_of_the_wall_clock_does_not_change_a_wait_under_way() {
        let clock = TestClock::new();
        let (context, _stop) = context(call(&clock));
        let wait = WaitFor::new(clock.clone());
        let jump = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            clock.jump(SignedDuration::from_secs(3600));
        };
        let (saw, ()) = tokio::join!(wait.observe(&context, &FIVE_MINUTES), jump);
        assert_eq!(evidence(&saw), "5m passed");
        assert_eq!(clock.elapsed(), Duration::from_secs(300));
    }

    #[tokio::test(start_paused = true)]
    async fn zero_is_over_at_once_in_every_mode() {
        let clock = TestClock::new();
        for mode in [Mode::Live, Mode::Drill, Mode::DryRun] {
            let (context, _stop) = context(CallInfo { mode, ..call(&clock) });
            let saw =
                WaitFor::new(clock.clone()).observe(&context, &Params { duration: Duration::ZERO }).await;
            assert_eq!(evidence(&saw), "0s passed");
        }
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dry_run_says_what_it_would_wait_for() {
        let clock = TestClock::new();
        let (context, _stop) = context(CallInfo { mode: Mode::DryRun, ..call(&clock) });
        let saw = WaitFor::new(clock.clone()).observe(&context, &FIVE_MINUTES).await;
        let change = Change { before: "not waited".to_owned(), after: "5m later".to_owned() };
        assert_eq!(saw, Observation::Pending { change });
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_wait_says_how_much_was_left() {
        let clock = TestClock::new();
        let (context, stop) = context(call(&clock));
        let wait = WaitFor::new(clock.clone());
        let stopping = async {
            tokio::time::sleep(Duration::from_secs(90)).await;
            stop.cancel();
        };
        let (saw, ()) = tokio::join!(wait.observe(&context, &FIVE_MINUTES), stopping);
        assert_eq!(why(&saw), "stopped with 3m 30s of 5m left");
        assert!(matches!(saw, Observation::Unknown { .. }), "nobody knows how it would have ended");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_cannot_end_in_time_is_refused_at_once() {
        let clock = TestClock::new();
        let time_left = Some(Duration::from_secs(120));
        let (context, _stop) = context(CallInfo { time_left, ..call(&clock) });
        let saw = WaitFor::new(clock.clone()).observe(&context, &FIVE_MINUTES).await;
        assert_eq!(why(&saw), "the wait still takes 5m, but the step's timeout leaves 2m");
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }
}
