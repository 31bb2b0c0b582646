//! A clock that moves only when every task waits: tokio's paused time, as a wall clock.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifeboat_engine::Clock;
use tokio::time::Instant;

/// Simulated time. Make it inside a runtime whose time is paused.
#[derive(Debug, Clone, Copy)]
pub struct SimClock {
    begin: Instant,
}

impl SimClock {
    /// A clock that starts at a fixed moment.
    pub fn start() -> Self {
        Self { begin: Instant::now() }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.begin.elapsed()).unwrap_or_default();
        crate::samples::at(0) + elapsed
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
