//! The key by which a service recognises the attempts of one effort.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{Effort, RunId};
use crate::node_path::NodePath;

/// The idempotency key of a node's effort in a run: `run/path#pass` to apply, `run/path#pass-undo` to undo. It is the
/// same for every attempt and after every resume, so that a service that remembers keys carries the effect out once. The
/// pass grows when the node was undone, so that such a service does not answer "done already".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptKey(pub String);

impl AttemptKey {
    /// The key of an effort of the node at `path` in `run`.
    pub fn of(run: &RunId, path: &NodePath, pass: u32, effort: Effort) -> Self {
        match effort {
            Effort::Apply => Self(format!("{run}/{path}#{pass}")),
            Effort::Undo => Self(format!("{run}/{path}#{pass}-undo")),
        }
    }
}

impl fmt::Display for AttemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
