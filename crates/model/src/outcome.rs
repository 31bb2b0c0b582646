//! What an action answers: what it saw, what it did, how it failed. All of it is stored, so all of it is plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The outputs of a step: a JSON object.
pub type Outputs = Map<String, Value>;

/// The parameters that a rehearsal went without, each with why its value is not known.
pub type Without = BTreeMap<String, String>;

/// The difference an action would make, in words an operator reads: from what to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// How it is now, such as "standby, replaying, 0 bytes behind".
    pub before: String,
    /// How it would be, such as "primary, accepting writes".
    pub after: String,
}

/// What an action saw when it looked without touching.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "saw")]
pub enum Observation {
    /// The effect is there already (for a `read` action: the condition holds).
    InPlace {
        /// What shows it, in words.
        evidence: String,
        /// The outputs, as far as they can be known from looking.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Outputs,
        /// What is well enough but should be read, such as what weakens a proof.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// The effect is not there and could be made (for a `read` action: the condition does not hold *yet*, and it is
    /// the incident that brings it about, not a fault of the system that is looked at).
    Pending {
        /// The difference.
        change: Change,
    },
    /// The effect is not there and could not be made now (for a `read` action: the condition does not hold).
    Blocked {
        /// What stands in the way.
        why: String,
    },
    /// Nothing can be said.
    Unknown {
        /// Why not.
        why: String,
    },
}

impl Observation {
    /// The effect is there, and there is nothing to warn of.
    pub fn in_place(evidence: impl Into<String>, outputs: Outputs) -> Self {
        Self::InPlace { evidence: evidence.into(), outputs, warnings: Vec::new() }
    }
}

/// What an action did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What shows it, in one line.
    pub evidence: String,
    /// The outputs, usable in later steps.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub outputs: Outputs,
    /// What went well enough but should be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What is out there of a step because of this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Footprint {
    /// Nothing.
    #[default]
    None,
    /// A part of the effect.
    Part,
    /// The whole effect.
    Full,
    /// Nobody knows.
    Unknown,
    /// It was there, and was taken back.
    TakenBack,
}

impl Footprint {
    /// What two attempts together leave behind, the later one given second.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        match (self, later) {
            (_, Self::Full) => Self::Full,
            (_, Self::TakenBack) => Self::TakenBack,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Full, Self::None | Self::Part) => Self::Full,
            (_, Self::Part) => Self::Part,
            (earlier, Self::None) => earlier,
        }
    }
}

/// What is known about the effect of a failed attempt; it decides what may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Nothing was changed, or what was tried may be tried again: a retry may help.
    Transient,
    /// Nothing was changed and trying again would not help.
    Permanent,
    /// It may have happened or not: the step is in doubt until somebody looked.
    Unknown,
}

/// How an attempt failed. Stored, so message and causes are texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What is known about the effect.
    pub kind: FailureKind,
    /// What failed, in one line.
    pub message: String,
    /// Why, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// The end of what the failed operation printed, if it printed anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
}

impl Failure {
    /// A failure of that kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), tail: None }
    }

    /// A failure that a retry may mend.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Transient, message)
    }

    /// A failure that a retry will not mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Permanent, message)
    }

    /// A failure after which nobody knows whether the effect is there.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unknown, message)
    }

    /// What the attempt left behind, as far as the kind tells.
    pub(crate) fn footprint(&self) -> Footprint {
        match self.kind {
            FailureKind::Transient | FailureKind::Permanent => Footprint::None,
            FailureKind::Unknown => Footprint::Unknown,
        }
    }

    /// The same failure with the whole chain of `error`'s sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}
