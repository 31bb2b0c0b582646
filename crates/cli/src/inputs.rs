//! The inputs of a run, as they are given on the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use lifeboat::Inputs;
use lifeboat_display::diagnostics;
use lifeboat_model::Given;

use crate::context::Context;
use crate::error::CliError;
use crate::shell_word::shell;
use crate::source_file;

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

    /// Everything that is given.
    pub(crate) fn read(&self, context: &Context) -> Result<Inputs, CliError> {
        let mut inputs = Inputs::default();
        if let Some(path) = &self.inputs {
            read_file(context, path, &mut inputs)?;
        }
        for (name, value) in &self.input {
            let twice = inputs.give(name, Given::Text(value.clone()));
            twice.map_err(|error| CliError::usage(error.to_string()))?;
        }
        Ok(inputs)
    }
}

fn read_file(context: &Context, path: &Path, inputs: &mut Inputs) -> Result<(), CliError> {
    let source = source_file::read("inputs", path)?;
    inputs.read(&source).map_err(|problems| {
        let name = path.display().to_string();
        context.terminal.say(&diagnostics::rendered(&name, &source, &problems));
        let number = problems.len() + problems.omitted();
        CliError::usage(format!("{} in {name}; nothing was started", diagnostics::count(number)))
    })
}

/// Reads `NAME=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        Some(_) | None => Err(format!("write NAME=VALUE, such as {}", shell("standby=db-b:5432"))),
    }
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
