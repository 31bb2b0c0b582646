//! The outputs of a step that other steps use: whoever marks it as done has to give them, and whoever skips it has to
//! mean it, for those steps can never start without them.

use std::collections::BTreeMap;

use lifeboat_action::Registry;
use lifeboat_model::outcome::Outputs;
use lifeboat_model::template::{Reference, analyse};
use lifeboat_model::{ActionSpec, Catalog as _, Plan, PlanStep, StepId, nearest};
use serde_json::Value;

use crate::context::Context;
use crate::error::CliError;
use crate::outputs::Kind;
use crate::registry;

/// The outputs by name.
pub(crate) type Needed = BTreeMap<String, Output>;

/// An output that another step uses.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The steps that use it, in the order of the plan.
    pub(crate) users: Vec<StepId>,
    /// What it must be.
    pub(crate) kind: Kind,
}

/// The outputs of every step that others use.
pub(crate) fn of_all(plan: &Plan) -> BTreeMap<StepId, Needed> {
    let registry = registry::registry();
    let mut all: BTreeMap<StepId, Needed> = BTreeMap::new();
    for user in plan.steps() {
        for (step, name) in used_by(plan, user) {
            let needed = all.entry(step.id.clone()).or_default();
            let output = needed.entry(name).or_insert_with_key(|name| Output {
                users: Vec::new(),
                kind: spec_of(&registry, step).map(|spec| Kind::of(spec, name)).unwrap_or_default(),
            });
            if output.users.last() != Some(&user.id) {
                output.users.push(user.id.clone());
            }
        }
    }
    all
}

/// The outputs that a step uses, each as often as it does.
fn used_by<'p>(plan: &'p Plan, user: &PlanStep) -> Vec<(&'p PlanStep, String)> {
    let mut uses = Vec::new();
    for_each_template(user, &mut |text| uses.extend(analyse(text).uses));
    let output = |reference| match reference {
        Reference::Output { step, output, .. } => {
            let at = StepId::new(&step).ok().and_then(|step| plan.find(&step))?;
            Some((plan.step(at), output))
        }
        _ => None,
    };
    uses.into_iter().filter_map(|used| output(used.reference)).collect()
}

/// Whether these are all outputs that others need.
pub(crate) fn check(plan: &Plan, step: &PlanStep, given: &Outputs, command: &str) -> Result<(), CliError> {
    let mut missing = of_all(plan).remove(&step.id).unwrap_or_default();
    missing.retain(|name, _| !given.contains_key(name));
    if missing.is_empty() {
        return Ok(());
    }
    let error = CliError::usage(uses(&step.id, &missing).join("\n       "));
    Err(error.hint(format!("say what it would have given: `{command}{}`", options(&missing))))
}

/// Who uses which output of a step, a line each.
pub(crate) fn uses(step: &StepId, needed: &Needed) -> Vec<String> {
    let by = |name: &String, user: &StepId| format!("step `{user}` uses `steps.{step}.{name}`");
    needed.iter().flat_map(|(name, output)| output.users.iter().map(move |user| by(name, user))).collect()
}

/// How outputs are given on the command line.
pub(crate) fn options(needed: &Needed) -> String {
    needed.keys().map(|name| format!(" -o {name}=VALUE")).collect()
}

/// Reads an output that is given for a step, if the step has it.
pub(crate) fn read(context: &Context, step: &PlanStep, name: &str, text: &str) -> Result<Value, CliError> {
    let registry = registry::registry();
    let Some(spec) = spec_of(&registry, step) else {
        return Kind::default().read(text.to_owned()).map_err(CliError::usage);
    };
    check_name(spec, name)?;
    Kind::of(spec, name).read(text.to_owned()).map_err(|why| {
        let shows = context.spelling.command(&["actions", spec.name.as_str()]);
        CliError::usage(format!("the output `{name}` of step `{}` {why}", step.id))
            .hint(format!("`{shows}` shows what it gives"))
    })
}

fn spec_of<'r>(registry: &'r Registry, step: &PlanStep) -> Option<&'r ActionSpec> {
    registry.spec(step.action()?.call.action.as_str())
}

fn check_name(spec: &ActionSpec, given: &str) -> Result<(), CliError> {
    let Some(known) = spec.output_names().filter(|known| !known.contains(&given)) else { return Ok(()) };
    let error = CliError::usage(format!("`{}` gives no output `{given}`", spec.name));
    Err(match nearest(given, known.iter().copied()) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None if known.is_empty() => error.hint("it gives none"),
        None => error.hint(format!("it gives: {}", known.join(", "))),
    })
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
