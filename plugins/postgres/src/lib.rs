//! Actions that observe, fence, promote and query PostgreSQL.
//!
//! | action | what it does |
//! |---|---|
//! | `postgres.check` | looks at one server: up, down, primary, standby, writable, how far behind |
//! | `postgres.fence` | proves that the old primary cannot take writes, and says how strong the proof is |
//! | `postgres.promote` | makes a standby the primary, given young proof of fencing and a bounded lag |
//! | `postgres.query` | one SQL statement: reading in a read-only transaction, or writing when told so |
//!
//! All of them talk to one server over a connection of their own, directly: no pooler between. Every exchange with a
//! server has its own bound, because a frozen server accepts connections and never answers. Servers from 12 on.

mod address;
mod check;
mod connection;
mod evidence;
mod fence;
mod json;
mod lag;
mod look;
mod lsn;
mod observers;
mod path;
mod promote;
mod query;
mod reach;
mod session;
mod sqlstate;
mod tls;

use std::sync::Arc;

use lifeboat_action::{ObserveOnly, Registry, Typed};

pub use evidence::{FenceEvidence, Proof};

/// Adds this plug-in's actions.
pub fn register(registry: &mut Registry) {
    let mut add = |action| registry.add(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), action);
    add(Arc::new(ObserveOnly::new(check::Check)));
    add(Arc::new(Typed::new(fence::Fence)));
    add(Arc::new(Typed::new(promote::Promote)));
    add(Arc::new(Typed::new(query::Query)));
}
