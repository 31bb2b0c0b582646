//! The names a template can use.

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
