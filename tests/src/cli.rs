//! Drives the `lifeboat` program as a person or a script would, and shows what it answered in a form that is the same
//! everywhere: run ids, times, lengths of time, process ids, hosts and folders are replaced by words.

mod call;
mod redacted;

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub use call::{Answer, Lifeboat};

use self::redacted::redacted;
use crate::journal::Journal;
use crate::programs::built;
use crate::wait::wait_until;

/// A folder with runbooks and a home for runs, gone at the end of the test.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
    /// The name of the folder where runs are kept.
    home: String,
    /// The ids of runs, in the order in which they were first shown.
    runs: Mutex<Vec<String>>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty one.
    ///
    /// # Panics
    /// When there is no room for it.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("lifeboat-cli-").expect("a folder for temporary files");
        Self { folder, home: "home".to_owned(), runs: Mutex::default() }
    }

    /// The same, with one file.
    pub fn with(name: &str, text: &str) -> Self {
        let sandbox = Self::new();
        sandbox.file(name, text);
        sandbox
    }

    /// Writes a file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("the sandbox can be written");
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder where its runs are kept.
    pub fn home(&self) -> PathBuf {
        self.path(&self.home)
    }

    /// Keeps runs in another folder from now on.
    pub fn use_home(&mut self, name: &str) {
        name.clone_into(&mut self.home);
    }

    /// The folder of the only run.
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub fn only_run(&self) -> PathBuf {
        let runs = fs::read_dir(self.home().join("runs")).expect("a run was created");
        let runs: Vec<_> = runs.map(|entry| entry.expect("a folder of a run").path()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.into_iter().next().expect("one run")
    }

    /// The program with these arguments.
    pub fn lifeboat<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Lifeboat<'_> {
        let mut command = self.command();
        command.args(arguments);
        Lifeboat::new(self, command)
    }

    /// Runs a command line whose words are separated by blanks.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run(&self, line: &str) -> Answer {
        self.lifeboat(line.split_whitespace()).run()
    }

    /// The newest run's records.
    ///
    /// # Panics
    /// When there are none, or they cannot be read.
    #[track_caller]
    pub fn journal(&self) -> Journal {
        let answer = self.run("journal");
        answer.assert_code(0);
        Journal::of(&answer.stdout)
    }

    /// What `status --json` prints of the newest run.
    ///
    /// # Panics
    /// When there is none, or it cannot be read.
    #[track_caller]
    pub fn status(&self) -> Value {
        let answer = self.run("status --json");
        answer.assert_code(0);
        serde_json::from_str(&answer.stdout).expect("`status --json` prints JSON")
    }

    /// The program in an environment of its own: an actor, a home, and nothing of the caller's but `PATH`.
    pub fn command(&self) -> Command {
        let mut command = Command::new(built("lifeboat"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LIFEBOAT_HOME", self.home())
            .env("LIFEBOAT_ACTOR", "tester")
            .env("COLUMNS", "100");
        command
    }

    /// Waits until a file is there.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for(&self, name: &str) {
        let path = self.path(name);
        wait_until(&format!("{name} is there"), Duration::from_secs(30), String::new, || path.exists());
    }

    /// A text with everything replaced that differs from one time or place to the next.
    fn redacted(&self, text: &str) -> String {
        let text = text.replace(&self.folder.path().display().to_string(), "[SANDBOX]");
        redacted(&text, &mut self.runs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waits until a running program, with its stderr in a pipe, has said something.
///
/// # Panics
/// When it ends without having said so.
pub fn wait_until_said(child: &mut Child, text: &str) {
    let stderr = child.stderr.as_mut().expect("stderr is a pipe");
    let mut said = String::new();
    // Byte by byte, so that what follows stays in the pipe.
    let mut byte = [0];
    while !said.contains(text) {
        let read = stderr.read(&mut byte).expect("a pipe can be read");
        assert!(read > 0, "it ended without having said `{text}`: {said}");
        said.push(char::from(byte[0]));
    }
}

/// Whether nothing with that text is in any file below a folder.
///
/// # Panics
/// When the folder cannot be read.
pub fn nowhere_below(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).expect("a folder that can be read").all(|entry| {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            nowhere_below(&path, text)
        } else {
            let bytes = fs::read(&path).expect("a file that can be read");
            !bytes.windows(text.len()).any(|window| window == text.as_bytes())
        }
    })
}
