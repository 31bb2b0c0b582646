//! From typed functions to the object-safe traits: a plug-in is a struct of parameters, a few functions and a
//! registration.

use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_model::outcome::Without;
use lifeboat_model::{ActionName, ActionSpec, Effect, Failure, Observation, Outcome, ParamProblem};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::action::{Action, Observe, Recovery};
use crate::context::{ActionContext, CallInfo};
use crate::read::{check, read_params, usable_params};

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

    /// The problems of parameters whose values are all known, besides their types, each about the parameters that it
    /// speaks of. A call with such parameters is refused, too.
    fn validate(&self, _params: &Self::Params) -> Vec<ParamProblem> {
        Vec::new()
    }

    /// See [`Observe::look_is_harmless`].
    fn look_is_harmless(&self, params: &Value) -> bool;

    /// See [`TypedAction::vouched_by`].
    fn vouched_by(&self) -> Option<&'static str> {
        None
    }

    /// See [`TypedAction::rehearsed_without`].
    fn rehearsed_without(&self) -> &'static [&'static str] {
        &[]
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

    /// See [`Observe::look_is_harmless`]. Where it is not always so, an author may vouch: see `vouched_by`.
    fn look_is_harmless(&self, params: &Value) -> bool;

    /// The parameter, `true` or `false`, by which an author vouches that a call only looks. Without one, a call whose look
    /// is not harmless is never made in a dry run.
    fn vouched_by(&self) -> Option<&'static str> {
        None
    }

    /// The problems of parameters whose values are all known, besides their types, each about the parameters that it
    /// speaks of. A call with such parameters is refused, too.
    fn validate(&self, _params: &Self::Params) -> Vec<ParamProblem> {
        Vec::new()
    }

    /// See [`Observe::stop_takes`].
    fn stop_takes(&self, _params: &Self::Params) -> Duration {
        Duration::ZERO
    }

    /// The parameters that a dry run may leave out because their values are not known yet; `observe` then finds them
    /// in [`ActionContext::without`]. Each is an `Option` of the parameters. One that an author must give is
    /// `#[schemars(required)]`: it is `None` in such a rehearsal and nowhere else.
    fn rehearsed_without(&self) -> &'static [&'static str] {
        &[]
    }

    /// Looks: see [`Observe::observe`].
    async fn observe(&self, context: &ActionContext, params: &Self::Params) -> Observation;

    /// Makes it so: see [`Action::apply`].
    async fn apply(&self, context: &ActionContext, params: &Self::Params) -> Result<Outcome, Failure>;

    /// See [`Action::open_trace`].
    fn open_trace(&self, _attempt: &CallInfo) -> io::Result<()> {
        Ok(())
    }

    /// See [`Action::recover`].
    async fn recover(&self, _context: &ActionContext, _params: &Self::Params) -> Recovery {
        Recovery::Nothing { why: "the action keeps no trace of its attempts".to_owned() }
    }

    /// See [`Action::outlast`].
    async fn outlast(&self, _context: &ActionContext) -> Result<(), String> {
        Ok(())
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
        let said = Said {
            description: action.describe(),
            effect: Effect::Write,
            rehearsed_without: action.rehearsed_without(),
            vouched_by: action.vouched_by(),
        };
        let spec = LazySpec::new::<A::Params, A::Outputs>(said);
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
        let said = Said {
            description,
            effect: Effect::Read,
            rehearsed_without: action.rehearsed_without(),
            vouched_by: action.vouched_by(),
        };
        let spec = LazySpec::new::<A::Params, A::Outputs>(said);
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

    fn refusal(&self, params: &Value, without: &Without) -> Option<Failure> {
        usable_params(self.spec.get(), params, without, |typed| self.action.validate(typed)).err()
    }

    fn effect(&self, params: &Value) -> Effect {
        self.action.effect(params)
    }

    fn look_is_harmless(&self, params: &Value) -> bool {
        self.action.look_is_harmless(params)
    }

    fn stop_takes(&self, params: &Value) -> Duration {
        let typed = read_params(self.spec.get(), params, &Without::new());
        typed.map_or(Duration::ZERO, |params| self.action.stop_takes(&params))
    }

    async fn observe(&self, context: &ActionContext, params: &Value) -> Observation {
        let validate = |params: &A::Params| self.action.validate(params);
        match usable_params(self.spec.get(), params, &context.info().without, validate) {
            Ok(params) => as_far_as_it_came(context, self.action.observe(context, &params).await),
            Err(failure) => no_look(self.action.effect(params), &failure),
        }
    }
}

