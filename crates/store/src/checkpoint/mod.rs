//! Checkpoints: the states of a run's steps as of some record, in sled, so that a long run is resumed without folding
//! its whole journal.
//!
//! They are written behind the journal, by a thread of their own, and nothing waits for them:
//!
//! ```text
//! append ──▶ journal, synced ──▶ caller
//!                 │ records
//!                 ▼
//!              Keeper: folds them into a state of its own ──▶ one sled batch: changed steps + run, number and hash
//! ```
//!
//! sled 0.34 may lose what it flushed, refuse to open after a kill, or panic over a damaged file. So whatever it says is
//! checked against the journal, whatever it does is caught, and the answer to every trouble is the same: set the folder
//! aside, fold the journal, build anew, and say so.

mod book;
mod guarded;
mod keeper;
mod piece;
mod saved;

pub(crate) use guarded::{OpenStore, Opening, open, set_aside};
pub(crate) use keeper::{Keeper, Start};
pub(crate) use saved::Saved;

/// A journal with so many records gets checkpoints at once; one without them at a claim is worth a note. Folding fewer
/// takes no longer than opening sled.
pub(crate) const LONG: usize = 4096;
