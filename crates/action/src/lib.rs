//! The contract between the engine and its actions.
//!
//! An action is an operation that a plug-in offers. It is stateless: everything it may know comes in through its
//! parameters and the [`ActionContext`], and everything it has to say goes out as an answer.
//!
//! The contract has two halves, and the split is what makes a rehearsal safe. [`Observe`] looks and never changes
//! anything; [`Action`] adds what changes the world. A dry run is handed [`Observers`], which offers the first half
//! only: there is no way to get from it to `apply`. Where a look carries out what the runbook's author wrote, the action
//! cannot see to that; a dry run then makes it on the author's word alone ([`harmlessness()`]).
//!
//! Plug-ins are usually written with [`TypedAction`]: a struct of parameters and a few functions.

#![warn(missing_docs)]

mod action;
mod context;
pub mod duration;
mod harmlessness;
mod network;
mod params;
mod read;
mod registry;
mod secret;
mod spelling;
mod typed;

pub use action::{Action, Observe, Recovery};
pub use context::{ActionContext, CallInfo, Progress, ProgressSink};
pub use harmlessness::harmlessness;
pub use lifeboat_model::outcome::Without;
pub use lifeboat_model::{
    ActionName, ActionSpec, Attempt, AttemptKey, Catalog, Change, Effect, Effort, Failure, FailureKind,
    Harmlessness, NodePath, Observation, Outcome, ParamProblem, RunId,
};
pub use network::NetworkFault;
pub use params::check_against_schema;
pub use registry::{Observers, Registry};
pub use secret::{MASK, Masker};
pub use typed::{Description, ObserveOnly, Typed, TypedAction, TypedObserve};
