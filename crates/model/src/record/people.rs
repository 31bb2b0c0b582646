//! What people say, at gates and about the run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::ids::Digest;
use crate::outcome::Outputs;

/// Whose word it is, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The roles it had when it spoke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What proves the name, such as `os` or the fingerprint of a key; none where it was only said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// Who has to agree at a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// How many different people.
    pub count: u32,
    /// The role that each of them must have; anyone's word counts where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether the one who started the run may not be among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_initiator: bool,
}

/// One person's vote at an open gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub by: Identity,
    /// For or against.
    pub approves: bool,
    /// Why.
    pub reason: String,
    /// The digest of what the gate showed, as the voter saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saw: Option<Digest>,
    /// What a task's person reports, typed.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub outputs: Outputs,
}

/// A gate that waits for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenGate {
    /// What they are asked.
    pub question: String,
    /// Whose agreement it takes.
    pub quorum: Quorum,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The digest of what it shows, which every vote is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<Digest>,
    /// The votes so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
}

/// The answer at a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateDecision {
    /// Go on.
    Approved,
    /// Do not.
    Rejected,
    /// Nobody answered in time: as rejected.
    Expired,
    /// The question is moot: what it stood in is rolled back or cancelled.
    Withdrawn,
}

/// A person's word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Run a failed step, or one in doubt, again.
    Retry,
    /// Leave out a step that failed or is in doubt (a deviation).
    Skip,
    /// Count a step that failed or is in doubt as done (a deviation).
    MarkDone {
        /// Outputs the person supplies for later steps.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Outputs,
    },
    /// Start nothing new (whole run).
    Pause,
    /// End the run; its `finally` steps still run (whole run).
    Cancel,
    /// Undo what a node did; without a node, what the whole run did.
    Rollback,
    /// Go on although a requirement or a guard says no (a deviation).
    Override,
    /// Go on although the runbook's file was edited since (whole run; a deviation).
    KeepPinned {
        /// The digest of the edited file.
        edited: String,
    },
}

impl Decision {
    /// The word used on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::MarkDone { .. } => "mark-done",
            Self::Pause => "pause",
            Self::Cancel => "cancel",
            Self::Rollback => "rollback",
            Self::Override => "override",
            Self::KeepPinned { .. } => "keep-pinned",
        }
    }
}
