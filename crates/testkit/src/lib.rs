//! What tests share: sample plans and histories, a store in memory, the suite every store passes.

pub mod histories;
pub mod memory_store;
pub mod samples;
pub mod store_suite;

pub use memory_store::MemoryStore;
