//! Command-line, kill-and-resume and scene tests with real servers.
//!
//! Only what several test binaries share lives here; the tests are in `tests/tests/`.

pub mod cli;
pub mod driving;
pub mod journal;
pub mod ledger;
pub mod process;
pub mod programs;
pub mod scene;
pub mod wait;
