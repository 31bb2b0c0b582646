//! The two database nodes and their settings.

use std::fmt;

/// A database node of the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// The primary of a fresh scene.
    A,
    /// The standby of a fresh scene.
    B,
}

impl Node {
    /// Both nodes.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// Its name: data folder, HAProxy server, `cluster_name` and `application_name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// The other node.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The settings that are the same in every scene.
///
/// Timeouts are short, so that tests are. Nothing writes of its own accord (no autovacuum, no timed checkpoint), so that what
/// is written was somebody's order. `fsync` is off: servers are killed here, machines do not lose power.
pub(crate) const COMMON_SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = replica
wal_log_hints = on
hot_standby = on
max_wal_senders = 10
max_replication_slots = 10
wal_keep_size = 64MB
max_slot_wal_keep_size = 256MB
wal_receiver_status_interval = 1s
wal_receiver_timeout = 5s
wal_sender_timeout = 5s
wal_retrieve_retry_interval = 100ms
checkpoint_timeout = 1h
autovacuum = off
fsync = off
shared_buffers = 16MB
max_connections = 50
log_line_prefix = '%m [%p] %a '
";

/// The settings of one node: a standby follows the other node, a primary ignores that.
pub(crate) fn settings(node: Node, own_port: u16, other_port: u16) -> String {
    format!(
        "{COMMON_SETTINGS}\
         cluster_name = '{node}'\n\
         port = {own_port}\n\
         primary_conninfo = 'host=127.0.0.1 port={other_port} user=postgres application_name={node}'\n\
         primary_slot_name = '{}'\n",
        slot(node)
    )
}

/// The replication slot that `node` reads from when it is a standby.
pub(crate) fn slot(node: Node) -> String {
    format!("standby_{node}")
}

/// Who may connect: everybody on this machine.
pub(crate) const ACCESS: &str = "\
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
";
