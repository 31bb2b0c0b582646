//! The actions that are there, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lifeboat_model::catalog::{Catalog, ParamProblem};
use lifeboat_model::{ActionName, ActionSpec, Effect, Harmlessness, Plan, PlanStep};
use serde_json::Value;

use crate::action::{Action, Observe};
use crate::harmlessness::harmlessness;
use crate::read::as_texts;

/// All actions, with the version of the plug-in that offers each.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    actions: BTreeMap<String, Registered>,
}

#[derive(Debug, Clone)]
struct Registered {
    action: Arc<dyn Action>,
    plugin: &'static str,
    version: &'static str,
}

impl Registry {
    /// No actions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an action of a plug-in. Call it with the plug-in's own `CARGO_PKG_NAME` and `CARGO_PKG_VERSION`.
    ///
    /// # Panics
    /// When the name is taken: two plug-ins that claim one name are a bug in the program that links them.
    pub fn add(&mut self, plugin: &'static str, version: &'static str, action: Arc<dyn Action>) {
        let name = action.name().to_string();
        let taken = self.actions.insert(name.clone(), Registered { action, plugin, version });
        assert!(taken.is_none(), "bug: two actions are named `{name}`");
    }

    /// The action of that name.
    pub fn action(&self, name: &ActionName) -> Option<Arc<dyn Action>> {
        self.actions.get(name.as_str()).map(|registered| Arc::clone(&registered.action))
    }

    /// The plug-in that offers the action, and its version.
    pub fn plugin(&self, name: &ActionName) -> Option<(&'static str, &'static str)> {
        self.actions.get(name.as_str()).map(|registered| (registered.plugin, registered.version))
    }

    /// Every name that the actions of a plan declare of their outputs, those inside of others included.
    pub fn declared_outputs(&self, plan: &Plan) -> BTreeSet<String> {
        let called = plan.steps().iter().filter_map(PlanStep::action).map(|step| step.call.action.as_str());
        let called: BTreeSet<_> = called.collect();
        let mut names = BTreeSet::new();
        for spec in called.into_iter().filter_map(|action| self.spec(action)) {
            collect_names(&spec.outputs, &mut names);
        }
        names
    }

    /// All entries, sorted by name.
    pub fn specs(&self) -> impl Iterator<Item = &ActionSpec> {
        self.actions.values().map(|registered| registered.action.spec())
    }

    /// The same actions without the half that changes anything.
    pub fn observers(&self) -> Observers {
        Observers { registry: self.clone() }
    }
}

/// The names of all properties in a schema.
fn collect_names(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            let properties = map.get("properties").and_then(Value::as_object);
            names.extend(properties.into_iter().flat_map(|properties| properties.keys().cloned()));
            map.values().for_each(|inner| collect_names(inner, names));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect_names(inner, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Catalog for Registry {
    fn spec(&self, name: &str) -> Option<&ActionSpec> {
        self.actions.get(name).map(|registered| registered.action.spec())
    }

    fn names(&self) -> Vec<&str> {
        self.actions.keys().map(String::as_str).collect()
    }

    fn check_params(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        self.actions.get(name).map(|registered| registered.action.check(params)).unwrap_or_default()
    }

    fn check_filled(&self, name: &str, mut params: Value) -> Vec<ParamProblem> {
        if let Some(spec) = self.spec(name) {
            as_texts(&spec.params, &mut params);
        }
        self.check_params(name, &params)
    }

    fn effect(&self, name: &str, params: &Value) -> Effect {
        self.actions.get(name).map_or(Effect::Write, |registered| registered.action.effect(params))
    }

    fn harmlessness(&self, name: &str, params: &Value) -> Harmlessness {
        let action = self.actions.get(name).map(|registered| &registered.action);
        action.map_or(Harmlessness::Unvouched, |action| harmlessness(&**action, params))
    }
}

/// Actions that can only be looked with. What a dry run is given: it offers no way to an [`Action`].
#[derive(Debug, Clone)]
pub struct Observers {
    registry: Registry,
}

impl Observers {
    /// The looking half of the action of that name.
    pub fn observer(&self, name: &ActionName) -> Option<Arc<dyn Observe>> {
        self.registry.action(name).map(|action| action as Arc<dyn Observe>)
    }
}
