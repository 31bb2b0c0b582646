//! A world that can be looked at and changed, and actions that do so the way their parameters say.

mod late;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_action::{
    ActionContext, Change, Description, Failure, Observation, ObserveOnly, Outcome, Recovery, Registry,
    Typed, TypedAction, TypedObserve,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::late::Late;

/// What the fake actions look at and change. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct World {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    values: BTreeMap<String, String>,
    applied: Vec<String>,
    observed: Vec<String>,
    calls: BTreeMap<String, u32>,
}

impl World {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The values that were set.
    pub fn values(&self) -> BTreeMap<String, String> {
        self.inner().values.clone()
    }

    /// The steps whose action changed something, once for each change, in order.
    pub fn applied(&self) -> Vec<String> {
        self.inner().applied.clone()
    }

    /// The steps that were looked at, in order.
    pub fn observed(&self) -> Vec<String> {
        self.inner().observed.clone()
    }

    /// Notes that a step was looked at.
    pub(crate) fn look_at(&self, step: &str) {
        self.inner().observed.push(step.to_owned());
    }

    /// Sets a value for a step.
    pub(crate) fn set(&self, step: &str, name: &str, value: &str) {
        let mut inner = self.inner();
        inner.values.insert(name.to_owned(), value.to_owned());
        inner.applied.push(step.to_owned());
    }

    /// A registry of the actions on this world.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::new();
        let (plugin, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        registry.add(plugin, version, Arc::new(Typed::new(Set { world: self.clone(), observable: true })));
        registry.add(plugin, version, Arc::new(Typed::new(Set { world: self.clone(), observable: false })));
        registry.add(plugin, version, Arc::new(Typed::new(Traced { world: self.clone() })));
        registry.add(plugin, version, Arc::new(Typed::new(Late { world: self.clone() })));
        registry.add(plugin, version, Arc::new(ObserveOnly::new(Get { world: self.clone() })));
        registry
    }

    fn look(&self, step: &str, params: &SetParams) -> Observation {
        let mut inner = self.inner();
        inner.observed.push(step.to_owned());
        match inner.values.get(&params.name) {
            Some(value) if *value == params.value => {
                Observation::in_place(format!("{} is {value}", params.name), outputs(params))
            }
            found => Observation::Pending {
                change: Change {
                    before: found.map_or_else(|| "unset".to_owned(), |value| format!("set to {value}")),
                    after: format!("set to {}", params.value),
                },
            },
        }
    }
}

/// `fake.set`, which can look for its effect, and `fake.blind`, which cannot.
#[derive(Debug)]
struct Set {
    world: World,
    observable: bool,
}

/// Sets `name` to `value` in the world.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetParams {
    name: String,
    value: String,
    /// How many calls fail before one succeeds.
    #[serde(default)]
    fails: u32,
    /// How those fail.
    #[serde(default)]
    how: How,
    /// How long a call takes.
    #[serde(default)]
    millis: u64,
    /// Do not stop when told to.
    #[serde(default)]
    deaf: bool,
    /// How long it takes to stop when told to; it says so.
    #[serde(default)]
    stop_millis: u64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Transiently, nothing changed.
    #[default]
    Transient,
    /// For good, nothing changed.
    Permanent,
    /// Nobody knows, and it was done.
    UnknownDone,
    /// Nobody knows, and it was not done.
    UnknownNotDone,
    /// With a panic.
    Panic,
}

/// What the fake actions give to later steps.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct SetOutputs {
    value: String,
}

fn outputs(params: &SetParams) -> Map<String, Value> {
    Map::from_iter([("value".to_owned(), json!(params.value))])
}

#[async_trait]
impl TypedAction for Set {
    type Params = SetParams;
    type Outputs = SetOutputs;

    fn describe(&self) -> Description {
        let name = if self.observable { "fake.set" } else { "fake.blind" };
        let summary = "Sets a value in a fake world";
        Description { name, summary, idempotent: true, observable: self.observable, recoverable: false }
    }

