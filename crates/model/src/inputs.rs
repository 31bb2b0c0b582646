//! The values that an operator gives when a run starts: typed, completed with defaults, or refused together.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::document::shortened;
use crate::duration::{self, NotADuration};
use crate::kind;
use crate::plan::{InputSpec, InputType, Plan};
use crate::suggest::did_you_mean;

/// A value as given.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// From the command line: text that stands for a value of the input's type.
    Text(String),
    /// From a file: a value that has a type already.
    Json(Value),
}

/// One thing that is wrong with the given inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputProblem {
    /// The input.
    pub input: String,
    /// What is wrong: a lower-case fragment without a final stop.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl fmt::Display for InputProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "input `{}`: {}", self.input, self.message)
    }
}

/// Gives every input of a plan its value, in the order of the plan.
///
/// # Errors
/// Everything that is wrong: inputs that do not exist, are missing, or have a wrong value.
pub fn bind_inputs(
    plan: &Plan,
    given: &BTreeMap<String, Given>,
) -> Result<Map<String, Value>, Vec<InputProblem>> {
    let mut problems: Vec<_> = unknown(plan, given).collect();
    let mut values = Map::new();
    for spec in plan.inputs() {
        match bind(spec, given.get(&spec.name)) {
            Ok(value) => drop(values.insert(spec.name.clone(), value)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

fn unknown<'a>(
    plan: &'a Plan,
    given: &'a BTreeMap<String, Given>,
) -> impl Iterator<Item = InputProblem> + 'a {
    let names = || plan.inputs().iter().map(|spec| spec.name.as_str());
    given.keys().filter(move |name| names().all(|known| known != name.as_str())).map(move |name| {
        let known = || match names().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "it has no inputs".to_owned(),
            known => format!("inputs: {known}"),
        };
        let help = did_you_mean(name, names()).unwrap_or_else(known);
        InputProblem {
            input: name.clone(),
            message: "the runbook has no such input".to_owned(),
            help: Some(help),
        }
    })
}

fn bind(spec: &InputSpec, given: Option<&Given>) -> Result<Value, InputProblem> {
    let problem = |message| InputProblem { input: spec.name.clone(), message, help: spec.help.clone() };
    let value = match given {
        Some(Given::Text(text)) => from_text(spec.kind, text).map_err(problem)?,
        Some(Given::Json(value)) => from_json(spec.kind, value).map_err(problem)?,
        None => spec.default.clone().ok_or_else(|| problem("it has no value".to_owned()))?,
    };
    spec.allows(&value).map_err(problem)?;
    Ok(value)
}

impl InputSpec {
    /// Whether a value of the right type is one of the choices.
    ///
    /// # Errors
    /// Says which choices there are.
    pub fn allows(&self, value: &Value) -> Result<(), String> {
        let each = match value {
            Value::Array(items) => items.as_slice(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                std::slice::from_ref(value)
            }
        };
        match each.iter().find(|value| !self.choices.contains(value)) {
            Some(other) if !self.choices.is_empty() => {
                let choices: Vec<_> = self.choices.iter().map(shown).collect();
                Err(format!("{} is not one of {}", shown(other), choices.join(", ")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl InputType {
    /// The type of each choice: that of the items for a list.
    pub(crate) fn of_choice(self) -> Self {
        match self {
            Self::List => Self::String,
            Self::String | Self::Integer | Self::Number | Self::Boolean | Self::Duration => self,
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::String => kind::TEXT,
            Self::Integer => kind::INTEGER,
            Self::Number => kind::NUMBER,
            Self::Boolean => kind::BOOLEAN,
            Self::Duration => "a duration such as 10s or 1h 30m",
            Self::List => "a list of texts",
        }
    }
}

/// Reads a text as a value of a type.
///
/// # Errors
/// Says what is wanted instead.
pub(crate) fn from_text(kind: InputType, text: &str) -> Result<Value, String> {
    let wrong = || format!("`{}` is not {}", shortened(text), kind.wanted());
    let trimmed = text.trim();
    match kind {
        InputType::String => Ok(Value::from(text)),
        InputType::Integer => trimmed.parse::<i64>().map(Value::from).map_err(|_| wrong()),
        InputType::Number => {
            let whole = trimmed.parse::<i64>().ok().map(serde_json::Number::from);
            let number = whole.or_else(|| trimmed.parse().ok().and_then(serde_json::Number::from_f64));
            number.map(Value::Number).ok_or_else(wrong)
        }
        InputType::Boolean => trimmed.parse::<bool>().map(Value::from).map_err(|_| wrong()),
        InputType::Duration => {
            let wrong = |wrong: NotADuration| {
                format!("{}; {}", wrong.message(&shortened(trimmed)), duration::HOW_TO_WRITE)
            };
            duration::parse(trimmed).map_err(wrong)?;
            Ok(Value::from(trimmed))
        }
        InputType::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(items.collect())
        }
    }
}

/// Takes a JSON value as a value of a type.
///
/// # Errors
/// Says what is wanted instead.
pub(crate) fn from_json(kind: InputType, value: &Value) -> Result<Value, String> {
    let fits = match (kind, value) {
        (InputType::String, Value::String(_)) | (InputType::Boolean, Value::Bool(_)) => true,
        (InputType::Duration, Value::String(text)) => return from_text(kind, text),
        (InputType::Integer, Value::Number(number)) => number.is_i64(),
        (InputType::Number, Value::Number(_)) => true,
        (InputType::List, Value::Array(items)) => items.iter().all(Value::is_string),
        (
            InputType::String
            | InputType::Integer
            | InputType::Number
            | InputType::Boolean
            | InputType::Duration
            | InputType::List,
            _,
        ) => false,
    };
    if fits { Ok(value.clone()) } else { Err(format!("{} is not {}", shown(value), kind.wanted())) }
}

/// A value in a message.
fn shown(value: &Value) -> String {
    format!("`{}`", shortened(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
}
