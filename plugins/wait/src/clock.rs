//! The wall clock, as something a test can set.

use jiff::Timestamp;

/// Tells the time of day.
pub(crate) trait WallClock: Send + Sync + std::fmt::Debug + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl WallClock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};
    use tokio::time::Instant;

    use super::WallClock;

    /// A wall clock that runs with tokio's paused clock and can be set.
    #[derive(Debug, Clone)]
    pub(crate) struct TestClock {
        began: Instant,
        began_at: Timestamp,
        jump: Arc<Mutex<SignedDuration>>,
    }

    impl TestClock {
        /// Starts at 2026-11-23T18:00:00Z.
        pub(crate) fn new() -> Self {
            let began_at = "2026-11-23T18:00:00Z".parse().unwrap();
            Self { began: Instant::now(), began_at, jump: Arc::default() }
        }

        /// Sets the clock forward, or back.
        pub(crate) fn jump(&self, by: SignedDuration) {
            *self.jump.lock().unwrap() += by;
        }

        /// How long the test has been running on tokio's clock.
        pub(crate) fn elapsed(&self) -> Duration {
            self.began.elapsed()
        }
    }

    impl WallClock for TestClock {
        fn now(&self) -> Timestamp {
            let ran = SignedDuration::try_from(self.began.elapsed()).unwrap();
            self.began_at + ran + *self.jump.lock().unwrap()
        }
    }
}
