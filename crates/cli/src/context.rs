//! What every command is given: where runs are kept, who asks, and the terminal.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lifeboat::{Identity, Lifeboat};
use lifeboat_display::sanitize::one_line;
use lifeboat_store::FileStore;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::spelling::Spelling;
use crate::terminal::Terminal;
use crate::{crash_point, supervisor};

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where to print.
    pub(crate) terminal: Arc<Terminal>,
    /// How commands are typed here.
    pub(crate) spelling: Spelling,
    /// As given.
    home: Option<PathBuf>,
    started_in: PathBuf,
    actor: Option<String>,
}

impl Context {
    pub(crate) fn new(global: Global, terminal: Arc<Terminal>) -> Self {
        let started_in = env::current_dir().unwrap_or_default();
        let spelling = Spelling::new(global.home.as_deref());
        Self { terminal, spelling, home: global.home, started_in, actor: global.actor }
    }

    /// The store of the runs.
    pub(crate) fn store(&self) -> Result<FileStore, CliError> {
        FileStore::open(&self.home()?).map_err(|error| {
            CliError::new(Exit::Journal, error).hint("`--home DIR` or LIFEBOAT_HOME names another folder")
        })
    }

    /// The runs of a store, and all actions.
    pub(crate) fn lifeboat(&self, store: &FileStore) -> Result<Lifeboat, CliError> {
        let identity = Identity::of_this_process(self.actor(), env!("CARGO_PKG_VERSION"));
        Ok(Lifeboat::new(crash_point::over(store)?, Arc::new(supervisor::registry()), identity))
    }

    /// The folder in which this program was started.
    pub(crate) fn started_in(&self) -> &Path {
        &self.started_in
    }

    /// The folder where runs are kept.
    fn home(&self) -> Result<PathBuf, CliError> {
        let given = self.home.as_ref().filter(|home| !home.as_os_str().is_empty());
        let given = given.map(|home| self.started_in.join(home));
        given.or_else(|| state_folder(|name| env::var_os(name).map(PathBuf::from))).ok_or_else(|| {
            CliError::usage("there is no home folder to keep runs in")
                .hint("name one with `--home DIR` or LIFEBOAT_HOME")
        })
    }

    /// Who is recorded with every decision.
    pub(crate) fn actor(&self) -> String {
        let given = self.actor.as_deref().map(one_line).filter(|actor| !actor.is_empty());
        given.unwrap_or_else(|| one_line(&lifeboat::login_name()))
    }

    /// Prints a command's data.
    pub(crate) fn print(&self, text: &str) -> Result<(), CliError> {
        self.terminal.print(text).map_err(|error| CliError::new(Exit::Internal, error))
    }
}

/// The user's state folder, by the XDG rules: a relative `XDG_STATE_HOME` counts as none.
fn state_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("lifeboat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(variables: &[(&str, &str)]) -> Option<PathBuf> {
        state_folder(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value))
        })
    }

    #[test]
    fn runs_are_kept_in_the_state_folder() {
        assert_eq!(folder(&[("HOME", "/home/a")]), Some("/home/a/.local/state/lifeboat".into()));
        let both = [("HOME", "/home/a"), ("XDG_STATE_HOME", "/state")];
        assert_eq!(folder(&both), Some("/state/lifeboat".into()));
        assert_eq!(folder(&[("XDG_STATE_HOME", "relative")]), None);
        assert_eq!(folder(&[]), None);
    }
}
