//! What is true of a scene now, asked of the servers themselves and not of anybody's report.

use std::collections::BTreeSet;

use super::node::Node;
use super::postgres::PostgresScene;
use super::wal::{self, Lsn};

/// What a node is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It follows another node.
    Standby,
    /// Its server runs and does not answer.
    Frozen,
    /// Its server does not run.
    Down,
}

impl PostgresScene {
    /// What `node` is now.
    pub fn role(&self, node: Node) -> Role {
        let server = *self.running().node(node);
        if !server.is_some_and(crate::process::Process::is_alive) {
            return Role::Down;
        }
        match self.try_sql(node, "select pg_is_in_recovery()").as_deref() {
            Ok("f") => Role::Primary,
            Ok(_) => Role::Standby,
            Err(_) => Role::Frozen,
        }
    }

    /// Whether a standby streams from `a`.
    pub fn streams(&self) -> bool {
        let states = self.try_sql(Node::A, "select state from pg_stat_replication");
        states.is_ok_and(|state| state == "streaming")
    }

    /// The timeline of a running node.
    ///
    /// A primary is asked for the name of its log file, as its control file shows the old timeline until the next checkpoint.
    ///
    /// # Panics
    /// When the node does not answer.
    #[track_caller]
    pub fn timeline(&self, node: Node) -> u32 {
        let name = "select case when pg_is_in_recovery() \
                    then lpad(to_hex((select timeline_id from pg_control_checkpoint())), 8, '0') \
                    else left(pg_walfile_name(pg_current_wal_lsn()), 8) end";
        let digits = self.sql(node, name);
        u32::from_str_radix(&digits, 16).unwrap_or_else(|error| panic!("timeline {digits:?}: {error}"))
    }

    /// How many promotions a node's log knows of, whether or not it runs: one timeline history file each.
    ///
    /// # Panics
    /// When its log cannot be read.
    pub fn promotions(&self, node: Node) -> usize {
        wal::promotions(&self.data(node))
    }

    /// Where the last change stands in a node's log, whether or not the node runs. Records that servers write by
    /// themselves are left out, so this stands still when nobody writes.
    ///
    /// # Panics
    /// When its log cannot be read.
    pub fn last_change(&self, node: Node) -> Option<Lsn> {
        wal::last_change(&self.data(node))
    }

    /// How far a standby has received the log. After the end of the stream, what is promoted.
    ///
    /// # Panics
    /// When the node does not answer, or never received anything.
    #[track_caller]
    pub fn received(&self, standby: Node) -> Lsn {
        self.position(standby, "select pg_last_wal_receive_lsn()")
    }

    /// How far a standby has replayed the log.
    ///
    /// # Panics
    /// When the node does not answer or is no standby.
    #[track_caller]
    pub fn replayed(&self, standby: Node) -> Lsn {
        self.position(standby, "select pg_last_wal_replay_lsn()")
    }

    /// The end of a primary's log.
    ///
    /// # Panics
    /// When the node does not answer or is no primary.
    #[track_caller]
    pub fn written(&self, primary: Node) -> Lsn {
        self.position(primary, "select pg_current_wal_insert_lsn()")
    }

    /// The numbers of the rows on a node.
    ///
    /// # Panics
    /// When the node does not answer.
    #[track_caller]
    pub fn rows(&self, node: Node) -> BTreeSet<u64> {
        let rows = self
            .column(node, "select n from orders")
            .unwrap_or_else(|why| panic!("{node} has no rows: {why}"));
        let number = |row: &String| row.parse().unwrap_or_else(|error| panic!("row {row:?}: {error}"));
        rows.iter().map(number).collect()
    }

    /// The acknowledged rows that `node` does not have: the data loss, were it the primary.
    ///
    /// # Panics
    /// When the node does not answer.
    #[track_caller]
    pub fn lost_rows(&self, node: Node) -> BTreeSet<u64> {
        // The ledger first: a row acknowledged after the look at the table would seem lost.
        let ledger = self.ledger();
        ledger.lost(&self.rows(node))
    }

    /// Whether the writer's latest row was acknowledged.
    pub fn writes_work(&self) -> bool {
        self.ledger().last().is_some_and(|entry| entry.answer == crate::ledger::Answer::Acked)
    }

    /// The nodes that take writes now: more than one is a split brain.
    pub fn primaries(&self) -> Vec<Node> {
        Node::ALL.into_iter().filter(|node| self.role(*node) == Role::Primary).collect()
    }

    #[track_caller]
    fn position(&self, node: Node, statement: &str) -> Lsn {
        let text = self.sql(node, statement);
        text.parse().unwrap_or_else(|error| panic!("{node}: {error}"))
    }
}
