//! Texts that are named on the command line: runbooks and files of inputs.

use std::path::Path;

use lifeboat_model::Source;

use crate::error::CliError;

/// Reads a text; `what` it is.
pub(crate) fn read(what: &str, path: &Path) -> Result<Source, CliError> {
    lifeboat::read(path)
        .map_err(|error| CliError::usage(format!("cannot read the {what} {}: {error}", path.display())))
}
