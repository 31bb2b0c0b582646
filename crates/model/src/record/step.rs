//! How attempts and steps end, and how doubts are settled.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::node_path::ItemKey;
use crate::outcome::{Failure, Outcome, Outputs};

/// An item of an expanded loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its key, unique in the loop.
    pub key: ItemKey,
    /// Its value, which the loop's steps use.
    pub value: Value,
}

/// The items of an expanded loop, in order.
pub type Items = Arc<[Item]>;

/// How a step ended. In an effort to undo, `Succeeded` and `InPlace` mean that the effect is not there any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepEnd {
    /// The action did it.
    Succeeded(Outcome),
    /// It was in place already: nothing was applied.
    InPlace {
        /// What showed it.
        evidence: String,
        /// What looking yielded.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Outputs,
        /// What should be read of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// A condition was false. Of a block, everything inside is skipped with it.
    Skipped {
        /// Which.
        why: String,
    },
    /// It failed for good.
    Failed(Failure),
}

/// The rule by which a doubt was settled (section 6 of the design).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtRule {
    /// The attempt's own result was found, or it was found running and waited for.
    Recovered,
    /// The action only looks: it may be repeated.
    ReadOnly,
    /// Looking told.
    Observed,
    /// Looking did not tell, and the step says what then (`on_unknown`).
    OnUnknown,
}

/// What follows from a doubt that was looked into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The effort is done.
    Done(Outcome),
    /// It runs again, as the next attempt with the same key.
    Rerun,
    /// It counts as failed.
    Failed(Failure),
    /// A person has to decide.
    Ask,
}
