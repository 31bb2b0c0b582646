//! The object-safe traits. Parameters and outputs are JSON at this boundary; inside a plug-in they are typed.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_model::outcome::Without;
use lifeboat_model::{ActionName, ActionSpec, Effect, Failure, Observation, Outcome, ParamProblem};
use serde_json::Value;

use crate::context::{ActionContext, CallInfo};

/// The half of an action that changes nothing.
#[async_trait]
pub trait Observe: Send + Sync + std::fmt::Debug {
    /// The name, `family.verb`.
    fn name(&self) -> &ActionName {
        &self.spec().name
    }

    /// The catalogue entry.
    fn spec(&self) -> &ActionSpec;

    /// Everything that can be known to be wrong with these parameters. A text that holds a template stands for a value
    /// not known yet and is accepted.
    fn check(&self, params: &Value) -> Vec<ParamProblem>;

    /// Why no call with these parameters can go well, now that all of them are known but those of `without`: it is not
    /// made then, and another try would not help. `None`: the parameters are as they should be.
    fn refusal(&self, _params: &Value, _without: &Without) -> Option<Failure> {
        None
    }

    /// What a call with these parameters may do to the world: what the spec says, unless the parameters narrow it.
    fn effect(&self, _params: &Value) -> Effect {
        self.spec().effect
    }

    /// How long a call with these parameters may take to stop once it is told to, on top of what every call is given.
    fn stop_takes(&self, _params: &Value) -> Duration {
        Duration::ZERO
    }

    /// Whether a look with these parameters changes nothing, whatever they say. False where `observe` carries out what
    /// the runbook's author wrote: a statement, a request, a command. See [`harmlessness()`](crate::harmlessness()).
    fn look_is_harmless(&self, params: &Value) -> bool;

    /// Looks at the real system and says whether the effect is in place. Must not change anything.
    ///
    /// For an action whose effect is [`Effect::Read`] this *is* the action: `InPlace` means the condition holds, and
    /// its outputs are the step's outputs.
    async fn observe(&self, context: &ActionContext, params: &Value) -> Observation;
}

/// An action: what changes the world.
///
/// An action must not block its thread, which may be the one that drives the run: what waits is awaited, and what
/// cannot be is for `spawn_blocking`.
///
/// Cancellation: when the context's token is cancelled, `apply` should stop as soon as it safely can and answer what
/// is then true; [`lifeboat_model::FailureKind::Unknown`] when it cannot know. An implementation that does not answer
/// within the engine's grace is abandoned, and its step is in doubt.
#[async_trait]
pub trait Action: Observe {
    /// Makes it so. Called only after the step's start is on disk.
    async fn apply(&self, context: &ActionContext, params: &Value) -> Result<Outcome, Failure>;

    /// Opens the trace of an attempt, for [`Action::recover`]. The engine calls this before it records that the attempt
    /// starts, so the trace of every recorded attempt was there once: a trace that is missing was lost and proves nothing.
    /// Waits for nothing but the disk.
    fn open_trace(&self, _attempt: &CallInfo) -> io::Result<()> {
        Ok(())
    }

    /// Looks for what became of an attempt whose driver died; the context is of that attempt. Waits for it when it is
    /// found still running.
    async fn recover(&self, _context: &ActionContext, _params: &Value) -> Recovery {
        Recovery::Nothing { why: "the action keeps no trace of its attempts".to_owned() }
    }

    /// Waits until nothing of an attempt can still go on; the context is of that attempt. Called in the place of `recover`
    /// where the attempt's parameters cannot be worked out any more. `Err`: nobody can tell, in words.
    async fn outlast(&self, _context: &ActionContext) -> Result<(), String> {
        Ok(())
    }

    /// Takes it back, given what `apply` returned. `None`: the action has no undo.
    async fn undo(
        &self,
        _context: &ActionContext,
        _params: &Value,
        _outcome: &Outcome,
    ) -> Option<Result<Outcome, Failure>> {
        None
    }
}

/// What became of an attempt whose driver died.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovery {
    /// Its result.
    Ended {
        /// The result, as `apply` would have answered it.
        result: Result<Outcome, Failure>,
        /// Where the result comes from, in words.
        evidence: String,
    },
    /// It is proven that the attempt changed nothing and that nothing of it can still begin: it may run again.
    NotStarted {
        /// What proves it, in words.
        evidence: String,
    },
    /// Nobody can tell whether it still goes on: it must not be repeated beside itself.
    MayGoOn {
        /// Why not, in words.
        why: String,
    },
    /// No trace that settles it, and nothing of it goes on.
    Nothing {
        /// What was looked for, and what was found instead.
        why: String,
    },
}
