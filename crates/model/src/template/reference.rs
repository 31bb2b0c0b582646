//! The names a template can use.

use serde_json::Value;

use crate::suggest::did_you_mean;

/// What a name in a template means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// `inputs.NAME`, or something inside it.
    Input {
        /// The input.
        name: String,
        /// The way into its value.
        inside: Vec<String>,
    },
    /// `secrets.NAME`
    Secret {
        /// The secret.
        name: String,
    },
    /// `steps.ID.OUTPUT`, or something inside it.
    Output {
        /// The step.
        step: String,
        /// The output.
        output: String,
        /// The way into its value.
        inside: Vec<String>,
    },
    /// `mode`: `live`, `drill` or `dry_run`.
    Mode,
    /// `run.id`
    RunId,
}

/// Why a name means nothing, and what would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAReference {
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}

/// The words with which every name begins.
pub(super) const ROOTS: &[&str] = &["inputs", "secrets", "steps", "mode", "run"];

impl Reference {
    /// Understands the parts of a name, `["steps", "promote", "lsn"]`.
    ///
    /// # Errors
    /// Why the name means nothing.
    pub fn new(parts: &[&str]) -> Result<Self, NotAReference> {
        let owned = |rest: &[&str]| rest.iter().map(|part| (*part).to_owned()).collect();
        match parts {
            ["inputs", name, inside @ ..] => {
                Ok(Self::Input { name: (*name).to_owned(), inside: owned(inside) })
            }
            ["secrets", name] => Ok(Self::Secret { name: (*name).to_owned() }),
            ["steps", step, output, inside @ ..] => Ok(Self::Output {
                step: (*step).to_owned(),
                output: (*output).to_owned(),
                inside: owned(inside),
            }),
            ["mode"] => Ok(Self::Mode),
            ["run", "id"] => Ok(Self::RunId),
            _ => Err(NotAReference::of(parts)),
        }
    }
}

impl Reference {
    /// The keys that lead from the names at the top to the value.
    pub(super) fn path(&self) -> Vec<&str> {
        let mut path = match self {
            Self::Input { name, .. } => vec!["inputs", name],
            Self::Secret { name } => vec!["secrets", name],
            Self::Output { step, output, .. } => vec!["steps", step, output],
            Self::Mode => vec!["mode"],
            Self::RunId => vec!["run", "id"],
        };
        path.extend(self.inside().iter().map(String::as_str));
        path
    }

    /// The part of the name that leads into the value of an input or an output.
    pub fn inside(&self) -> &[String] {
        match self {
            Self::Input { inside, .. } | Self::Output { inside, .. } => inside,
            Self::Secret { .. } | Self::Mode | Self::RunId => &[],
        }
    }

    /// The value to which the name leads, inside the value of its input or output.
    pub fn lead_into<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.inside().iter().try_fold(value, |value, key| match value {
            Value::Object(map) => map.get(key),
            Value::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
}

impl NotAReference {
    fn of(parts: &[&str]) -> Self {
        let written = parts.join(".");
        let say = |help: &str| Self { message: format!("`{written}` is not a value"), help: help.to_owned() };
        match parts.first().copied().unwrap_or_default() {
            "inputs" => say("write `inputs.NAME`"),
            "secrets" => say("write `secrets.NAME`"),
            "steps" => say("write `steps.ID.OUTPUT`"),
            "mode" => say("write `mode`"),
            "run" => say("write `run.id`"),
            first => Self {
                message: format!("nothing is named `{written}`"),
                help: did_you_mean(first, ROOTS.iter().copied()).unwrap_or_else(|| {
                    "a name begins with `inputs.`, `secrets.`, `steps.`, or is `mode` or `run.id`".to_owned()
                }),
            },
        }
    }
}
