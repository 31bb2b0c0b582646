//! The state of the whole service in one value that can be compared: the proof that a dry run changed nothing.

use std::collections::BTreeMap;

use super::facts::Role;
use super::node::Node;
use super::postgres::PostgresScene;
use super::wal::Lsn;

/// The service at one moment. Two are equal when nobody changed anything in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Each node, by name.
    pub nodes: BTreeMap<&'static str, NodeFingerprint>,
}

/// One node at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFingerprint {
    /// What it is.
    pub role: Role,
    /// Its timeline; `None` when it does not answer.
    pub timeline: Option<u32>,
    /// The number of its rows; `None` when it does not answer.
    pub rows: Option<usize>,
    /// How many promotions its log knows of.
    pub promotions: usize,
    /// The last change in its log, read from its files.
    pub last_change: Option<Lsn>,
    /// HAProxy's state of it; `None` when HAProxy is gone.
    pub haproxy: Option<String>,
}

impl PostgresScene {
    /// The service as it is now. [`PostgresScene::quiesce`] first, else the writer's own rows make the difference.
    ///
    /// # Panics
    /// When a node that answers stops doing so half-way.
    #[track_caller]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { nodes: Node::ALL.map(|node| (node.name(), self.fingerprint_of(node))).into() }
    }

    #[track_caller]
    fn fingerprint_of(&self, node: Node) -> NodeFingerprint {
        let role = self.role(node);
        let answers = matches!(role, Role::Primary | Role::Standby);
        NodeFingerprint {
            role,
            timeline: answers.then(|| self.timeline(node)),
            rows: answers.then(|| self.rows(node).len()),
            promotions: self.promotions(node),
            last_change: self.last_change(node),
            haproxy: self.haproxy().server_state(node),
        }
    }
}
