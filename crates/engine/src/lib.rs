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

pub mod store;
