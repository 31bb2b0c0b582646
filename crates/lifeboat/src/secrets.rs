//! The secrets of a run: looked up anew whenever it is driven, kept in memory only.

use std::env;
use std::path::Path;

use lifeboat_action::Masker;
use lifeboat_model::Plan;
use lifeboat_model::plan::{SecretSource, SecretSpec};
use serde_json::{Map, Value};

use crate::regular_file;

/// The secrets of a plan, as far as they can be looked up.
#[derive(Default)]
pub struct Secrets {
    /// By name.
    pub(crate) values: Map<String, Value>,
    pub(crate) missing: Vec<String>,
}

/// Some secrets of a plan cannot be looked up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .missing.join("; "))]
pub struct MissingSecrets {
    /// Which, and why: a line each.
    pub missing: Vec<String>,
}

impl Secrets {
    /// Looks the secrets of a plan up. `folder`: where relative paths of their files begin.
    pub fn look_up(plan: &Plan, folder: &Path) -> Self {
        let mut secrets = Self::default();
        for spec in plan.secrets() {
            match look_up(spec, folder) {
                Ok(value) => drop(secrets.values.insert(spec.name.clone(), Value::String(value))),
                Err(why) => secrets.missing.push(format!("secret `{}`: {why}", spec.name)),
            }
        }
        secrets
    }

    /// Which cannot be looked up, and why.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// The secrets, if none is missing.
    ///
    /// # Errors
    /// With those that are.
    pub fn complete(self) -> Result<Self, MissingSecrets> {
        match self.missing.is_empty() {
            true => Ok(self),
            false => Err(MissingSecrets { missing: self.missing }),
        }
    }

    /// What hides those that are known.
    pub fn masker(&self) -> Masker {
        Masker::new(self.values.values().filter_map(Value::as_str).map(str::to_owned))
    }
}

/// The value of a secret. An empty one is as good as none: it could not be hidden anywhere.
fn look_up(spec: &SecretSpec, folder: &Path) -> Result<String, String> {
    let (value, place) = match &spec.from {
        SecretSource::Env(name) => {
            let value = env::var(name).map_err(|error| match error {
                env::VarError::NotPresent => format!("the environment variable {name} is not set"),
                env::VarError::NotUnicode(_) => format!("the environment variable {name} is not text"),
            })?;
            (value, format!("the environment variable {name}"))
        }
        SecretSource::File(path) => {
            let path = folder.join(path);
            (without_line_break(&text_of(&path)?).to_owned(), format!("the file {}", path.display()))
        }
    };
    if value.is_empty() { Err(format!("{place} is empty")) } else { Ok(value) }
}

/// The largest file of a secret, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// The text of a secret's file. It is read whenever the run is driven or looked at, so it is no pipe, which can be read
/// once.
fn text_of(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let bytes = regular_file::read(path, MAX_BYTES)
        .map_err(|error| format!("cannot read the file {shown}: {error}"))?
        .ok_or_else(|| {
            format!("{shown} is no regular file: keep the secret in one, or in an environment variable")
        })?;
    if bytes.len() > MAX_BYTES {
        let most = MAX_BYTES / 1024;
        return Err(format!("the file {shown} is larger than {most} KiB: is it the file of the secret?"));
    }
    // The error of a file that is not text must not show the text.
    String::from_utf8(bytes).map_err(|_| format!("the file {shown} is not text"))
}

/// Editors end a file with a line break that is not meant.
fn without_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known: Vec<_> = self.values.keys().collect();
        f.debug_struct("Secrets").field("known", &known).field("missing", &self.missing).finish()
    }
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
