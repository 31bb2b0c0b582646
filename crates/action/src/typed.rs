//! From typed functions to the object-safe traits: a plug-in is a struct of parameters, a few functions and a
//! registration.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_model::catalog::is_templated;
use lifeboat_model::{ActionName, ActionSpec, Effect, Failure, Observation, Outcome, ParamProblem};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::action::{Action, Observe, Recovery};
use crate::context::ActionContext;
use crate::params::check_against_schema;

/// What an author says of an action; the schemas are derived.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// `family.verb`.
    pub name: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// Whether applying twice is as good as once.
    pub idempotent: bool,
    /// Whether `observe` can tell if the effect is in place.
    pub observable: bool,
    /// Whether `recover` can find the result of an attempt whose driver died.
    pub recoverable: bool,
}

/// An action that only looks. Wrap it in [`ObserveOnly`].
#[async_trait]
pub trait TypedObserve: Send + Sync + std::fmt::Debug + 'static {
    /// The parameters. Declare `#[serde(deny_unknown_fields)]`.
    type Params: DeserializeOwned + JsonSchema + Send + Sync;
    /// The outputs; only its schema is used.
    type Outputs: JsonSchema;

    /// Name and summary. `idempotent` and `observable` are taken as true.
    fn describe(&self) -> (&'static str, &'static str);

    /// What is wrong with parameters whose values are all known, besides their types. In lower case.
    fn validate(&self, _params: &Self::Params) -> Vec<String> {
        Vec::new()
    }

    /// Looks: see [`Observe::observe`].
    async fn observe(&self, context: &ActionContext, params: &Self::Params) -> Observation;
}

/// An action that changes something. Wrap it in [`Typed`].
#[async_trait]
pub trait TypedAction: Send + Sync + std::fmt::Debug + 'static {
    /// The parameters. Declare `#[serde(deny_unknown_fields)]`.
    type Params: DeserializeOwned + JsonSchema + Send + Sync;
    /// The outputs; only its schema is used.
    type Outputs: JsonSchema;

    /// What it says of itself.
    fn describe(&self) -> Description;

    /// See [`Observe::effect`].
    fn effect(&self, _params: &Value) -> Effect {
        Effect::Write
    }

    /// What is wrong with parameters whose values are all known, besides their types. In lower case.
    fn validate(&self, _params: &Self::Params) -> Vec<String> {
        Vec::new()
    }

    /// See [`Observe::stop_takes`].
    fn stop_takes(&self, _params: &Self::Params) -> Duration {
        Duration::ZERO
    }

    /// Looks: see [`Observe::observe`].
    async fn observe(&self, context: &ActionContext, params: &Self::Params) -> Observation;

    /// Makes it so: see [`Action::apply`].
    async fn apply(&self, context: &ActionContext, params: &Self::Params) -> Result<Outcome, Failure>;

    /// See [`Action::recover`].
    async fn recover(&self, _context: &ActionContext, _params: &Self::Params) -> Recovery {
        Recovery::Nothing { why: "the action keeps no trace of its attempts".to_owned() }
    }

    /// See [`Action::undo`].
    async fn undo(
        &self,
        _context: &ActionContext,
        _params: &Self::Params,
        _outcome: &Outcome,
    ) -> Option<Result<Outcome, Failure>> {
        None
    }
}

/// Makes an [`Action`] of a [`TypedAction`].
#[derive(Debug)]
pub struct Typed<A> {
    action: A,
    spec: LazySpec,
}

/// Makes an [`Action`] of a [`TypedObserve`]; its effect is [`Effect::Read`].
#[derive(Debug)]
pub struct ObserveOnly<A> {
    action: A,
    spec: LazySpec,
}

impl<A: TypedAction> Typed<A> {
    /// Wraps the action.
    ///
    /// # Panics
    /// When the action's name is not `family.verb`: a bug of the plug-in.
    pub fn new(action: A) -> Self {
        let spec = LazySpec::new::<A::Params, A::Outputs>(action.describe(), Effect::Write);
        Self { action, spec }
    }
}

