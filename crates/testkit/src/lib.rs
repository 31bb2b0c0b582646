//! What tests share: sample plans and histories, a store in memory, and what every store and every action promises
//! ([`mod@store_suite`], [`mod@action_suite`]).

pub mod action_suite;
pub mod crash_store;
pub mod fake;
pub mod histories;
pub mod memory_store;
pub mod runs;
pub mod samples;
pub mod sim_clock;
pub mod store_suite;

pub use action_suite::ActionSuite;
pub use crash_store::{Crash, CrashStore};
pub use fake::World;
pub use memory_store::MemoryStore;
pub use runs::Driving;
pub use sim_clock::SimClock;
