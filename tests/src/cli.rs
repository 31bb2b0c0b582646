//! Drives the `lifeboat` program as a person or a script would, and shows what it answered in a form that is the same
//! everywhere: run ids, times, lengths of time, process ids, hosts and folders are replaced by words.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use tempfile::TempDir;

use crate::programs::built;
use crate::wait::wait_until;

/// A folder with runbooks and a home for runs, gone at the end of the test.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
    /// The ids of runs, in the order in which they were first shown.
    runs: RefCell<Vec<String>>,
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
        Self { folder, runs: RefCell::default() }
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

    /// The folder of the only run.
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub fn only_run(&self) -> PathBuf {
        let runs = fs::read_dir(self.path("home/runs")).expect("a run was created");
        let runs: Vec<_> = runs.map(|entry| entry.expect("a folder of a run").path()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.into_iter().next().expect("one run")
    }

    /// The program with these arguments.
    pub fn lifeboat<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Lifeboat<'_> {
        let arguments: Vec<_> = arguments.into_iter().map(|word| word.as_ref().to_owned()).collect();
        let mut command = self.command();
        command.args(&arguments);
        let words = arguments.iter().map(|word| word.to_string_lossy().into_owned());
        let typed = std::iter::once("lifeboat".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
        Lifeboat { sandbox: self, command, typed, stdin: None }
    }

    /// Runs a command line whose words are separated by blanks.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run(&self, line: &str) -> Answer {
        self.lifeboat(line.split_whitespace()).run()
    }

    /// The program in an environment of its own: an actor, a home, and nothing of the caller's but `PATH`.
    pub fn command(&self) -> Command {
        let mut command = Command::new(built("lifeboat"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LIFEBOAT_HOME", self.path("home"))
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
        let mut text = text.replace(&self.folder.path().display().to_string(), "[SANDBOX]");
        let mut runs = self.runs.borrow_mut();
        for found in RUN.find_iter(&text) {
            if !runs.iter().any(|run| run == found.as_str()) {
                runs.push(found.as_str().to_owned());
            }
        }
        for (number, run) in runs.iter().enumerate() {
            text = text.replace(run, &format!("[RUN {}]", number + 1));
        }
        for (pattern, word) in REDACTIONS.iter() {
            text = pattern.replace_all(&text, *word).into_owned();
        }
        text
    }
}

/// One call of the program, not started yet.
#[derive(Debug)]
#[must_use = "nothing happens before it is run"]
pub struct Lifeboat<'s> {
    sandbox: &'s Sandbox,
    command: Command,
    typed: String,
    stdin: Option<String>,
}

impl Lifeboat<'_> {
    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes an environment variable away.
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Gives it something to read.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// Starts it and leaves it running, with its output in pipes.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(mut self) -> Child {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().expect("lifeboat starts")
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(mut self) -> Answer {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("lifeboat starts");
        if let (Some(text), Some(mut pipe)) = (self.stdin, child.stdin.take()) {
            // It may not want to read it.
            drop(pipe.write_all(text.as_bytes()));
        }
        let output = child.wait_with_output().expect("lifeboat ends");
        Answer::new(self.sandbox, &self.typed, &output)
    }
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    /// What it wrote to stdout, as it is.
    pub stdout: String,
    /// What it wrote to stderr, as it is.
    pub stderr: String,
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    shown: String,
}

impl Answer {
    /// The answer of a call that was typed so.
    pub fn new(sandbox: &Sandbox, typed: &str, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr, code) = (text(&output.stdout), text(&output.stderr), output.status.code());
        let code_shown = code.map_or_else(|| output.status.to_string(), |code| format!("exit {code}"));
        let mut shown = format!("$ {typed}\n{code_shown}");
        for (name, text) in [("stdout", &stdout), ("stderr", &stderr)] {
            if !text.is_empty() {
                shown.push_str(&format!("\n-- {name}\n{}", text.trim_end_matches('\n')));
            }
        }
        Self { shown: sandbox.redacted(&shown), stdout, stderr, code }
    }

    /// The lines of stdout as JSON.
    ///
    /// # Panics
    /// When one is not JSON.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(line).collect()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
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

static RUN: LazyLock<Regex> = LazyLock::new(|| Regex::new("run_[0-9a-z]{26}").expect("a pattern"));

/// Lengths of time are of different lengths themselves, so the blanks behind them go too.
static REDACTIONS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"pid \d+ on [^\s,]+", "pid [PID] on [HOST]"),
        (r"\bafter (\d+ms|\d+\.\ds|\d+m \d\ds)", "after [ELAPSED]"),
        (r", (\d+ms|\d+\.\ds|\d+m \d\ds) since", ", [ELAPSED] since"),
        (
            r"(?m)^(\S+(?: \S+)?)  +(\S+)  +(\d+ms|\d+\.\ds|\d+m \d\ds)( in \d+ attempts)?(  +|$)",
            "$1  $2  [ELAPSED]$4  ",
        ),
        (r"(?m)  +$", ""),
    ]
    .map(|(pattern, word)| (Regex::new(pattern).expect("a pattern"), word))
    .into()
});
