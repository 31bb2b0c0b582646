//! A runbook's file that was edited since its run began: noticed, and shown as a difference.

use std::fs;

use lifeboat_model::{Digest, Plan};
use similar::TextDiff;

use crate::words::clean;

/// What became of a runbook's file.
#[derive(Debug)]
pub(crate) struct Edited {
    /// The digest of its text now.
    pub(crate) digest: Digest,
    /// The difference between the pinned text and the text now, in unified form.
    pub(crate) diff: String,
}

/// Whether the file that a plan was made from has another text now. A file that is not there (the run may have been
/// moved) or cannot be read tells nothing.
pub(crate) fn since(plan: &Plan) -> Option<Edited> {
    let pinned = plan.source();
    let bytes = fs::read(&pinned.name).ok()?;
    let digest = Digest::of(&bytes);
    if digest == pinned.digest {
        return None;
    }
    let now = String::from_utf8_lossy(&bytes);
    let diff = TextDiff::from_lines(pinned.text.as_str(), &now);
    let diff = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("{} (pinned)", pinned.name), &format!("{} (now)", pinned.name))
        .to_string();
    Some(Edited { digest, diff: clean(&diff).into_owned() })
}