#[async_trait]
impl<A: TypedAction> Action for Typed<A> {
    async fn apply(&self, context: &ActionContext, params: &Value) -> Result<Outcome, Failure> {
        let validate = |params: &A::Params| self.action.validate(params);
        let params = usable_params(self.spec.get(), params, &Without::new(), validate)?;
        self.action.apply(context, &params).await
    }

    fn open_trace(&self, attempt: &CallInfo) -> io::Result<()> {
        self.action.open_trace(attempt)
    }

    async fn recover(&self, context: &ActionContext, params: &Value) -> Recovery {
        match read_params(self.spec.get(), params, &Without::new()) {
            Ok(params) => self.action.recover(context, &params).await,
            Err(failure) => Recovery::Nothing { why: failure.to_string() },
        }
    }

    async fn outlast(&self, context: &ActionContext) -> Result<(), String> {
        self.action.outlast(context).await
    }

    async fn undo(
        &self,
        context: &ActionContext,
        params: &Value,
        outcome: &Outcome,
    ) -> Option<Result<Outcome, Failure>> {
        match read_params(self.spec.get(), params, &Without::new()) {
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

    fn refusal(&self, params: &Value, without: &Without) -> Option<Failure> {
        usable_params(self.spec.get(), params, without, |typed| self.action.validate(typed)).err()
    }

    fn look_is_harmless(&self, params: &Value) -> bool {
        self.action.look_is_harmless(params)
    }

    async fn observe(&self, context: &ActionContext, params: &Value) -> Observation {
        let validate = |params: &A::Params| self.action.validate(params);
        match usable_params(self.spec.get(), params, &context.info().without, validate) {
            Ok(params) => as_far_as_it_came(context, self.action.observe(context, &params).await),
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

/// The answers of an action about itself, without its schemas.
#[derive(Debug, Clone, Copy)]
struct Said {
    description: Description,
    effect: Effect,
    rehearsed_without: &'static [&'static str],
    vouched_by: Option<&'static str>,
}

impl LazySpec {
    fn new<P: JsonSchema, O: JsonSchema>(said: Said) -> Self {
        let name = ActionName::new(said.description.name).expect("bug: an action's name must be family.verb");
        let make = {
            let name = name.clone();
            move || spec::<P, O>(name, said)
        };
        Self { name, spec: LazyLock::new(Box::new(make)) }
    }

    fn get(&self) -> &ActionSpec {
        &self.spec
    }
}

fn spec<P: JsonSchema, O: JsonSchema>(name: ActionName, said: Said) -> ActionSpec {
    let Said { description, effect, rehearsed_without, vouched_by } = said;
    let Description { name: _, summary, idempotent, observable, recoverable } = description;
    let (params, outputs) = (schema::<P>(), schema::<O>());
    let stranger = |parameter: &&&str| params["properties"].get(parameter).is_none();
    let stranger = rehearsed_without.iter().chain(&vouched_by).find(stranger);
    assert_eq!(stranger, None, "bug: {name} says something of a parameter that it does not have");
    ActionSpec {
        name,
        summary: summary.to_owned(),
        effect,
        idempotent,
        observable,
        recoverable,
        rehearsed_without: rehearsed_without.iter().map(|name| (*name).to_owned()).collect(),
        vouched_by: vouched_by.map(str::to_owned),
        params,
        outputs,
    }
}

fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A no of a look that was told to stop is no answer: it may have seen nothing.
fn as_far_as_it_came(context: &ActionContext, seen: Observation) -> Observation {
    match seen {
        Observation::Blocked { why } if context.is_cancelled() => Observation::Unknown { why },
        seen => seen,
    }
}

/// What is said of parameters that cannot be read. They are in the way of a change; a look with them has seen nothing.
fn no_look(effect: Effect, failure: &Failure) -> Observation {
    let why = failure.to_string();
    match effect {
        Effect::Read => Observation::Unknown { why },
        Effect::Write => Observation::Blocked { why },
    }
}
