//! Runs a plan: the driver loop, the store trait, the clock, deadlines and retries, reporters.
//!
//! One task owns a run's state. Whatever happens becomes an input; a synchronous core turns it into records; they are
//! appended and synced; then they are applied, reported and acted upon, in this order:
//!
//! ```text
//!   action ends, signal, deadline, operator's word
//!                     │ Input
//!                     ▼
//!      handle ──▶ drafts ──▶ append + sync ──▶ apply ──▶ report ──▶ act
//! ```

#![warn(missing_docs)]

mod actions;
mod attempt;
mod bounded;
pub mod clock;
mod core;
mod doubt;
mod driver;
mod interrupt;
mod job;
mod look;
mod look_into;
pub mod person;
mod progress;
mod reporter;
mod run;
pub mod store;
mod traces;
mod verify;
mod worker;

pub use clock::{Clock, SystemClock};
pub use core::Left;
pub use driver::{Drive, DriveError};
pub use interrupt::{Signal, Urgency};
pub use person::{Answer, Nobody, Person, Question};
pub use reporter::{Reporter, Reporters};
pub use run::{EngineError, NewRun, Setup, check_driven, create, resume};
pub use store::{Claim, Draft, Journal, Listed, Loaded, Store, StoreError};
