//! Actions that wait for a length of time (`wait.for`) or for a moment (`wait.until`).
//!
//! Both only look, so they are run through `observe`. A resumed wait goes on where it was: what counts is the start
//! of the attempt, which survives a crash of the driver. A dry run never waits; it says what it would wait for.

#![warn(missing_docs)]

mod clock;
mod pause;
mod wait_for;
mod wait_until;

use std::sync::Arc;

use lifeboat_action::{ObserveOnly, Registry};

use clock::SystemClock;
use wait_for::WaitFor;
use wait_until::WaitUntil;

/// Adds `wait.for` and `wait.until`.
pub fn register(registry: &mut Registry) {
    let (plugin, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    registry.add(plugin, version, Arc::new(ObserveOnly::new(WaitFor::new(SystemClock))));
    registry.add(plugin, version, Arc::new(ObserveOnly::new(WaitUntil::new(SystemClock))));
}