impl<A: TypedObserve> ObserveOnly<A> {
    /// Wraps the action.
    ///
    /// # Panics
    /// When the action's name is not `family.verb`: a bug of the plug-in.
    pub fn new(action: A) -> Self {
        let (name, summary) = action.describe();
        let description =
            Description { name, summary, idempotent: true, observable: true, recoverable: false };
        let spec = LazySpec::new::<A::Params, A::Outputs>(description, Effect::Read);
        Self { action, spec }
    }
}

#[async_trait]
impl<A: TypedAction> Observe for Typed<A> {
    fn name(&self) -> &ActionName {
        &self.spec.name
    }

    fn spec(&self) -> &ActionSpec {
        self.spec.get()
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check(self.spec.get(), params, |typed| self.action.validate(typed))
    }

    fn effect(&self, params: &Value) -> Effect {
        self.action.effect(params)
    }

    fn stop_takes(&self, params: &Value) -> Duration {
        let typed = read_params(self.spec.get(), params);
        typed.map_or(Duration::ZERO, |params| self.action.stop_takes(&params))
    }

    async fn observe(&self, context: &ActionContext, params: &Value) -> Observation {
        match read_params(self.spec.get(), params) {
            Ok(params) => self.action.observe(context, &params).await,
            Err(failure) => no_look(self.action.effect(params), &failure),
        }
    }
}

#[async_trait]
impl<A: TypedAction> Action for Typed<A> {
    async fn apply(&self, context: &ActionContext, params: &Value) -> Result<Outcome, Failure> {
        self.action.apply(context, &read_params(self.spec.get(), params)?).await
    }

    async fn recover(&self, context: &ActionContext, params: &Value) -> Recovery {
        match read_params(self.spec.get(), params) {
            Ok(params) => self.action.recover(context, &params).await,
            Err(failure) => Recovery::Nothing { why: failure.to_string() },
        }
    }

    async fn undo(
        &self,
        context: &ActionContext,
        params: &Value,
        outcome: &Outcome,
    ) -> Option<Result<Outcome, Failure>> {
        match read_params(self.spec.get(), params) {
            Ok(params) => self.action.undo(context, &params, outcome).await,
            Err(failure) => Some(Err(failure)),
        }
    }
}

#[async_trait]
impl<A: TypedObserve> Observe for ObserveOnly<A> {
    fn name(&self) -> &ActionName {
        &self.spec.name
    }

    fn spec(&self) -> &ActionSpec {
        self.spec.get()
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check(self.spec.get(), params, |typed| self.action.validate(typed))
    }

    async fn observe(&self, context: &ActionContext, params: &Value) -> Observation {
        match read_params(self.spec.get(), params) {
            Ok(params) => self.action.observe(context, &params).await,
            Err(failure) => no_look(Effect::Read, &failure),
        }
    }
}

#[async_trait]
impl<A: TypedObserve> Action for ObserveOnly<A> {
    /// The engine runs a read-only action through `observe`; this answers the same for other callers.
    async fn apply(&self, context: &ActionContext, params: &Value) -> Result<Outcome, Failure> {
        match self.observe(context, params).await {
            Observation::InPlace { evidence, outputs, warnings } => {
                Ok(Outcome { evidence, outputs, warnings })
            }
            Observation::Pending { change } => {
                Err(Failure::transient(format!("it is {}, expected {}", change.before, change.after)))
            }
            Observation::Blocked { why } | Observation::Unknown { why } => Err(Failure::transient(why)),
        }
    }
}

/// A catalogue entry that is made when somebody asks for it: a program knows many actions and uses few, and the schemas
/// are most of what it does until it is ready.
#[derive(Debug)]
struct LazySpec {
    name: ActionName,
    spec: LazyLock<ActionSpec, Box<dyn FnOnce() -> ActionSpec + Send + Sync>>,
}

