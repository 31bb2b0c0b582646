//! An action whose looks answer as a test says, one after the other.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use lifeboat_action::{
    Action, ActionContext, ActionName, ActionSpec, Change, Effect, Failure, Observation, Observe, Outcome,
    ParamProblem, Registry,
};
use serde_json::{Value, json};

/// What one look does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look {
    /// Sees that the effect is not there.
    Pending,
    /// Sees that it could not be made.
    Blocked,
    /// Takes until it is told to stop, and has seen nothing then.
    UntilStopped,
    /// Sees the effect.
    InPlace,
    /// Sees the effect, and something to warn of.
    Barely,
}

/// `test.scripted`. Its `apply` never knows what it did. After the last look of the script all see the effect.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    spec: ActionSpec,
    script: &'static [Look],
    /// For each look, when its attempt is said to have started.
    started: Arc<Mutex<Vec<Timestamp>>>,
}

impl Scripted {
    pub(crate) fn new(effect: Effect, script: &'static [Look]) -> Self {
        let spec = ActionSpec {
            name: ActionName::new("test.scripted").unwrap(),
            summary: "Does as the test says".to_owned(),
            effect,
            idempotent: true,
            observable: true,
            recoverable: false,
            rehearsed_without: Vec::new(),
            vouched_by: None,
            params: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            outputs: json!({"type": "object", "properties": {}}),
        };
        Self { spec, script, started: Arc::default() }
    }

    pub(crate) fn registry(&self) -> Registry {
        let mut registry = Registry::new();
        registry.add("test", "1", Arc::new(self.clone()));
        registry
    }

    pub(crate) fn started(&self) -> Vec<Timestamp> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Observe for Scripted {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn check(&self, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    async fn observe(&self, context: &ActionContext, _: &Value) -> Observation {
        let look = {
            let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
            started.push(context.info().started_at);
            self.script.get(started.len() - 1).copied().unwrap_or(Look::InPlace)
        };
        match look {
            Look::Pending => {
                Observation::Pending { change: Change { before: "off".to_owned(), after: "on".to_owned() } }
            }
            Look::Blocked => Observation::Blocked { why: "not now".to_owned() },
            Look::UntilStopped => {
                context.cancelled().await;
                Observation::Unknown { why: "stopped".to_owned() }
            }
            Look::InPlace => Observation::in_place("on", Default::default()),
            Look::Barely => Observation::InPlace {
                evidence: "on".to_owned(),
                outputs: Default::default(),
                warnings: vec!["seen by hunter2 alone".to_owned()],
            },
        }
    }
}

#[async_trait]
impl Action for Scripted {
    async fn apply(&self, _: &ActionContext, _: &Value) -> Result<Outcome, Failure> {
        Err(Failure::unknown("the answer was lost"))
    }
}
