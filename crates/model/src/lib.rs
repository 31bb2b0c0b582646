//! The runbook language, the plan, the records of a run and the run's state: pure.
//!
//! Nothing in this crate reads a file, a clock, the environment or randomness, and nothing is async: values come in
//! as arguments. The pipeline reads from the names:
//!
//! ```text
//! Source ── parse ──▶ Document ── check ──▶ Plan ── RunState::new ──▶ RunState ◀── apply ── Record
//!                                                                        │
//!                                                                        └── next ──▶ what may happen now
//! ```
//!
//! Every legal transition of a run is in [`RunState::apply`]; a live run, a resume and a reader fold records through
//! the same function.

#![warn(missing_docs)]

pub mod action_spec;
mod attempt_key;
pub mod catalog;
pub mod check;
pub mod document;
pub mod duration;
pub mod event;
pub mod ids;
pub mod inputs;
pub mod kind;
pub mod node_path;
pub mod outcome;
pub mod plan;
pub mod problem;
pub mod record;
pub mod redact;
mod run_header;
pub mod run_state;
pub mod source;
mod suggest;
pub mod template;
mod undriven;

pub use action_spec::{ActionSpec, Effect, Harmlessness};
pub use attempt_key::AttemptKey;
pub use catalog::{Catalog, ParamPath, ParamProblem};
pub use check::{INPUT_VALUE, check, check_filled, check_source};
pub use document::{Document, read_values};
pub use event::{Event, EventKind};
pub use ids::{
    ActionName, Attempt, Digest, Effort, Epoch, InvalidId, NodeIndex, RunId, Seq, StepId, StepIndex,
};
pub use inputs::{Given, InputProblem, bind_inputs};
pub use node_path::{ItemKey, NodePath};
pub use outcome::{Change, Failure, FailureKind, Footprint, Observation, Outcome};
pub use plan::{Plan, PlanStep, StepKind};
pub use problem::{Problem, Problems, Related};
pub use record::{Mode, Record, RecordBody};
pub use redact::Redact;
pub use run_header::{Header, Holder};
pub use run_state::{IllegalRecord, Next, Outlook, Phase, Refused, RunState, Status, StepState};
pub use source::{Position, Source, Span, Spanned};
pub use suggest::nearest;
pub use undriven::Undriven;
