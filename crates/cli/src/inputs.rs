//! The inputs of a run: from the command line and from a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use lifeboat_display::diagnostics;
use lifeboat_model::{Given, InputProblem, Plan, bind_inputs, read_values};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::CliError;
use crate::runbook;
use crate::shell_word::shell;

/// Where inputs come from.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Give an input its value; wins over the same one in a file
    #[arg(short, long = "input", value_name = "NAME=VALUE", value_parser = pair)]
    input: Vec<(String, String)>,
    /// Read inputs from a YAML or JSON file
    #[arg(long, value_name = "FILE")]
    inputs: Option<PathBuf>,
}

impl InputArgs {
    /// The options as they were typed.
    pub(crate) fn typed(&self) -> String {
        let pairs =
            self.input.iter().map(|(name, value)| format!(" -i {}", shell(&format!("{name}={value}"))));
        let file = self.inputs.iter().map(|path| format!(" --inputs {}", shell(&path.to_string_lossy())));
        pairs.chain(file).collect()
    }

    /// The value of every input of the plan.
    pub(crate) fn bind(&self, context: &Context, plan: &Plan) -> Result<Map<String, Value>, CliError> {
        let mut given = match &self.inputs {
            Some(path) => from_file(context, path)?,
            None => BTreeMap::new(),
        };
        let mut seen = BTreeMap::new();
        for (name, value) in &self.input {
            if seen.insert(name, value).is_some() {
                return Err(CliError::usage(format!("input `{name}` is given twice")));
            }
            given.insert(name.clone(), Given::Text(value.clone()));
        }
        bind_inputs(plan, &given).map_err(|problems| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            let error = CliError::usage(lines.join("\n       "));
            problems.iter().fold(error, |error, problem| error.hint(hint(plan, problem)))
        })
    }
}

/// What to do about a wrong input.
fn hint(plan: &Plan, problem: &InputProblem) -> String {
    let InputProblem { input, help, .. } = problem;
    let help = help.as_deref();
    if plan.inputs().iter().any(|spec| spec.name == *input) {
        let help = help.map(|help| format!(" ({help})")).unwrap_or_default();
        format!("give it with `-i {input}=VALUE`{help}")
    } else {
        format!("{input}: {}", help.unwrap_or("leave it out"))
    }
}

/// Reads `NAME=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        Some(_) | None => Err(format!("write NAME=VALUE, such as {}", shell("standby=db-b:5432"))),
    }
}

fn from_file(context: &Context, path: &Path) -> Result<BTreeMap<String, Given>, CliError> {
    let source = runbook::read("inputs", path)?;
    let values = read_values(&source).map_err(|problems| {
        let name = path.display().to_string();
        context.terminal.say(&diagnostics::rendered(&name, &source, &problems));
        let number = problems.len() + problems.omitted();
        CliError::usage(format!("{} in {name}; nothing was started", diagnostics::count(number)))
    })?;
    Ok(values.into_iter().map(|(name, value)| (name, Given::Json(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_split_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(pair("a="), Ok(("a".to_owned(), String::new())));
        assert!(pair("a").is_err());
        assert!(pair("=b").is_err());
    }
}
