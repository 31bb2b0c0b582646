//! A runbook's file that was edited since its run began: noticed, and shown as a difference.

use std::io;

use lifeboat_model::plan::PinnedSource;
use lifeboat_model::{Digest, Plan, Source};
use similar::TextDiff;

use crate::{regular_file, runbook};

/// What became of a runbook's file.
#[derive(Debug)]
pub enum Drift {
    /// Nothing, or there never was one.
    Same,
    /// It cannot be compared, as this says: the run may have been moved, or the file. That stops nothing.
    Unknown(String),
    /// It has another text.
    Edited(Edited),
}

/// An edit.
#[derive(Debug)]
pub struct Edited {
    /// The digest of its text now; of its beginning, where it is larger than a runbook may be.
    pub digest: Digest,
    /// The difference between the pinned text and the text now, in unified form.
    pub diff: String,
}

/// Compares the file that a plan was made from with the text that was pinned.
pub(crate) fn drift(plan: &Plan) -> Drift {
    let pinned = plan.source();
    let Some(path) = runbook::pinned_path(plan) else { return Drift::Same };
    let unknown = |what: &str| Drift::Unknown(format!("the runbook {} {what}", path.display()));
    match regular_file::read(path, Source::MAX_BYTES) {
        Ok(Some(bytes)) => compare(pinned, &bytes),
        Ok(None) => unknown("is no regular file any more"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => unknown("is not there any more"),
        Err(error) => unknown(&format!("cannot be read: {error}")),
    }
}

fn compare(pinned: &PinnedSource, bytes: &[u8]) -> Drift {
    let digest = Digest::of(bytes);
    if digest == pinned.digest {
        return Drift::Same;
    }
    if bytes.len() > Source::MAX_BYTES {
        let diff = format!("{} differs, and is too large to show\n", pinned.name);
        return Drift::Edited(Edited { digest, diff });
    }
    let now = String::from_utf8_lossy(bytes);
    let diff = TextDiff::from_lines(pinned.text.as_str(), &now);
    let diff = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("{} (pinned)", pinned.name), &format!("{} (now)", pinned.name))
        .to_string();
    Drift::Edited(Edited { digest, diff })
}
