//! Runs kept in a folder: the write-ahead journal, the checkpoints beside it, the lock, the header.
//!
//! ```text
//! <home>/runs/<run id>/
//!   journal.jsonl   the truth: one line a record, hash-chained, synced before an append returns
//!   checkpoints/    sled: the steps' states as of some record; written behind the journal, always rebuildable
//!   header.json     advisory: so that a list opens no journal
//!   lock            held while a process drives the run; says who
//!   steps/          the outputs of commands, by step and attempt
//! ```
//!
//! The lock is taken before anything else is opened. Readers take no lock. Whatever happens to the checkpoints, the run
//! goes on: they are set aside and rebuilt, and a note says so. Damage to the journal is never mended, only reported.
//! The format and its reasons are in `docs/design/journal.md`.

#![warn(missing_docs)]

mod appender;
mod checkpoint;
mod claim;
mod end;
mod file_store;
mod folder;
mod header;
mod journal;
mod line;
mod lock;
mod problem;
mod text;
mod verify;

pub use file_store::FileStore;
pub use text::JournalText;
pub use verify::{Checkpoints, VerifyReport};
