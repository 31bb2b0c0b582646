//! How a command ended.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::{fmt, fs, io};

use jiff::Timestamp;
use lifeboat_action::Masker;
use serde::{Deserialize, Serialize};

use crate::output::{Captured, STDERR, STDOUT};

/// How a command that was started ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) status: Status,
    /// Whether it ended after lifeboat had asked it to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stopped: bool,
    /// Its processes that could not even be killed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) survivors: Vec<i32>,
    /// How much it had printed by then. Traces of older versions do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) printed: Option<Printed>,
    pub(crate) at: Timestamp,
}

/// How many bytes a command printed. A file that holds fewer, or is not there, has lost them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Printed {
    pub(crate) stdout: u64,
    pub(crate) stderr: u64,
    /// How often secrets occur in what is read of both. A later driver that finds fewer no longer knows what to mask.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) secrets: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Printed {
    /// What the attempt's folder holds now.
    pub(crate) fn measure(folder: &Path, masker: &Masker) -> io::Result<Self> {
        let length = |name| fs::metadata(folder.join(name)).map(|file| file.len());
        let mut printed = Self { stdout: length(STDOUT)?, stderr: length(STDERR)?, secrets: 0 };
        if !masker.is_empty() {
            for (name, length) in [(STDOUT, printed.stdout), (STDERR, printed.stderr)] {
                printed.secrets += Captured::read(folder, name, Some(length), masker)?.secrets;
            }
        }
        Ok(printed)
    }

    /// The files that hold something.
    pub(crate) fn files(self, folder: &Path) -> Vec<PathBuf> {
        let streams = [(STDOUT, self.stdout), (STDERR, self.stderr)];
        streams.into_iter().filter(|(_, length)| *length > 0).map(|(name, _)| folder.join(name)).collect()
    }
}

/// What the system says of a process that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// It exited by itself.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
}

impl Status {
    pub(crate) fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => unreachable!("bug: a process that was waited for exited or was killed"),
        }
    }

    /// Whether a command that only looks has answered with it. Codes from 124 on are not its own: by convention they
    /// say that something was not found or could not be started (125 to 127), took too long (124), was killed
    /// (128 and the signal), or could not be reached (255, of `ssh`).
    pub(crate) fn is_an_answer(self) -> bool {
        matches!(self, Self::Code(0..124))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "was killed by {name}"),
                None => write!(f, "was killed by signal {signal}"),
            },
        }
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        _ => return None,
    };
    Some(name)
}

/// Why a command was not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// What it is about. Only the driver can mask, so what rests in the trace does not quote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<Part>,
    pub(crate) why: String,
    /// Whether it may be another time: the system was short of something, or lifeboat was told to stop.
    pub(crate) may_pass: bool,
}

/// What was in the way of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    Program,
    Cwd,
    /// No parameter: the attempt's folder, which cannot be written to.
    Folder,
}

impl Refusal {
    /// A refusal that is about no parameter.
    pub(crate) fn new(why: impl Into<String>, may_pass: bool) -> Self {
        Self { about: None, why: why.into(), may_pass }
    }
}
