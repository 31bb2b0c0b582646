//! Fills templates in, when a step starts.
//!
//! What is not known stays not known: a value that uses the output of a step that has none is no empty text but
//! [`Filled::Unknown`]. A text that is exactly one expression keeps its type. Secrets are filled in twice, once for the
//! action and once masked for the journal.

use std::io;

use handlebars::{Context, Output, RenderContext, RenderError, RenderErrorReason, Renderable as _, Template};
use serde_json::{Map, Value, json};

use super::helpers::HANDLEBARS;
use super::reference::Reference;
use super::strict::check_values;
use super::{Analysis, analyse};
use crate::catalog::is_templated;
use crate::ids::NodeIndex;
use crate::run_state::RunState;

/// The most that one template may become, in bytes.
const MAX_RENDERED: usize = 1024 * 1024;

/// The values a template may use.
#[derive(Debug, Clone, Copy)]
pub struct Values<'v> {
    /// The run: inputs, mode, id, outputs of steps.
    pub state: &'v RunState,
    /// The node whose texts are filled in: an id means the nearest step of that id outward.
    pub node: Option<NodeIndex>,
    /// The secrets, by name: a text each.
    pub secrets: &'v Map<String, Value>,
    /// What stands for a secret in what is stored.
    pub mask: &'v str,
}

/// Parameters with their templates filled in.
#[derive(Debug, Clone, PartialEq)]
pub enum Filled {
    /// All of it is known.
    Known {
        /// For the action.
        value: Value,
        /// For the journal: every secret masked.
        masked: Value,
    },
    /// Some of it is not known.
    Unknown {
        /// What, and why not.
        why: String,
        /// What is known, with null for the rest and every secret masked.
        masked: Value,
    },
}

/// A condition with its template filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// It is true.
    True,
    /// It is false.
    False,
    /// It uses something that is not known.
    Unknown {
        /// What, and why not.
        why: String,
    },
}

/// Why a template cannot be filled in although everything it uses is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{template}`: {why}")]
pub struct CannotFill {
    /// The template.
    pub template: String,
    /// What is wrong.
    pub why: String,
}

impl Values<'_> {
    /// Fills in every template inside `with`.
    ///
    /// # Errors
    /// A template that fails although everything it uses is known, such as one that looks into a value that is not
    /// there.
    pub fn fill(&self, with: &Value) -> Result<Filled, CannotFill> {
        let mut unknown = Vec::new();
        let (value, masked) = self.walk(with, &mut unknown)?;
        Ok(match unknown.is_empty() {
            true => Filled::Known { value, masked },
            false => Filled::Unknown { why: unknown.join("; "), masked },
        })
    }

    /// Decides a condition.
    ///
    /// # Errors
    /// As [`Values::fill`], and a value that is neither true nor false.
    pub fn decide(&self, condition: &str) -> Result<Decided, CannotFill> {
        let value = match self.fill(&Value::String(condition.to_owned()))? {
            Filled::Unknown { why, .. } => return Ok(Decided::Unknown { why }),
            Filled::Known { value, .. } => value,
        };
        match &value {
            Value::Bool(true) => Ok(Decided::True),
            Value::Bool(false) => Ok(Decided::False),
            Value::String(text) if text.trim() == "true" => Ok(Decided::True),
            Value::String(text) if text.trim() == "false" => Ok(Decided::False),
            _ => Err(cannot(condition, format!("a condition must be true or false, this is {value}"))),
        }
    }

    fn walk(&self, value: &Value, unknown: &mut Vec<String>) -> Result<(Value, Value), CannotFill> {
        match value {
            Value::String(text) if is_templated(text) => self.text(text, unknown),
            Value::Array(items) => {
                let pairs: Result<Vec<_>, _> = items.iter().map(|item| self.walk(item, unknown)).collect();
                let (values, masked) = pairs?.into_iter().unzip();
                Ok((Value::Array(values), Value::Array(masked)))
            }
            Value::Object(map) => {
                let (mut values, mut masked) = (Map::new(), Map::new());
                for (key, item) in map {
                    let (value, mask) = self.walk(item, unknown)?;
                    values.insert(key.clone(), value);
                    masked.insert(key.clone(), mask);
                }
                Ok((Value::Object(values), Value::Object(masked)))
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
                Ok((value.clone(), value.clone()))
            }
        }
    }

    fn text(&self, text: &str, unknown: &mut Vec<String>) -> Result<(Value, Value), CannotFill> {
        let analysis = analyse(text);
        if let Some(mistake) = analysis.mistakes.first() {
            return Err(cannot(text, mistake.message.clone()));
        }
        let missing: Vec<_> = analysis.uses.iter().filter_map(|used| self.missing(&used.reference)).collect();
        if !missing.is_empty() {
            unknown.extend(missing);
            return Ok((Value::Null, Value::Null));
        }
        let context = self.context(&analysis, false);
        if let Some(used) = analysis.uses.iter().find(|used| !resolves(&context, &used.reference)) {
            return Err(cannot(text, format!("there is no `{}`", used.written)));
        }
        let value = render(text, &analysis, &context)?;
        let is_secret = analysis.uses.iter().any(|used| matches!(used.reference, Reference::Secret { .. }));
        let masked =
            if is_secret { render(text, &analysis, &self.context(&analysis, true))? } else { value.clone() };
        Ok((value, masked))
    }

    /// Why a value is not known, or `None` if it is.
    fn missing(&self, reference: &Reference) -> Option<String> {
        let Reference::Output { step, output, .. } = reference else { return None };
        let Some(at) = self.state.visible(self.node, step) else {
            return Some(format!("`steps.{step}.{output}`: there is no such step"));
        };
        match self.state.outputs(at) {
            Some(outputs) if outputs.get(output).is_some_and(|value| self.is_masked(value)) => {
                Some(format!("`steps.{step}.{output}` held a secret, and secrets are not kept"))
            }
            Some(outputs) if outputs.contains_key(output) => None,
            Some(_) => Some(format!("`steps.{step}.{output}`: step `{step}` gave no such output")),
            None => {
                let status = self.state.status(at).as_str();
                Some(format!("`steps.{step}.{output}` is not known: step `{step}` did not run ({status})"))
            }
        }
    }

    /// Whether a secret was masked in a stored value: what is left of it is not the value.
    fn is_masked(&self, value: &Value) -> bool {
        !self.secrets.is_empty() && value.to_string().contains(self.mask)
    }

    /// The values that the template uses, and no others.
    fn context(&self, analysis: &Analysis, masked: bool) -> Value {
        let (mut secrets, mut steps) = (Map::new(), Map::new());
        for used in &analysis.uses {
            match &used.reference {
                Reference::Secret { name } => {
                    let mask = || Value::String(self.mask.to_owned());
                    let value = if masked { Some(mask()) } else { self.secrets.get(name).cloned() };
                    secrets.extend(value.map(|value| (name.clone(), value)));
                }
                Reference::Output { step, .. } => {
                    let at = self.state.visible(self.node, step);
                    let outputs = at.and_then(|at| self.state.outputs(at)).cloned().unwrap_or_default();
                    steps.insert(step.clone(), Value::Object(outputs));
                }
                Reference::Input { .. } | Reference::Mode | Reference::RunId => {}
            }
        }
        json!({
            "inputs": self.state.inputs(),
            "secrets": secrets,
            "steps": steps,
            "mode": self.state.mode().as_str(),
            "run": {"id": self.state.run()},
        })
    }
}

