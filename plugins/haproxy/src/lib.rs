//! Actions on HAProxy's runtime socket: `haproxy.set_server`.
//!
//! ```text
//! set_server   what is wanted, what is there, and what to send        (the action)
//!   runtime    commands and what their answers mean                   (HAProxy's language)
//!     table    tables by the names in their header
//!     socket   one command a connection, bounded in size and time     (bytes)
//! ```
//!
//! The runtime socket has no status code: a good answer to a change is an empty line, anything else is an error in
//! words. So no answer is believed for itself: the server is looked at again after every change.

#![warn(missing_docs)]

mod memo;
mod params;
mod runtime;
mod set_server;
mod socket;
mod table;

use std::sync::Arc;

use lifeboat_action::{Registry, Typed};

use set_server::SetServer;

/// Adds `haproxy.set_server`.
pub fn register(registry: &mut Registry) {
    let (plugin, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    registry.add(plugin, version, Arc::new(Typed::new(SetServer)));
}
