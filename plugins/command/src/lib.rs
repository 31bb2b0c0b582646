//! Actions that run commands under a supervisor which outlives the driver.
//!
//! ```text
//!  driver ── requests, JSON lines ──▶ supervisor ── spawn, wait ──▶ command, in a process group of its own
//!    ▲  ◀────────── answers ──────────    │
//!    │                                    ▼ holds the lock, writes what it does
//!    └──────── reads when resumed ── steps/<step>/<attempt>/supervision.jsonl
//! ```
//!
//! One supervisor serves all commands of a driver. It is the same program, started again with a hidden argument, and
//! in a session of its own: neither the driver's death nor the terminal's signals reach it. What is proven by which
//! file at which moment is in `docs/design/supervision.md`.

#![warn(missing_docs)]

mod action;
mod connection;
mod end;
mod ends;
mod left;
mod opening;
mod output;
mod params;
mod place;
mod process;
mod protocol;
mod recover;
mod requests;
mod result;
mod room;
mod settle;
mod supervise;
mod supervised;
mod trace;
mod tree;

use std::sync::Arc;

use lifeboat_action::{Registry, Typed};

pub use connection::SupervisorProgram;
pub use left::{Tail, tails};
pub use supervise::supervise;

/// Adds `command.run`. `program` is started as the supervisor when the first command is about to run.
pub fn register(registry: &mut Registry, program: SupervisorProgram) {
    let (plugin, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    registry.add(plugin, version, Arc::new(Typed::new(action::CommandRun::new(program))));
}
