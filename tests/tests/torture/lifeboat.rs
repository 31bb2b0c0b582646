//! The `lifeboat` program as a test's user runs it: with a home of its own, and nothing of this account's environment.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use lifeboat_tests::journal::Journal;
use lifeboat_tests::programs;

/// An installation of the program with a home where its runs are kept. Dropped, the home goes.
#[derive(Debug)]
pub(crate) struct Lifeboat {
    program: PathBuf,
    home: TempDir,
}

/// A command that came to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How.
    pub(crate) status: ExitStatus,
    /// What it printed for programs.
    pub(crate) stdout: String,
    /// What it said to people.
    pub(crate) stderr: String,
}

impl Lifeboat {
    /// The program that this workspace built, with a new home.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().expect("there is room for a temporary folder");
        Self { program: programs::built("lifeboat"), home }
    }

    /// The folder where its runs are kept.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command, ready to be started.
    pub(crate) fn command(&self, words: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(&self.program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(words).env_clear().env("PATH", path).env("HOME", self.home.path());
        command.env("LIFEBOAT_HOME", self.home.path()).env("LIFEBOAT_ACTOR", "tester");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Carries a command out and waits for its end.
    pub(crate) fn call(&self, words: &[impl AsRef<OsStr>]) -> Ended {
        end_of(self.command(words))
    }

    /// The newest run's records.
    pub(crate) fn journal(&self) -> Journal {
        let ended = self.call(&["journal"]);
        ended.assert_code(0);
        Journal::of(&ended.stdout)
    }

    /// What `status --json` prints of the newest run.
    pub(crate) fn status(&self) -> Value {
        let ended = self.call(&["status", "--json"]);
        ended.assert_code(0);
        serde_json::from_str(&ended.stdout).expect("`status --json` prints JSON")
    }
}

impl Ended {
    /// The exit code; none when a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether SIGKILL ended it.
    pub(crate) fn was_killed(&self) -> bool {
        std::os::unix::process::ExitStatusExt::signal(&self.status) == Some(9)
    }

    /// Insists on an exit code.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) {
        assert_eq!(self.code(), Some(code), "{self}");
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nstdout:\n{}\nstderr:\n{}", self.status, self.stdout, self.stderr)
    }
}

/// Starts a command and waits for its end.
pub(crate) fn end_of(mut command: Command) -> Ended {
    let Output { status, stdout, stderr } = command.output().expect("the program was built");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
    Ended { status, stdout: text(stdout), stderr: text(stderr) }
}