/// Whether a name leads to a value. Rendering in strict mode does not ask everywhere: `if`, `and` and `or` take what is
/// not there for false.
fn resolves(context: &Value, reference: &Reference) -> bool {
    let (value, inside) = match reference {
        Reference::Input { name, inside } => (context["inputs"].get(name), inside.as_slice()),
        Reference::Secret { name } => (context["secrets"].get(name), [].as_slice()),
        Reference::Output { step, output, inside } => (context["steps"][step].get(output), inside.as_slice()),
        Reference::Mode | Reference::RunId => return true,
    };
    value.and_then(|value| inside.iter().try_fold(value, step_into)).is_some()
}

/// The value under a key, or at a place counted from zero.
fn step_into<'v>(value: &'v Value, key: &String) -> Option<&'v Value> {
    match value {
        Value::Object(map) => map.get(key),
        Value::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn render(text: &str, analysis: &Analysis, context: &Value) -> Result<Value, CannotFill> {
    if !analysis.is_one_expression {
        return to_text(text, text, context, check_values).map(Value::String);
    }
    // The value goes through JSON to keep its type.
    let expression = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim_matches('~').trim();
    let is_call = expression.split_whitespace().nth(1).is_some() && !expression.starts_with('(');
    let typed =
        if is_call { format!("{{{{json ({expression})}}}}") } else { format!("{{{{json {expression}}}}}") };
    let rendered = to_text(text, &typed, context, |_| {})?;
    serde_json::from_str(&rendered).map_err(|error| cannot(text, format!("it has no value: {error}")))
}

/// `template` is what is rendered for what is `written`.
fn to_text(
    written: &str,
    template: &str,
    context: &Value,
    check: fn(&mut Template),
) -> Result<String, CannotFill> {
    let fails = |why: &str| cannot(written, why.to_owned());
    let mut template = Template::compile(template).map_err(|_| fails("it is no template"))?;
    check(&mut template);
    let context = Context::wraps(context).map_err(|_| fails("its values cannot be used"))?;
    let mut out = Capped { text: String::new(), is_full: false };
    match template.render(&HANDLEBARS, &context, &mut RenderContext::new(None), &mut out) {
        Ok(()) => Ok(out.text),
        Err(_) if out.is_full => Err(cannot(written, format!("it becomes longer than {MAX_RENDERED} bytes"))),
        Err(error) => Err(cannot(written, why(&error))),
    }
}

/// Why it could not be rendered, in words that mean something to who wrote the template.
fn why(error: &RenderError) -> String {
    match error.reason() {
        RenderErrorReason::MissingVariable(Some(name)) => format!("there is no `{name}`"),
        RenderErrorReason::Other(why) => why.clone(),
        RenderErrorReason::ParamNotFoundForIndex(helper, _) => {
            format!("what `{helper}` asks for is not there")
        }
        RenderErrorReason::InvalidJsonIndex(place) => format!("a list has nothing at `{place}`"),
        _ => "something that it uses is not there".to_owned(),
    }
}

fn cannot(template: &str, why: String) -> CannotFill {
    CannotFill { template: template.to_owned(), why }
}

/// Refuses to take more than a template may become.
struct Capped {
    text: String,
    is_full: bool,
}

impl Output for Capped {
    fn write(&mut self, text: &str) -> io::Result<()> {
        if text.len() > MAX_RENDERED - self.text.len() {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.push_str(text);
        Ok(())
    }
}