    fn stop_takes(&self, params: &SetParams) -> Duration {
        Duration::from_millis(params.stop_millis)
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    async fn observe(&self, context: &ActionContext, params: &SetParams) -> Observation {
        if self.observable {
            self.world.look(context.info().step.as_str(), params)
        } else {
            Observation::Unknown { why: "it is blind".to_owned() }
        }
    }

    async fn apply(&self, context: &ActionContext, params: &SetParams) -> Result<Outcome, Failure> {
        let step = context.info().step.to_string();
        let sleep = tokio::time::sleep(Duration::from_millis(params.millis));
        if params.deaf {
            sleep.await;
        } else if params.millis > 0 {
            tokio::select! {
                () = sleep => {}
                () = context.cancelled() => {
                    tokio::time::sleep(Duration::from_millis(params.stop_millis)).await;
                    return Err(Failure::unknown("stopped half-way"));
                }
            }
        }
        let mut inner = self.world.inner();
        let calls = inner.calls.entry(step.clone()).or_default();
        *calls += 1;
        let fails = *calls <= params.fails;
        if !fails || matches!(params.how, How::UnknownDone) {
            inner.values.insert(params.name.clone(), params.value.clone());
            inner.applied.push(step);
        }
        drop(inner);
        match params.how {
            _ if !fails => Ok(Outcome {
                evidence: format!("{} set to {}", params.name, params.value),
                outputs: outputs(params),
                warnings: Vec::new(),
            }),
            How::Transient => Err(Failure::transient("not now")),
            How::Permanent => Err(Failure::permanent("never")),
            How::UnknownDone | How::UnknownNotDone => Err(Failure::unknown("the answer was lost")),
            How::Panic => panic!("as asked"),
        }
    }
}

/// `fake.traced`: never comes to its end, and is asked afterwards what became of it; a `deaf` one does not answer that
/// either. Notes in the world which machine its attempt is said to have run on.
#[derive(Debug)]
struct Traced {
    world: World,
}

#[async_trait]
impl TypedAction for Traced {
    type Params = SetParams;
    type Outputs = SetOutputs;

    fn describe(&self) -> Description {
        let summary = "Never ends, and leaves a trace";
        Description { name: "fake.traced", summary, idempotent: false, observable: false, recoverable: true }
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    async fn observe(&self, _: &ActionContext, _: &SetParams) -> Observation {
        Observation::Unknown { why: "it keeps only a trace".to_owned() }
    }

    async fn apply(&self, _: &ActionContext, _: &SetParams) -> Result<Outcome, Failure> {
        std::future::pending().await
    }

    async fn recover(&self, context: &ActionContext, params: &SetParams) -> Recovery {
        if params.deaf {
            return std::future::pending().await;
        }
        let boot = context.info().boot.clone().unwrap_or_else(|| "unknown".to_owned());
        self.world.inner().values.insert(params.name.clone(), boot);
        let outcome =
            Outcome { evidence: "it ended".to_owned(), outputs: outputs(params), warnings: Vec::new() };
        Recovery::Ended { result: Ok(outcome), evidence: "its trace".to_owned() }
    }
}

/// `fake.get`: whether a value is set.
#[derive(Debug)]
struct Get {
    world: World,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetParams {
    name: String,
    /// The value it must have; any, if none is given.
    value: Option<String>,
    /// It cannot look.
    #[serde(default)]
    blind: bool,
}

#[async_trait]
impl TypedObserve for Get {
    type Params = GetParams;
    type Outputs = SetOutputs;

    fn describe(&self) -> (&'static str, &'static str) {
        ("fake.get", "Reads a value of a fake world")
    }

    fn rehearsed_without(&self) -> &'static [&'static str] {
        &["value"]
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    async fn observe(&self, context: &ActionContext, params: &GetParams) -> Observation {
        let mut inner = self.world.inner();
        inner.observed.push(context.info().step.to_string());
        if params.blind {
            return Observation::Unknown { why: "it is out of reach".to_owned() };
        }
        match inner.values.get(&params.name) {
            Some(value) if params.value.as_ref().is_none_or(|wanted| wanted == value) => {
                let outputs = Map::from_iter([("value".to_owned(), json!(value))]);
                let unjudged = context.without("value").map(|why| format!(", right or wrong: {why}"));
                Observation::in_place(
                    format!("{} is {value}{}", params.name, unjudged.unwrap_or_default()),
                    outputs,
                )
            }
            found => {
                Observation::Blocked { why: format!("{} is {}", params.name, found.map_or("unset", |v| v)) }
            }
        }
    }
}
