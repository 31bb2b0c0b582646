//! What both waits share: pausing until the time is up or the call should stop, and lengths of time in words.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_action::ActionContext;

/// The call was told to stop before the time was up.
#[derive(Debug)]
pub(crate) struct Stopped;

/// Pauses for that long, on a clock that nobody can set.
pub(crate) async fn pause(context: &ActionContext, length: Duration) -> Result<(), Stopped> {
    tokio::select! {
        () = context.cancelled() => Err(Stopped),
        () = tokio::time::sleep(length) => Ok(()),
    }
}

/// Why a wait that still takes `left` cannot end within the step's time limit, if it cannot: better said now than
/// when the limit strikes.
pub(crate) fn beyond_limit(context: &ActionContext, left: Duration) -> Option<String> {
    let limit = context.info().time_left.filter(|limit| *limit < left)?;
    Some(format!("the wait still takes {}, but the step's timeout leaves {}", words(left), words(limit)))
}

/// A length of time as it is written in a runbook, to the millisecond.
pub(crate) fn words(length: Duration) -> String {
    let signed = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    let millis = SignedDuration::from_millis_i128(signed.as_millis());
    let shown = if millis.is_zero() { signed } else { millis };
    format!("{shown:#}")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use lifeboat_action::{
        ActionContext, Attempt, AttemptKey, CallInfo, Effort, Masker, NodePath, Progress, RunId,
    };
    use lifeboat_model::Mode;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::clock::WallClock;
    use crate::clock::tests::TestClock;

    /// A live call that starts now and has no time limit.
    pub(crate) fn call(clock: &TestClock) -> CallInfo {
        let run = RunId::new("run_01kaz0000000000000000000ab").unwrap();
        let step = NodePath::new("hold").unwrap();
        CallInfo {
            key: AttemptKey::of(&run, &step, 1, Effort::Apply),
            run,
            step,
            attempt: Attempt::FIRST,
            mode: Mode::Live,
            started_at: clock.now(),
            folder: "/nonexistent".into(),
            boot: None,
            without: Default::default(),
            time_left: None,
        }
    }

    /// A context for the call, and what stops it.
    pub(crate) fn context(info: CallInfo) -> (ActionContext, CancellationToken) {
        let cancel = CancellationToken::new();
        let context =
            ActionContext::new(info, cancel.clone(), Arc::new(Progress), Arc::new(Masker::default()));
        (context, cancel)
    }

    #[test]
    fn lengths_are_written_as_in_a_runbook() {
        let words: Vec<_> =
            [0, 20, 1_500_000, 5_400_000_000].map(|us| words(Duration::from_micros(us))).into();
        assert_eq!(words, ["0s", "20µs", "1s 500ms", "1h 30m"]);
    }
}
