//! What is left of an attempt: `supervision.jsonl` in its folder, a few lines, appended under a lock on the file.
//!
//! The lock is the supervisor's while the command runs. Whoever holds it and finds no line decides what becomes of the
//! attempt, once: the supervisor by claiming it, a later driver by abandoning it. So a request that was still under
//! way when its driver died is either carried out and recorded, or never carried out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::end::{End, Refusal};
use crate::process::Process;

/// The file's name in the attempt's folder.
pub(crate) const FILE_NAME: &str = "supervision.jsonl";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// Supervisor, first line, before anything else: the command is about to be started.
    Claimed { boot: String, supervisor: Process },
    /// Supervisor, after `Claimed`: the command runs.
    Started { process: Process, at: Timestamp },
    /// Supervisor, after `Claimed`: the command could not be started.
    NotStarted { refusal: Refusal, at: Timestamp },
    /// Supervisor, last line, synced to the disk when the driver is gone: the command has ended.
    Ended(End),
    /// A later driver, first line: nobody had claimed the attempt, and nobody may any more.
    Abandoned {
        /// Whether no restart of the machine can have lost a claim: the attempt never began.
        proven: bool,
        by: Process,
        at: Timestamp,
    },
}

/// The file of one attempt, open and locked.
#[derive(Debug)]
pub(crate) struct Trace {
    file: File,
}

/// What the file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    pub(crate) entries: Vec<Entry>,
    /// Something follows that is not a whole line of ours: the machine went down while it was written.
    pub(crate) torn: bool,
}

impl Trace {
    /// Opens the file, creating it, and locks it. `None`: somebody else holds the lock.
    pub(crate) fn try_lock(folder: &Path) -> io::Result<Option<Self>> {
        let file = open(folder)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Opens the file, creating it, and waits until the lock is free: until no supervisor is at work on the attempt.
    pub(crate) fn lock(folder: &Path) -> io::Result<Self> {
        let file = open(folder)?;
        file.lock()?;
        Ok(Self { file })
    }

    /// Whether nobody has decided yet what becomes of the attempt.
    pub(crate) fn is_unclaimed(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() == 0)
    }

    /// All lines.
    pub(crate) fn entries(&self) -> io::Result<Entries> {
        let mut bytes = Vec::new();
        (&self.file).rewind()?;
        (&self.file).read_to_end(&mut bytes)?;
        Ok(Entries::parse(&bytes))
    }

    /// Appends a line.
    pub(crate) fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        (&self.file).write_all(&line)
    }

    /// Lets go of the lock: what becomes of the attempt is decided, and written.
    pub(crate) fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }
}

/// Makes what was appended survive a power loss.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder.join(FILE_NAME))?.sync_data()
}

/// Reads the file while somebody else may hold the lock.
pub(crate) fn peek(folder: &Path) -> io::Result<Entries> {
    Ok(Entries::parse(&std::fs::read(folder.join(FILE_NAME))?))
}

fn open(folder: &Path) -> io::Result<File> {
    let path = folder.join(FILE_NAME);
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

impl Entries {
    fn parse(bytes: &[u8]) -> Self {
        let mut parsed = Self::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n").map(serde_json::from_slice) {
                Some(Ok(entry)) => parsed.entries.push(entry),
                Some(Err(_)) | None => {
                    parsed.torn = true;
                    break;
                }
            }
        }
        parsed
    }

    /// The process of the command, once it was started.
    pub(crate) fn process(&self) -> Option<Process> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Started { process, .. } => Some(*process),
            Entry::Claimed { .. } | Entry::NotStarted { .. } | Entry::Ended(_) | Entry::Abandoned { .. } => {
                None
            }
        })
    }

    /// The boot on which the attempt was claimed.
    pub(crate) fn boot(&self) -> Option<&str> {
        match self.entries.first() {
            Some(Entry::Claimed { boot, .. }) => Some(boot),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::Status;

    #[test]
    fn whatever_a_power_loss_leaves_of_the_last_line_is_torn() {
        let process = Process { pid: 7, start_time: 8 };
        let claimed = Entry::Claimed { boot: "b".to_owned(), supervisor: process };
        let at = Timestamp::UNIX_EPOCH;
        let (status, survivors) = (Status::Code(0), Vec::new());
        let ended = Entry::Ended(End { status, stopped: false, survivors, printed: None, at });
        let folder = tempfile::tempdir().unwrap();
        let trace = Trace::try_lock(folder.path()).unwrap().unwrap();
        trace.append(&claimed).unwrap();
        let whole_lines = std::fs::read(folder.path().join(FILE_NAME)).unwrap().len();
        trace.append(&ended).unwrap();
        let bytes = std::fs::read(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(trace.entries().unwrap(), Entries { entries: vec![claimed.clone(), ended], torn: false });

        for length in whole_lines..bytes.len() {
            let expected = Entries { entries: vec![claimed.clone()], torn: length > whole_lines };
            assert_eq!(Entries::parse(&bytes[..length]), expected, "cut to {length} bytes");
            let mut zeroed = bytes.clone();
            zeroed[length..].fill(0);
            let expected = Entries { entries: vec![claimed.clone()], torn: true };
            assert_eq!(Entries::parse(&zeroed), expected, "zeroed from {length}");
        }
    }

    #[test]
    fn one_at_a_time_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let held = Trace::try_lock(folder.path()).unwrap().unwrap();
        assert!(Trace::try_lock(folder.path()).unwrap().is_none());
        drop(held);
        assert!(Trace::try_lock(folder.path()).unwrap().is_some());
    }
}
