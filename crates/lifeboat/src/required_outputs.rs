//! The outputs of a step that other steps use: whoever marks it as done has to give them, and whoever skips it has to
//! mean it, for those steps can never start without them.

use std::collections::BTreeMap;

use lifeboat_action::Registry;
use lifeboat_model::outcome::Outputs;
use lifeboat_model::template::{Reference, Template};
use lifeboat_model::{ActionName, ActionSpec, Catalog as _, NodePath, Plan, PlanStep, Span, StepId, nearest};
use serde_json::Value;

use crate::output_type::OutputType;

/// The outputs by name.
pub type RequiredOutputs = BTreeMap<String, RequiredOutput>;

/// An output that another step uses.
#[derive(Debug, Clone)]
pub struct RequiredOutput {
    /// The steps that use it, in the order of the plan.
    pub users: Vec<StepId>,
    /// What it must be.
    pub kind: OutputType,
}

/// Why an output is not taken that a person gives in place of a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOutput {
    /// The step's action gives no such output.
    #[error("`{action}` gives no output `{name}`")]
    Undeclared {
        /// The action.
        action: ActionName,
        /// What was given.
        name: String,
        /// The one that is probably meant.
        meant: Option<String>,
        /// All that it gives.
        known: Vec<String>,
    },
    /// It is of another type.
    #[error("the output `{name}` of step `{step}` {why}")]
    WrongType {
        /// The step.
        step: StepId,
        /// The output.
        name: String,
        /// What it must be, in words.
        why: String,
        /// The step's action, which declares the type.
        action: ActionName,
    },
}

/// The outputs of every step that others use.
pub fn required_outputs(plan: &Plan, registry: &Registry) -> BTreeMap<StepId, RequiredOutputs> {
    let mut all: BTreeMap<StepId, RequiredOutputs> = BTreeMap::new();
    for user in plan.steps() {
        for (step, name) in used_by(plan, user) {
            let required = all.entry(step.id.clone()).or_default();
            let output = required.entry(name).or_insert_with_key(|name| RequiredOutput {
                users: Vec::new(),
                kind: spec_of(registry, step).map(|spec| OutputType::of(spec, name)).unwrap_or_default(),
            });
            if output.users.last() != Some(&user.id) {
                output.users.push(user.id.clone());
            }
        }
    }
    all
}

/// Those outputs of a step that others use and that are not among the given ones.
pub fn missing_outputs(
    plan: &Plan,
    registry: &Registry,
    step: &NodePath,
    given: &Outputs,
) -> RequiredOutputs {
    let mut missing = required_outputs(plan, registry).remove(step.id()).unwrap_or_default();
    missing.retain(|name, _| !given.contains_key(name));
    missing
}

/// Which step uses which output of a step, a line each.
pub fn uses(step: &NodePath, required: &RequiredOutputs) -> Vec<String> {
    let by = |name: &String, user: &StepId| format!("step `{user}` uses `steps.{}.{name}`", step.id());
    required.iter().flat_map(|(name, output)| output.users.iter().map(move |user| by(name, user))).collect()
}

/// Reads an output that is given for a step, if the step has it.
///
/// # Errors
/// When the step's action gives no such output, or one of another type.
pub fn read_output(registry: &Registry, step: &PlanStep, name: &str, text: &str) -> Result<Value, NoOutput> {
    let Some(spec) = spec_of(registry, step) else {
        return Ok(OutputType::default().read(text.to_owned()).expect("bug: anything is taken"));
    };
    check_name(spec, name)?;
    let (step, action) = (step.id.clone(), spec.name.clone());
    OutputType::of(spec, name).read(text.to_owned()).map_err(|why| NoOutput::WrongType {
        step,
        name: name.to_owned(),
        why,
        action,
    })
}

fn check_name(spec: &ActionSpec, given: &str) -> Result<(), NoOutput> {
    let Some(known) = spec.output_names().filter(|known| !known.contains(&given)) else { return Ok(()) };
    Err(NoOutput::Undeclared {
        action: spec.name.clone(),
        name: given.to_owned(),
        meant: nearest(given, known.iter().copied()).map(str::to_owned),
        known: known.into_iter().map(str::to_owned).collect(),
    })
}

/// The outputs that a step uses, each as often as it does.
fn used_by<'p>(plan: &'p Plan, user: &PlanStep) -> Vec<(&'p PlanStep, String)> {
    let mut uses = Vec::new();
    for_each_template(user, &mut |text| uses.extend(Template::new(text, Span::default()).uses().to_vec()));
    let output = |reference| match reference {
        Reference::Output { step, output, .. } => {
            let at = StepId::new(&step).ok().and_then(|step| plan.find(&step))?;
            Some((plan.step(at), output))
        }
        _ => None,
    };
    uses.into_iter().filter_map(|used| output(used.reference)).collect()
}

fn spec_of<'r>(registry: &'r Registry, step: &PlanStep) -> Option<&'r ActionSpec> {
    registry.spec(step.action()?.call.action.as_str())
}

/// Every text of a step that is rendered.
fn for_each_template(step: &PlanStep, take: &mut impl FnMut(&str)) {
    step.when.iter().for_each(|when| take(when));
    let Some(action) = step.action() else { return };
    for call in action.check.iter().chain([&action.call]) {
        for_each_text(&call.with, take);
    }
}

fn for_each_text(value: &Value, take: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if text.contains("{{") => take(text),
        Value::Array(items) => items.iter().for_each(|item| for_each_text(item, take)),
        Value::Object(map) => map.values().for_each(|value| for_each_text(value, take)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
