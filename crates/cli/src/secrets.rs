//! The secrets of a run: looked up anew whenever it is driven, kept in memory only.

use std::env;
use std::fs;

use lifeboat_action::Masker;
use lifeboat_model::Plan;
use lifeboat_model::plan::{SecretSource, SecretSpec};
use serde_json::{Map, Value};

use crate::error::CliError;
use crate::exit::Exit;

/// The value of every secret of the plan; without all of them, nothing is started.
pub(crate) fn resolve(plan: &Plan) -> Result<Map<String, Value>, CliError> {
    let (values, missing) = at_hand(plan);
    if missing.is_empty() {
        Ok(values)
    } else {
        Err(CliError::new(Exit::Invalid, missing.join("\n       ")).hint("nothing was started"))
    }
}

/// The values of the secrets that can be looked up, and which of the others cannot and why.
pub(crate) fn at_hand(plan: &Plan) -> (Map<String, Value>, Vec<String>) {
    let mut values = Map::new();
    let mut missing = Vec::new();
    for spec in plan.secrets() {
        match look_up(spec) {
            Ok(value) => drop(values.insert(spec.name.clone(), Value::String(value))),
            Err(why) => missing.push(format!("secret `{}`: {why}", spec.name)),
        }
    }
    (values, missing)
}

/// What hides the secrets of the plan. One that cannot be looked up here is passed over: to write a word down takes none.
pub(crate) fn masker(plan: &Plan) -> Masker {
    Masker::new(plan.secrets().iter().filter_map(|spec| look_up(spec).ok()))
}

/// The value of a secret. An empty one is as good as none: it could not be hidden anywhere.
fn look_up(spec: &SecretSpec) -> Result<String, String> {
    let (value, place) = match &spec.from {
        SecretSource::Env(name) => {
            let value = env::var(name).map_err(|error| match error {
                env::VarError::NotPresent => format!("the environment variable {name} is not set"),
                env::VarError::NotUnicode(_) => format!("the environment variable {name} is not text"),
            })?;
            (value, format!("the environment variable {name}"))
        }
        SecretSource::File(path) => {
            // The error of a file that is not text must not show the text.
            let bytes = fs::read(path).map_err(|error| format!("cannot read the file {path}: {error}"))?;
            let text = String::from_utf8(bytes).map_err(|_| format!("the file {path} is not text"))?;
            (without_line_break(&text).to_owned(), format!("the file {path}"))
        }
    };
    if value.is_empty() { Err(format!("{place} is empty")) } else { Ok(value) }
}

/// Editors end a file with a line break that is not meant.
fn without_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_is_not_part_of_a_secret() {
        assert_eq!(without_line_break("a\n"), "a");
        assert_eq!(without_line_break("a\r\n"), "a");
        assert_eq!(without_line_break("a\n\n"), "a\n");
        assert_eq!(without_line_break(" a"), " a");
    }
}