impl LazySpec {
    fn new<P: JsonSchema, O: JsonSchema>(description: Description, effect: Effect) -> Self {
        let name = ActionName::new(description.name).expect("bug: an action's name must be family.verb");
        let make = {
            let name = name.clone();
            move || spec::<P, O>(name, description, effect)
        };
        Self { name, spec: LazyLock::new(Box::new(make)) }
    }

    fn get(&self) -> &ActionSpec {
        &self.spec
    }
}

fn spec<P: JsonSchema, O: JsonSchema>(
    name: ActionName,
    description: Description,
    effect: Effect,
) -> ActionSpec {
    let Description { name: _, summary, idempotent, observable, recoverable } = description;
    let (params, outputs) = (schema::<P>(), schema::<O>());
    ActionSpec {
        name,
        summary: summary.to_owned(),
        effect,
        idempotent,
        observable,
        recoverable,
        params,
        outputs,
    }
}

fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn check<P: DeserializeOwned>(
    spec: &ActionSpec,
    params: &Value,
    validate: impl FnOnce(&P) -> Vec<String>,
) -> Vec<ParamProblem> {
    let problems = check_against_schema(&spec.params, params);
    if !problems.is_empty() || has_template(params) {
        return problems;
    }
    let whole = |message| ParamProblem { path: Vec::new(), on_key: false, message, help: None };
    match serde_path_to_error::deserialize::<_, P>(params) {
        Ok(typed) => validate(&typed).into_iter().map(whole).collect(),
        Err(error) => {
            let path = error.path().iter().map(ToString::to_string).filter(|part| part != "?").collect();
            vec![ParamProblem { path, ..whole(error.inner().to_string()) }]
        }
    }
}

fn read_params<P: DeserializeOwned>(spec: &ActionSpec, params: &Value) -> Result<P, Failure> {
    let mut params = params.clone();
    as_texts(&spec.params, &mut params);
    serde_path_to_error::deserialize(params).map_err(|error| {
        Failure::permanent(format!("{}: parameter `{}`: {}", spec.name, error.path(), error.inner()))
    })
}

/// What is said of parameters that cannot be read. They are in the way of a change; a look with them has seen nothing.
fn no_look(effect: Effect, failure: &Failure) -> Observation {
    let why = failure.to_string();
    match effect {
        Effect::Read => Observation::Unknown { why },
        Effect::Write => Observation::Blocked { why },
    }
}

/// Writes numbers and booleans as texts where only a text may stand. A literal of the wrong type was refused when the
/// runbook was checked, so these are values of templates, which keep their type: an exit code in an `argv`.
fn as_texts(schema: &Value, value: &mut Value) {
    match value {
        Value::Number(_) | Value::Bool(_) if schema.get("type").is_some_and(|only| only == "string") => {
            *value = Value::String(value.to_string());
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| as_texts(schema, item));
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let named = schema.get("properties").and_then(|properties| properties.get(key));
                if let Some(schema) = named.or_else(|| schema.get("additionalProperties")) {
                    as_texts(schema, item);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn has_template(value: &Value) -> bool {
    match value {
        Value::String(text) => is_templated(text),
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(map) => map.values().any(has_template),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::as_texts;

    #[test]
    fn values_of_templates_become_texts_where_texts_are_wanted() {
        let schema = json!({"type": "object", "properties": {
            "argv": {"type": ["array", "null"], "items": {"type": "string"}},
            "env": {"type": "object", "additionalProperties": {"type": "string"}},
            "port": {"type": "integer"},
            "any": {},
        }});
        let mut params = json!({"argv": ["sleep", 5], "env": {"ON": true}, "port": 5432, "any": 1});
        as_texts(&schema, &mut params);
        assert_eq!(params, json!({"argv": ["sleep", "5"], "env": {"ON": "true"}, "port": 5432, "any": 1}));
    }
}
