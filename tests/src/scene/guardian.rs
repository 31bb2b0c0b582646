//! The scene's end of its guardian, the process that all servers of a scene descend from.
//!
//! The conversation is one JSON line each way; its end, for whatever reason, is the order to kill everything.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::process::Process;
use crate::programs;

/// An order to start a program.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Where its output goes.
    pub log: PathBuf,
}

/// The guardian's answer to an order.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The program runs.
    Started(Process),
    /// It could not be started, and why.
    Refused(String),
}

/// A running guardian and its folder; dropping it stops all servers and removes the folder.
#[derive(Debug)]
pub struct Guardian {
    folder: PathBuf,
    process: Child,
    /// `None` once the conversation is over.
    line: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Guardian {
    /// Makes a throw-away folder and starts a guardian over it.
    ///
    /// # Panics
    /// When the system refuses, or the guardian has not been built.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("lifeboat-scene-")
            // PostgreSQL's account must be able to pass through.
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("the folder for temporary files takes a folder")
            .keep();
        let mut process = Command::new(programs::built("scene-guardian"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scene-guardian starts");
        let line = process.stdin.take().zip(process.stdout.take().map(BufReader::new));
        Self { folder, process, line: Mutex::new(line) }
    }

    /// The scene's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the output of the program called `name` goes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    /// Starts a program in the background, under the guardian.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(&self, name: &str, words: Vec<String>) -> Process {
        match self.ask(&Order { words, log: self.log(name) }) {
            Ok(Reply::Started(process)) => process,
            Ok(Reply::Refused(why)) => panic!("{name} did not start: {why}\n{}", self.log_tails()),
            Err(error) => panic!("the scene's guardian does not answer: {error}"),
        }
    }

    /// The last lines of every log of the scene, for the message of a failed test.
    pub fn log_tails(&self) -> String {
        let Ok(entries) = fs::read_dir(&self.folder) else { return String::new() };
        let mut logs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
        logs.sort();
        logs.iter().map(|path| tail(path)).collect()
    }

    fn ask(&self, order: &Order) -> io::Result<Reply> {
        let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some((to, from)) = line.as_mut() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        writeln!(to, "{}", serde_json::to_string(order)?)?;
        let mut reply = String::new();
        from.read_line(&mut reply)?;
        Ok(serde_json::from_str(&reply)?)
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.line.get_mut().map(Option::take));
        let ended = self.process.wait();
        // A second panic while a test fails would hide the first.
        if !std::thread::panicking() {
            let status = ended.expect("the guardian can be waited for");
            assert!(status.success(), "the scene's guardian failed: {status}");
        }
    }
}

fn tail(log: &Path) -> String {
    const LINES: usize = 12;
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let name = log.file_name().unwrap_or_default().display();
    format!("--- {name}, last lines ---\n{}\n", last.join("\n"))
}
