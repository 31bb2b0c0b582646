//! One call of the program, and what it answered.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use super::Sandbox;
use crate::driving::Driving;

/// One call of the program, not started yet.
#[derive(Debug)]
#[must_use = "nothing happens before it is run"]
pub struct Lifeboat<'s> {
    sandbox: &'s Sandbox,
    command: Command,
    typed: String,
    stdin: Option<String>,
}

impl<'s> Lifeboat<'s> {
    pub(super) fn new(sandbox: &'s Sandbox, command: Command) -> Self {
        let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
        let typed = std::iter::once("lifeboat".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
        Self { sandbox, command, typed, stdin: None }
    }

    /// The same call made by another program, such as one that traces it: its command line ends with this one's.
    ///
    /// # Panics
    /// When no program is named.
    pub fn through(mut self, other: &[OsString]) -> Self {
        let (program, arguments) = other.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(arguments).arg(self.command.get_program()).args(self.command.get_args()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        self.command = command;
        self
    }

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

    /// Calls it from another folder.
    pub fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives it something to read.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// The call itself, for those who start it in a way of their own.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Starts it and leaves it running.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(self) -> Driving {
        Driving::start(self.command)
    }

    /// The same; what it says, to programs and to people, goes to a file.
    ///
    /// # Panics
    /// When it cannot be started, or the file not be made.
    pub fn start_loud(self, path: &Path) -> Driving {
        Driving::start_loud(self.command, path)
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
    status: ExitStatus,
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
        Self { shown: sandbox.redacted(&shown), stdout, stderr, code, status: output.status }
    }

    /// Insists on an exit code.
    ///
    /// # Panics
    /// When it is another one: with all it answered.
    #[track_caller]
    pub fn assert_code(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{self}");
    }

    /// Whether SIGKILL ended it.
    pub fn was_killed(&self) -> bool {
        self.status.signal() == Some(9)
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
