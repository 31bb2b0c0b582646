//! What a fencing step proves: how strongly, about which server, and when.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lsn::Lsn;

/// How strong the proof is that the old primary takes no writes; weakest first.
///
/// Whatever the strength, it holds for the moment it was seen at: a stopped server may be started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// No look reaches it, and the candidate hears nothing from it. It may well run, and take writes from clients that
    /// reach it.
    Unreachable,
    /// It answers, is read-only, and every session from before has ended. Read-only is a default of its
    /// configuration: a client that asks for a read-write transaction still gets one.
    ReadOnly,
    /// None of the paths clients use leads to it, and the candidate hears nothing from it, or it answers without sessions.
    Isolated,
    /// Nothing listens on its address, and the candidate receives nothing from it.
    Stopped,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unreachable",
            Self::ReadOnly => "read_only",
            Self::Isolated => "isolated",
            Self::Stopped => "stopped",
        })
    }
}

/// What `postgres.fence` hands to `postgres.promote`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FenceEvidence {
    /// How strong the proof is.
    pub proof: Proof,
    /// The old primary, as `host:port`.
    pub host: String,
    /// The standby that was found fit to take over, as `host:port`.
    pub candidate: String,
    /// When the proof held.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub fenced_at: Timestamp,
    /// The moment at which the standby's lag is judged: when the old primary's last position was read, or when it was
    /// first seen gone.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub lag_at: Timestamp,
    /// The end of the old primary's write-ahead log, read after it had stopped taking writes. Absent when it could not
    /// be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(crate) last_lsn: Option<Lsn>,
    /// The database cluster both belong to.
    pub system_identifier: String,
    /// Every look that the proof rests on, in words.
    pub observed_by: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_are_ordered_by_strength() {
        assert!(Proof::Unreachable < Proof::ReadOnly);
        assert!(Proof::ReadOnly < Proof::Isolated);
        assert!(Proof::Isolated < Proof::Stopped);
    }

    #[test]
    fn evidence_survives_being_stored() {
        let evidence = FenceEvidence {
            proof: Proof::ReadOnly,
            host: "db-a:5432".to_owned(),
            candidate: "db-b:5432".to_owned(),
            fenced_at: "2026-11-23T18:00:01Z".parse().unwrap(),
            lag_at: "2026-11-23T18:00:00Z".parse().unwrap(),
            last_lsn: Some("0/3000060".parse().unwrap()),
            system_identifier: "7".to_owned(),
            observed_by: vec!["looked".to_owned()],
        };
        let stored = serde_json::to_value(&evidence).unwrap();
        assert_eq!(stored["last_lsn"], "0/3000060");
        assert_eq!(serde_json::from_value::<FenceEvidence>(stored).unwrap(), evidence);
    }
}
