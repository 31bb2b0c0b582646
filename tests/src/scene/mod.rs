//! A service with real servers, to break and to recover.
//!
//! [`PostgresScene`] is a PostgreSQL primary and its streaming standby behind HAProxy, on loopback, in a throw-away folder,
//! with a client that writes numbered rows through the front:
//!
//! ```text
//! scene-writer ──> HAProxy (backend pg) ──> a   primary
//!    ledger              └── disabled ────> b   standby, streams from a
//! ```
//!
//! A test starts a scene, breaks it (`breaks.rs`), lets Lifeboat act on it, and asks for facts (`facts.rs`). Every server
//! hangs on the scene's guardian (`guardian.rs`): nothing outlives the test, however the test ends.

mod breaks;
mod facts;
mod fingerprint;
pub mod guardian;
pub mod haproxy;
mod node;
mod ports;
mod postgres;
mod sql;
mod template;
mod wal;

pub use facts::Role;
pub use fingerprint::{Fingerprint, NodeFingerprint};
pub use node::Node;
pub use postgres::{Options, PostgresScene};
pub use wal::Lsn;
