//! `wait.until`: waits for a moment.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use lifeboat_action::{ActionContext, Change, Observation, TypedObserve};
use lifeboat_model::{Mode, outcome::Outputs};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::clock::WallClock;
use crate::pause::{beyond_limit, pause, words};
use crate::wait_for::NoOutputs;

/// The longest time between two looks at the wall clock, so that a clock that is set, or a laptop that slept, makes
/// the wait late by no more than this.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What `wait.until` waits for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The moment to wait for, with its offset from UTC, such as `2026-11-23T18:00:00Z` or
    /// `2026-11-23T20:00:00+02:00`. A moment that has passed ends the wait at once.
    #[schemars(schema_with = "moment")]
    time: Timestamp,
}

fn moment(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

/// See the module.
#[derive(Debug)]
pub(crate) struct WaitUntil<C> {
    clock: C,
}

impl<C: WallClock> WaitUntil<C> {
    pub(crate) fn new(clock: C) -> Self {
        Self { clock }
    }

    /// How long it is until then; `None` when it has passed.
    fn left(&self, time: Timestamp) -> Option<Duration> {
        let left = Duration::try_from(time.duration_since(self.clock.now())).ok()?;
        Some(left).filter(|left| !left.is_zero())
    }
}

#[async_trait]
impl<C: WallClock> TypedObserve for WaitUntil<C> {
    type Params = Params;
    type Outputs = NoOutputs;

    fn describe(&self) -> (&'static str, &'static str) {
        ("wait.until", "Waits for a moment")
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    async fn observe(&self, context: &ActionContext, params: &Params) -> Observation {
        let time = params.time;
        let began = tokio::time::Instant::now();
        while let Some(left) = self.left(time) {
            if context.info().mode == Mode::DryRun {
                let before = format!("{} before {time}", words(left));
                return Observation::Pending { change: Change { before, after: time.to_string() } };
            }
            if let Some(why) = beyond_limit(context, began.elapsed().saturating_add(left)) {
                return Observation::Blocked { why };
            }
            if pause(context, left.min(LOOK_EVERY)).await.is_err() {
                let left = words(self.left(time).unwrap_or_default());
                return Observation::Unknown { why: format!("stopped {left} before {time}") };
            }
        }
        Observation::in_place(format!("{time} has passed"), Outputs::new())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use lifeboat_action::{CallInfo, Observe, ObserveOnly};
    use serde_json::json;

    use super::*;
    use crate::clock::tests::TestClock;
    use crate::pause::tests::{call, context};

    /// Two hours after a test's clock starts.
    fn at_eight() -> Params {
        Params { time: "2026-11-23T20:00:00Z".parse().unwrap() }
    }

    fn passed() -> Observation {
        Observation::in_place("2026-11-23T20:00:00Z has passed", Outputs::new())
    }

    #[tokio::test(start_paused = true)]
    async fn the_moment_is_waited_for() {
        let clock = TestClock::new();
        let (context, _stop) = context(call(&clock));
        let saw = WaitUntil::new(clock.clone()).observe(&context, &at_eight()).await;
        assert_eq!(saw, passed());
        assert_eq!(clock.elapsed(), Duration::from_secs(7200));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_is_noticed_within_half_a_minute() {
        for (jump, expected) in [(3600, 3600), (-3600, 10_800), (86_400, 30)] {
            let clock = TestClock::new();
            let (context, _stop) = context(call(&clock));
            let wait = WaitUntil::new(clock.clone());
            let jumping = async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                clock.jump(SignedDuration::from_secs(jump));
            };
            let params = at_eight();
            let (saw, ()) = tokio::join!(wait.observe(&context, &params), jumping);
            assert_eq!(saw, passed());
            assert_eq!(clock.elapsed(), Duration::from_secs(expected), "jump of {jump} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_that_has_passed_ends_at_once_in_every_mode() {
        let clock = TestClock::new();
        clock.jump(SignedDuration::from_hours(2));
        for mode in [Mode::Live, Mode::DryRun] {
            let (context, _stop) = context(CallInfo { mode, ..call(&clock) });
            assert_eq!(WaitUntil::new(clock.clone()).observe(&context, &at_eight()).await, passed());
        }
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dry_run_says_what_it_would_wait_for() {
        let clock = TestClock::new();
        let (context, _stop) = context(CallInfo { mode: Mode::DryRun, ..call(&clock) });
        let saw = WaitUntil::new(clock.clone()).observe(&context, &at_eight()).await;
        let before = "2h before 2026-11-23T20:00:00Z".to_owned();
        let change = Change { before, after: "2026-11-23T20:00:00Z".to_owned() };
        assert_eq!(saw, Observation::Pending { change });
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_stopped_or_cannot_end_in_time_says_why() {
        let clock = TestClock::new();
        let (stopped, stop) = context(call(&clock));
        stop.cancel();
        let (limited, _stop) = context(CallInfo { time_left: Some(Duration::from_secs(60)), ..call(&clock) });
        let mut reasons = Vec::new();
        for context in [stopped, limited] {
            let why = match WaitUntil::new(clock.clone()).observe(&context, &at_eight()).await {
                Observation::Unknown { why } if context.is_cancelled() => why,
                Observation::Blocked { why } if !context.is_cancelled() => why,
                other => panic!("{other:?}"),
            };
            reasons.push(why);
        }
        assert_eq!(
            reasons,
            [
                "stopped 2h before 2026-11-23T20:00:00Z",
                "the wait still takes 2h, but the step's timeout leaves 1m"
            ]
        );
    }

    #[tokio::test]
    async fn a_time_without_an_offset_is_refused_before_anything_runs() {
        let action = ObserveOnly::new(WaitUntil::new(TestClock::new()));
        assert_eq!(action.check(&json!({"time": "2026-11-23T20:00:00+02:00"})), []);
        let problems = action.check(&json!({"time": "2026-11-23T20:00:00"}));
        assert_eq!(problems[0].about, [["time"]]);
        assert_eq!(problems[0].message, "`2026-11-23T20:00:00` is not a moment in time");
    }
}
