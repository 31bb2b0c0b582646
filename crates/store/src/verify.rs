//! Checking a run that nobody needs to trust us about: the chain of its journal, and its checkpoints against it.

use std::env;
use std::fs;

use jiff::Timestamp;
use lifeboat_engine::store::{Holder, StoreError};
use lifeboat_model::{Record, RunState, Seq, StepIndex};

use crate::checkpoint;
use crate::folder::{self, RunFolder};
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
    /// They were not looked at, since a process is writing to them.
    InUse {
        /// Who, as far as it can be read.
        by: Option<Holder>,
    },
}

pub(crate) fn verify(folder: &RunFolder, text: &JournalText) -> Result<VerifyReport, StoreError> {
    let first = text.first()?;
    let state = text.fold_from(&first)?;
    let held = lock::probe(folder);
    let notes = if matches!(held, Held::No) { text.torn_note().into_iter().collect() } else { Vec::new() };
    let checkpoints = match held {
        Held::Yes(by) => Checkpoints::InUse { by },
        Held::No if !folder.checkpoints().exists() => Checkpoints::None,
        Held::No => match checkpoints(folder, text, &first, &state) {
            Ok(seq) => Checkpoints::Good { seq },
            Err(why) => Checkpoints::Bad { why },
        },
    };
    Ok(VerifyReport { seq: text.seq(), hash: text.hash().to_owned(), notes, checkpoints })
}

/// Restores the state from a copy of the checkpoints and compares it with the folded one.
fn checkpoints(
    run: &RunFolder,
    text: &JournalText,
    first: &Record,
    folded: &RunState,
) -> Result<Seq, String> {
    let now = Timestamp::now().as_nanosecond();
    let scratch = env::temp_dir().join(format!("lifeboat-verify-{}-{now}", std::process::id()));
    folder::create_folder(&scratch)
        .map_err(|error| format!("cannot create {}: {error}", scratch.display()))?;
    let saved = checkpoint::open_copy(run, &scratch);
    if let Err(error) = fs::remove_dir_all(&scratch) {
        tracing::warn!(path = %scratch.display(), %error, "cannot remove a scratch folder");
    }
    let saved = saved?;
    let seq = saved.seq();
    let restored = saved.restore(first, text)?;
    let differs = |step: &StepIndex| restored.step_checkpoint(*step) != folded.step_checkpoint(*step);
    match folded.plan().indices().find(differs) {
        Some(step) => Err(format!("they have another state for step `{}`", folded.plan().step(step).id)),
        None if restored.run_checkpoint() != folded.run_checkpoint() => {
            Err("they have another state for the run".to_owned())
        }
        None => Ok(seq),
    }
}
