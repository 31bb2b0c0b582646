//! Commands as they can be typed here.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use lifeboat_model::RunId;

use crate::args::HOME_VARIABLE;
use crate::shell_word::shell;

/// How commands are typed, so that they mean the same runs.
#[derive(Debug, Clone)]
pub(crate) struct Spelling {
    /// The option that names the folder of the runs, with a blank before it; empty where it is known without.
    home: String,
}

impl Spelling {
    /// `home`: as it was given, if it was.
    pub(crate) fn new(home: Option<&Path>) -> Self {
        let home = home.filter(|home| !home.as_os_str().is_empty() && !is_variable(home));
        let home = home.map(|home| format!(" --home {}", shell(&home.to_string_lossy())));
        Self { home: home.unwrap_or_default() }
    }

    /// A command that can be typed as it stands in this shell, such as `lifeboat resume run_01…`.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let words = words.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ");
        format!("lifeboat{} {words}", self.home)
    }

    /// [`Spelling::command`] about a run.
    pub(crate) fn about(&self, command: &str, run: &RunId) -> String {
        self.command(&[command, run.as_str()])
    }
}

/// Whether the folder is the one that the environment names anyway.
fn is_variable(home: &Path) -> bool {
    env::var_os(HOME_VARIABLE).as_deref() == Some(OsStr::new(home))
}
