//! Actions that look at HTTP endpoints (`http.check`) and call them (`http.request`).
//!
//! ```text
//! check    request      the two actions: what an answer means for a step
//!    └─ expect ─┘       what an answer should be
//!      exchange         one request, one answer: bounded, and clear about whether anything was sent
//!       client          TLS roots, redirects
//!       params          addresses and headers, checked, and shown without their secrets
//! ```
//!
//! No message holds a query string, a header's value or a secret: addresses are shown up to their query, masked.

#![warn(missing_docs)]

mod check;
mod client;
mod exchange;
mod expect;
mod params;
mod request;

use std::sync::Arc;

use lifeboat_action::{ObserveOnly, Registry, Typed};

/// Adds `http.check` and `http.request`.
pub fn register(registry: &mut Registry) {
    let (plugin, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    registry.add(plugin, version, Arc::new(ObserveOnly::new(check::Check)));
    registry.add(plugin, version, Arc::new(Typed::new(request::Request)));
}
