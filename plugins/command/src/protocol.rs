//! What driver and supervisor say to each other: JSON, one message a line, over two pipes. Environments travel here
//! and nowhere else, because they may hold secrets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::end::{End, Refusal};
use crate::place::CommandName;
use crate::process::Process;

/// The driver's number for a command, unique per supervisor.
pub(crate) type CommandId = u64;

/// From the driver.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Start a command. Answered once, when it has ended.
    Start(Launch),
    /// Make a command end: SIGTERM, and after the grace SIGKILL. Answered by the command's own answer.
    Stop { id: CommandId, grace_ms: u64 },
}

/// A command to start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) id: CommandId,
    /// The attempt's folder, in which the driver has opened the trace.
    #[serde(with = "any_path")]
    pub(crate) folder: PathBuf,
    /// Not empty.
    pub(crate) argv: Vec<String>,
    /// Added to the supervisor's own environment, which is the driver's.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: Option<PathBuf>,
    /// What must not be shown of what it prints. Like `env`, they come to rest nowhere.
    pub(crate) secrets: Vec<String>,
    /// Its mark is part of `env`, and tells the command's processes from all others, wherever they went.
    pub(crate) command: CommandName,
    pub(crate) driver: Process,
}

/// From the supervisor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Said once, first: it is out of reach of the terminal.
    Ready,
    /// A command has ended.
    Ended {
        id: CommandId,
        end: End,
        /// What kept the end from being recorded durably.
        unrecorded: Option<String>,
    },
    /// A command was not started, and will not be.
    NotStarted { id: CommandId, refusal: Refusal },
    /// A command was started, and nobody will know how it ended.
    Lost { id: CommandId, why: String },
}

impl Answer {
    /// The command it is about.
    pub(crate) fn id(&self) -> Option<CommandId> {
        match self {
            Self::Ready => None,
            Self::Ended { id, .. } | Self::NotStarted { id, .. } | Self::Lost { id, .. } => Some(*id),
        }
    }
}

/// One message and its line end.
pub(crate) fn line(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// A path as it is: JSON is Unicode, and a path may be any bytes.
mod any_path {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(PathBuf),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        match path.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_seq(path.as_os_str().as_bytes()),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Text(path) => path,
            Written::Bytes(bytes) => OsString::from_vec(bytes).into(),
        })
    }
}
