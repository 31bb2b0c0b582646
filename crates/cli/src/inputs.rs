//! The inputs of a run: from the command line and from a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use lifeboat_model::{Given, Plan, bind_inputs};
use serde_json::{Map, Value};

use crate::error::CliError;
use crate::words::shell;

/// A file of inputs is never large.
const MAX_BYTES: u64 = 1024 * 1024;

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
    /// The value of every input of the plan.
    pub(crate) fn bind(&self, plan: &Plan) -> Result<Map<String, Value>, CliError> {
        let mut given = match &self.inputs {
            Some(path) => from_file(path)?,
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
            problems.iter().fold(error, |error, problem| match &problem.help {
                Some(help) => error.hint(format!("{}: {help}", problem.input)),
                None => error.hint(format!("give it with `-i {}=VALUE`", problem.input)),
            })
        })
    }
}

/// Reads `NAME=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        Some(_) | None => Err(format!("write NAME=VALUE, such as {}", shell("standby=db-b:5432"))),
    }
}

fn from_file(path: &Path) -> Result<BTreeMap<String, Given>, CliError> {
    let wrong = |why: String| CliError::usage(format!("cannot read the inputs in {}: {why}", path.display()));
    let mut text = String::new();
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(wrong(format!("the file is larger than {} KiB", MAX_BYTES / 1024)));
    }
    parse(&text).map_err(wrong)
}

fn parse(text: &str) -> Result<BTreeMap<String, Given>, String> {
    // A mapping of YAML refuses a key that is there twice.
    let mapping: Option<serde_yaml::Mapping> =
        serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let entry = |(name, value): (serde_yaml::Value, serde_yaml::Value)| {
        let name = name.as_str().ok_or("the names of inputs must be texts")?.to_owned();
        let value = serde_json::to_value(value).map_err(|error| format!("input `{name}`: {error}"))?;
        Ok((name, Given::Json(value)))
    };
    mapping.unwrap_or_default().into_iter().map(entry).collect()
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

    #[test]
    fn a_file_of_inputs_keeps_types_and_refuses_doubles() {
        let inputs = parse("a: 1\nb: [x]\n").expect("two inputs");
        assert_eq!(inputs["a"], Given::Json(1.into()));
        assert_eq!(parse(""), Ok(BTreeMap::new()));
        assert!(parse("a: 1\na: 2\n").is_err());
        assert!(parse("1: a\n").is_err());
    }
}
