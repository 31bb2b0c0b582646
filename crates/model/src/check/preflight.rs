//! Checks what the inputs and secrets of a run make of its steps' parameters, before the first of them starts: what a
//! template becomes is refused here as the same words in the runbook would be. What other steps give stays unknown.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::action_calls::place;
use super::outline::{Outline, Written};
use super::templates::place_of;
use crate::catalog::{Catalog, ParamPath, ParamProblem};
use crate::document::{Call, Document, shortened};
use crate::ids::{Epoch, Seq};
use crate::plan::PlanStep;
use crate::problem::{Problem, Problems};
use crate::record::{Record, RecordBody, RunCreated};
use crate::run_state::RunState;
use crate::source::{Source, Span};
use crate::template::{CannotFill, Decided, Filled, Reference, Template, Values, is_templated};

/// The code of a problem that a value of an input has to do with.
pub const INPUT_VALUE: &str = "input_value";

/// Checks the parameters of a run that is about to begin. `mask` stands for secrets; no problem shows one.
///
/// # Errors
/// All problems, in the order of the runbook's text.
pub fn check_filled(
    created: RunCreated,
    catalog: &dyn Catalog,
    secrets: &Map<String, Value>,
    mask: &str,
) -> Result<(), Problems> {
    let pinned = created.plan.source();
    // Nothing is filled in: the check of the runbook has seen it all.
    if !is_templated(&pinned.text) {
        return Ok(());
    }
    let document = Document::parse(Source::new(pinned.name.clone(), pinned.text.clone()))?;
    let body = RecordBody::RunCreated(Arc::new(created));
    let first = Record { seq: Seq(1), epoch: Epoch(1), at: Timestamp::UNIX_EPOCH, body };
    let state = RunState::new(&first).expect("bug: a run does not begin with its creation");
    let values = Values { state: &state, node: None, secrets, mask };
    let checker = Checker { source: &document.source, catalog, values };
    let mut problems = Problems::new();
    let outline = Outline::new(&document, &mut Problems::new());
    for ((_, row), step) in outline.rows().zip(state.plan().steps()) {
        let Written::Step(written) = row.written else { continue };
        if checker.may_start(step) {
            for call in written.check.iter().chain([&written.call]) {
                checker.call(call, &mut problems);
            }
        }
    }
    problems.sort();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

struct Checker<'c> {
    source: &'c Source,
    catalog: &'c dyn Catalog,
    values: Values<'c>,
}

/// The parameters of a call, filled in as far as they are known; the rest as written.
#[derive(Default)]
struct Parameters {
    leaves: Vec<Leaf>,
    failures: Vec<(ParamPath, CannotFill)>,
}

/// A text that was filled in.
struct Leaf {
    path: ParamPath,
    origin: Origin,
}

/// Where a value comes from, by name.
#[derive(Default)]
struct Origin {
    inputs: Vec<String>,
    secrets: Vec<String>,
}

