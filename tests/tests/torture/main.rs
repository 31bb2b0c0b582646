//! Runs of real processes, hurt in every way that comes to mind: killed at every record, at every sync, at random
//! moments; without room, without the right to write, with two drivers at once; then resumed.
//!
//! The steps append lines to a file of effects, so that whatever was lost or done twice is seen there, not only in
//! what the journal says of it.

#![expect(clippy::print_stdout, reason = "how much was hurt is told beside the results, and seeds are")]

mod absence;
mod as_root;
mod bench;
mod crash_points;
mod disk;
mod edited;
mod journals;
mod mount;
mod moved;
mod one_driver;
mod open_attempts;
mod orphans;
mod person;
mod runbooks;
mod signals;
mod storm;
mod system_calls;
