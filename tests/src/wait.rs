//! Waiting for a condition of the outside world, with a deadline.
//!
//! Polling is the only place in the tests where a thread sleeps: real servers announce nothing. Whoever
//! waits says what for, so that a failure names the condition and not a line number.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// Pause between two polls: short beside what is waited for, long beside what a poll costs.
const PAUSE: Duration = Duration::from_millis(10);

/// Something a poll can answer: `true`, `Some(value)` or `Ok(value)` end the wait.
pub trait Answer {
    /// What the wait hands back.
    type Value;

    /// The value, or `None` to poll again.
    fn settled(self) -> Option<Self::Value>;
}

impl Answer for bool {
    type Value = ();

    fn settled(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Answer for Option<T> {
    type Value = T;

    fn settled(self) -> Option<T> {
        self
    }
}

impl<T, E> Answer for Result<T, E> {
    type Value = T;

    fn settled(self) -> Option<T> {
        self.ok()
    }
}

/// Polls `check` until it settles or `limit` has passed; `None` when it never did.
pub fn poll<A: Answer>(limit: Duration, mut check: impl FnMut() -> A) -> Option<A::Value> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = check().settled() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(PAUSE);
    }
}

/// Polls `check` until it settles and returns its value.
///
/// # Panics
/// When `limit` has passed: with the name of the condition and whatever `clues` (the tails of logs) shows.
#[track_caller]
pub fn wait_until<A: Answer, C: Display>(
    what: &str,
    limit: Duration,
    clues: impl FnOnce() -> C,
    check: impl FnMut() -> A,
) -> A::Value {
    match poll(limit, check) {
        Some(value) => value,
        None => panic!("not within {limit:?}: {what}\n{}", clues()),
    }
}