impl Checker<'_> {
    /// Whether a step's parameters will be needed, as far as that is known. A condition that uses an input may be there
    /// to keep a value of it out of them.
    fn may_start(&self, step: &PlanStep) -> bool {
        step.when.iter().all(|when| match self.values.decide(when) {
            Ok(Decided::False) => false,
            Ok(Decided::Unknown { .. }) => Origin::of(when).inputs.is_empty(),
            Ok(Decided::True) | Err(_) => true,
        })
    }

    fn call(&self, call: &Call, problems: &mut Problems) {
        let (Some(action), Some(with)) = (&call.action, &call.with) else { return };
        let Some(written) = with.json(&mut Problems::new()).filter(Value::is_object) else { return };
        let mut filled = Parameters::default();
        let (value, masked) = self.fill(&written, &mut Vec::new(), &mut filled);
        for (path, failure) in &filled.failures {
            let origin = Origin::of(&failure.template);
            let problem = Problem::new(origin.code(), with.place(path), failure.why.clone());
            problems.push(problem.help_maybe(origin.words(self)));
        }
        if filled.leaves.is_empty() {
            return;
        }
        let wrong = self.catalog.check_filled(&action.value, value);
        // What is wrong whatever the secrets are does not show one.
        let shown = match filled.leaves.iter().any(|leaf| !leaf.origin.secrets.is_empty()) {
            true if !wrong.is_empty() => Some(self.catalog.check_filled(&action.value, masked)),
            _ => None,
        };
        for wrong in wrong {
            let is_shown = shown.as_ref().is_none_or(|shown| shown.contains(&wrong));
            problems.push(self.problem(call, action.span, &filled.leaves, wrong, is_shown));
        }
    }

    /// The value for the action, and the same with secrets masked.
    fn fill(&self, value: &Value, path: &mut Vec<String>, filled: &mut Parameters) -> (Value, Value) {
        let mut inside = |key: String, item: &Value, filled: &mut Parameters| {
            path.push(key);
            let pair = self.fill(item, path, filled);
            path.pop();
            pair
        };
        match value {
            Value::String(text) if is_templated(text) => self.text(text, path, filled),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let (values, masked) = items.map(|(at, item)| inside(at.to_string(), item, filled)).unzip();
                (Value::Array(values), Value::Array(masked))
            }
            Value::Object(map) => {
                let (mut values, mut masked) = (Map::new(), Map::new());
                for (key, item) in map {
                    let (value, mask) = inside(key.clone(), item, filled);
                    values.insert(key.clone(), value);
                    masked.insert(key.clone(), mask);
                }
                (Value::Object(values), Value::Object(masked))
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
                (value.clone(), value.clone())
            }
        }
    }

    fn text(&self, text: &str, path: &[String], filled: &mut Parameters) -> (Value, Value) {
        let written = Value::String(text.to_owned());
        match self.values.fill(&written) {
            Ok(Filled::Known { value, masked }) => {
                filled.leaves.push(Leaf { path: path.to_vec(), origin: Origin::of(text) });
                (value, masked)
            }
            Ok(Filled::Unknown { .. }) => (written.clone(), written),
            Err(failure) => {
                filled.failures.push((path.to_vec(), failure));
                (written.clone(), written)
            }
        }
    }

    fn problem(
        &self,
        call: &Call,
        action: Span,
        leaves: &[Leaf],
        wrong: ParamProblem,
        is_shown: bool,
    ) -> Problem {
        let blamed = blamed(leaves, &wrong);
        let mut origin = Origin::default();
        blamed.iter().for_each(|leaf| origin.add(&leaf.origin));
        let span = match (blamed.as_slice(), &call.with) {
            ([leaf], Some(with)) => with.place(&leaf.path),
            _ => place(call, action, &wrong),
        };
        let span = match origin.inputs.as_slice() {
            [one] => place_of(self.source, span, &format!("inputs.{one}")),
            _ => span,
        };
        let from = origin.words(self);
        if !is_shown {
            let message = "this does not fit; what is wrong is not shown, since a secret is part of it";
            return Problem::new(origin.code(), span, message).help_maybe(from);
        }
        let help = [wrong.help, from].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let problem = Problem::new(origin.code(), span, wrong.message);
        problem.help_maybe((!help.is_empty()).then_some(help))
    }
}

/// The texts from which a problem comes: those of the parameters that it is about. A problem about all parameters comes
/// from all of their texts.
fn blamed<'l>(leaves: &'l [Leaf], wrong: &ParamProblem) -> Vec<&'l Leaf> {
    leaves.iter().filter(|leaf| wrong.about.is_empty() || wrong.concerns(&leaf.path)).collect()
}

impl Origin {
    fn of(text: &str) -> Self {
        let mut origin = Self::default();
        for used in Template::new(text, Span::default()).uses() {
            match &used.reference {
                Reference::Input { name, .. } => add(&mut origin.inputs, name),
                Reference::Secret { name } => add(&mut origin.secrets, name),
                Reference::Output { .. } | Reference::Mode | Reference::RunId => {}
            }
        }
        origin
    }

    fn add(&mut self, other: &Self) {
        other.inputs.iter().for_each(|name| add(&mut self.inputs, name));
        other.secrets.iter().for_each(|name| add(&mut self.secrets, name));
    }

    fn code(&self) -> &'static str {
        if self.inputs.is_empty() { "parameter" } else { INPUT_VALUE }
    }

    /// Which inputs, with their values, and which secrets.
    fn words(&self, checker: &Checker<'_>) -> Option<String> {
        let inputs = checker.values.state.inputs();
        let input = |name: &String| {
            let value = inputs.get(name).map(text_of).unwrap_or_default();
            format!("the input `{name}` is `{}`", shortened(&value))
        };
        let secret = |name: &String| format!("the secret `{name}` is used");
        let words: Vec<_> = self.inputs.iter().map(input).chain(self.secrets.iter().map(secret)).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

fn add(names: &mut Vec<String>, name: &String) {
    if !names.contains(name) {
        names.push(name.clone());
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
