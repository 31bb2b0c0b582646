//! `lifeboat demo`: a one-minute tour that needs nothing but the program it is linked into.
//!
//! ```text
//!  customer ──writes──▶ front ──▶ east (primary) ──rows──▶ west (standby)     each a process of its own, on loopback
//!     │                   ▲                                  ▲
//!   tour ──starts, kills, resumes──▶ lifeboat run / resume ──┘
//! ```
//!
//! The service is small but real: what it acknowledges, promotes and loses is its own doing, written to its own audit
//! log. The tour drives Lifeboat from outside, as a person at a shell would, and ends with proofs taken from the
//! journal on one side and from the service on the other.
//!
//! The processes of the service are the program itself, started again with the hidden argument [`SERVE`]: `main` hands
//! those over to [`serve`] before it does anything else.

#![warn(missing_docs)]

mod customer;
mod history;
mod http;
mod leftovers;
mod lifeboat;
mod proof;
mod scene;
mod screen;
mod service;
mod timeline;
mod tour;
mod trouble;
mod watch;

pub use service::{SERVE, serve};
pub use tour::tour;
pub use trouble::Trouble;
