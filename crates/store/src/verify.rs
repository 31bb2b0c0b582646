//! Checking a run that nobody needs to trust us about: the chain of its journal, and its checkpoints against it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lifeboat_engine::store::StoreError;
use lifeboat_model::{Header, Holder, NodeIndex, Record, RunId, RunState, Seq};

use crate::checkpoint::{self, Saved};
use crate::folder::{self, RunFolder};
use crate::header;
use crate::lock::{self, Held};
use crate::text::JournalText;

/// What a check found in a journal that is not damaged.
#[derive(Debug)]
pub struct VerifyReport {
    /// The number of the newest record: all up to it follow each other, and each is legal where it stands.
    pub seq: Seq,
    /// The hash of the newest record. Whoever noted it earlier can tell that nothing was changed or taken off since.
    pub hash: String,
    /// What a person should know, such as a torn end.
    pub notes: Vec<String>,
    /// How the checkpoints stand to the journal.
    pub checkpoints: Checkpoints,
}

/// How a run's checkpoints stand to its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkpoints {
    /// There are none: the run was short, or they were never finished.
    None,
    /// They agree with the journal up to that record.
    Good {
        /// The record.
        seq: Seq,
    },
    /// They do not, or cannot be read; the next resume sets them aside and builds new ones.
    Bad {
        /// Why.
        why: String,
    },
    /// They could not be looked at: that says nothing about them.
    Unchecked {
        /// Why.
        why: String,
    },
    /// They were not looked at, since a process is writing to them.
    InUse {
        /// Who, as far as it can be read.
        by: Option<Holder>,
    },
}

pub(crate) fn verify(
    folder: &RunFolder,
    run: &RunId,
    header: Option<&Header>,
    text: &JournalText,
) -> Result<VerifyReport, StoreError> {
    let first = text.first(run)?;
    let state = text.fold_from(&first)?;
    let held = lock::probe(folder);
    let notes = match held {
        Held::Yes(_) => Vec::new(),
        Held::No => {
            header::check_end(header, text)?;
            text.torn_note().into_iter().collect()
        }
    };
    let checkpoints = match held {
        Held::Yes(by) => Checkpoints::InUse { by },
        Held::No if !folder.checkpoints().exists() => Checkpoints::None,
        Held::No if !folder.checkpoints().is_dir() => {
            Checkpoints::Bad { why: "what lies in their place is no folder".to_owned() }
        }
        Held::No => match Copy::of(folder) {
            Err(why) => Checkpoints::Unchecked { why },
            Ok(copy) => match checkpoint::open(&copy.path) {
                Ok(saved) => {
                    saved.check_end(text)?;
                    compare(saved, text, &first, &state)
                }
                Err(why) => Checkpoints::Bad { why },
            },
        },
    };
    Ok(VerifyReport { seq: text.seq(), hash: text.hash().to_owned(), notes, checkpoints })
}

/// Restores the state from the checkpoints and compares it with the folded one.
fn compare(saved: Saved, text: &JournalText, first: &Record, folded: &RunState) -> Checkpoints {
    let seq = saved.seq();
    let restored = match saved.restore(first, text) {
        Ok(restored) => restored,
        Err(why) => return Checkpoints::Bad { why },
    };
    let differs = |at: &NodeIndex| restored.node_checkpoint(*at) != folded.node_checkpoint(*at);
    match folded.indices().find(differs) {
        Some(at) => {
            let why = format!("they have another state for step `{}`", folded.path(at));
            Checkpoints::Bad { why }
        }
        None if restored.run_checkpoint() != folded.run_checkpoint() => {
            Checkpoints::Bad { why: "they have another state for the run".to_owned() }
        }
        None => Checkpoints::Good { seq },
    }
}

/// A copy of a run's checkpoints: even opening sled changes its files. It goes with its owner.
struct Copy {
    path: PathBuf,
}

impl Copy {
    /// Copies to the folder for temporary files or, where there is no room, to the home of the runs.
    fn of(run: &RunFolder) -> Result<Self, String> {
        let temporary = env::temp_dir();
        let home = run.path().ancestors().nth(2).unwrap_or(&temporary);
        Self::below(&temporary, run).or_else(|there| {
            Self::below(home, run)
                .map_err(|here| if here == there { here } else { format!("{there}; {here}") })
        })
    }

    fn below(place: &Path, run: &RunFolder) -> Result<Self, String> {
        let now = Timestamp::now().as_nanosecond();
        let path = place.join(format!("lifeboat-verify-{}-{now}", std::process::id()));
        let cannot = |error| format!("cannot copy them to {}: {error}", place.display());
        folder::create_folder(&path).map_err(cannot)?;
        let copy = Self { path };
        folder::copy_tree(&run.checkpoints(), &copy.path).map_err(cannot)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a copy of checkpoints");
        }
    }
}
