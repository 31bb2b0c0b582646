//! What is left of an attempt: `supervision.jsonl` in its folder, a few lines, appended under a lock on the file.
//!
//! The driver opens the trace before it records that the attempt starts. Nobody else ever makes one, so a trace that is
//! missing was lost, and proves nothing. The lock is the supervisor's while the command runs. The holder of the lock who
//! finds the first line alone decides what becomes of the attempt, once: the supervisor by claiming it, a later driver by
//! abandoning it. So a request that was still under way when its driver died is either carried out and recorded, or never
//! carried out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lifeboat_action::ActionContext;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::end::{End, Refusal};
use crate::opening::{FileIdentity, Opening};
use crate::place::Place;
use crate::process::Process;

/// The file's name in the attempt's folder.
pub(crate) const FILE_NAME: &str = "supervision.jsonl";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// Driver, first line, before the attempt's start is recorded: nothing was asked of a supervisor yet.
    Opened(Opening),
    /// Supervisor, after `Opened`, before anything else: the command is about to be started.
    Claimed { supervisor: Process },
    /// Supervisor, after `Claimed`: the command runs.
    Started { process: Process, at: Timestamp },
    /// Supervisor, after `Claimed`: the command could not be started.
    NotStarted { refusal: Refusal, at: Timestamp },
    /// Supervisor, last line, synced to the disk when the driver is gone: the command has ended.
    Ended(End),
    /// A later driver, after `Opened`: nobody had claimed the attempt, and nobody may any more.
    Abandoned {
        /// How a claim may have been lost all the same. `None`: the attempt never began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doubt: Option<String>,
        by: Process,
        at: Timestamp,
    },
}

/// The file of one attempt.
#[derive(Debug)]
pub(crate) struct Trace {
    file: File,
}

/// What the file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    pub(crate) entries: Vec<Entry>,
    /// How many bytes these lines take.
    whole: u64,
    /// Something follows that is not a whole line of ours: the machine went down while it was written.
    pub(crate) torn: bool,
}

/// The place of one more look, with its trace opened.
pub(crate) fn place_of_look(context: &ActionContext) -> io::Result<Place> {
    let place = Place::of_look(context)?;
    open_for(&place)?;
    Ok(place)
}

/// Opens the trace of a command whose start is not recorded. One that an earlier driver opened, and died over before it
/// recorded anything, is opened anew. One that says more is left as it is: no supervisor will take it for this driver's.
pub(crate) fn open_for(place: &Place) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let new = options.read(true).append(true).create_new(true).mode(0o600).open(path(&place.folder));
    let trace = match new {
        Ok(file) => Trace { file },
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match unrecorded(place)? {
            Some(trace) => trace,
            None => return Ok(()),
        },
        Err(error) => return Err(error),
    };
    trace.append(&Entry::Opened(Opening::new(&place.command, &trace.file)?))
}

/// A trace that nothing was recorded after, emptied.
fn unrecorded(place: &Place) -> io::Result<Option<Trace>> {
    let Some(trace) = Trace::find(&place.folder)? else { return Ok(None) };
    if !trace.try_lock()? || place.shows_a_start() {
        return Ok(None);
    }
    let found = trace.entries()?;
    let unused = match found.entries.as_slice() {
        [] => true,
        [Entry::Opened(opening)] => opening.command == place.command && !found.torn,
        _ => false,
    };
    if !unused {
        return Ok(None);
    }
    trace.file.set_len(0)?;
    Ok(Some(trace))
}

impl Trace {
    /// The file, where it is there. It is not locked yet.
    pub(crate) fn find(folder: &Path) -> io::Result<Option<Self>> {
        Ok(open(folder, OpenOptions::new().read(true).append(true))?.map(|file| Self { file }))
    }

    /// Locks it. False: somebody else holds the lock.
    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits until the lock is free, until no supervisor is at work on the attempt, and locks it.
    pub(crate) fn lock(&self) -> io::Result<()> {
        self.file.lock()
    }

    /// Which file it is.
    pub(crate) fn identity(&self) -> io::Result<FileIdentity> {
        FileIdentity::of(&self.file)
    }

    /// All lines.
    pub(crate) fn entries(&self) -> io::Result<Entries> {
        (&self.file).rewind()?;
        Entries::read(&self.file)
    }

    /// Appends a line. Of one that finds no room nothing is left, or its part would be taken for what is left of a line
    /// that was whole.
    pub(crate) fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        (&self.file).write_all(&line).inspect_err(|_| drop(self.cut()))
    }

    /// Takes away what follows the last whole line.
    pub(crate) fn cut(&self) -> io::Result<()> {
        self.file.set_len(self.entries()?.whole)
    }

    /// Lets go of the lock: what becomes of the attempt is decided, and written.
    pub(crate) fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }
}

/// Makes what was appended survive a power loss.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(path(folder))?.sync_data()
}

/// Reads the file while somebody else may hold the lock. One that is not there says nothing.
pub(crate) fn peek(folder: &Path) -> io::Result<Entries> {
    let file = open(folder, OpenOptions::new().read(true))?;
    file.map_or_else(|| Ok(Entries::default()), |file| Entries::read(&file))
}

/// Opens the file, where it is there.
fn open(folder: &Path, options: &mut OpenOptions) -> io::Result<Option<File>> {
    // A pipe in its place must not hold up whoever opens it.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let path = path(folder);
    let file = match options.custom_flags(flags).open(&path) {
        Ok(file) => file,
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("{} is no regular file", path.display())));
    }
    Ok(Some(file))
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// Whether there is no such file, whatever its folder is by now.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

impl Entries {
    fn read(mut file: &File) -> io::Result<Self> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self::parse(&bytes))
    }

    fn parse(bytes: &[u8]) -> Self {
        let mut parsed = Self::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n").map(serde_json::from_slice) {
                Some(Ok(entry)) => {
                    parsed.entries.push(entry);
                    parsed.whole += line.len() as u64;
                }
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
            Entry::Opened(_)
            | Entry::Claimed { .. }
            | Entry::NotStarted { .. }
            | Entry::Ended(_)
            | Entry::Abandoned { .. } => None,
        })
    }

    /// The first line.
    pub(crate) fn opening(&self) -> Option<&Opening> {
        match self.entries.first() {
            Some(Entry::Opened(opening)) => Some(opening),
            _ => None,
        }
    }

    /// The boot on which the trace was opened.
    pub(crate) fn boot(&self) -> Option<&str> {
        self.opening().map(|opening| opening.boot.as_str())
    }
}

/// A trace, opened in a folder for some command.
#[cfg(test)]
pub(crate) fn opened(folder: &Path) -> Trace {
    use lifeboat_action::{Attempt, AttemptKey};
    let key = AttemptKey("run/step".to_owned());
    let command = crate::place::CommandName { key, attempt: Attempt::FIRST, look: 0 };
    open_for(&Place { folder: folder.to_owned(), command }).expect("a folder for a trace");
    Trace::find(folder).expect("a trace that can be opened").expect("a trace")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::Status;

    #[test]
    fn whatever_a_power_loss_leaves_of_the_last_line_is_torn() {
        let at = Timestamp::UNIX_EPOCH;
        let (status, survivors) = (Status::Code(0), Vec::new());
        let ended = Entry::Ended(End { status, stopped: false, survivors, printed: None, at });
        let folder = tempfile::tempdir().unwrap();
        let trace = opened(folder.path());
        let before = trace.entries().unwrap();
        trace.append(&ended).unwrap();
        let bytes = std::fs::read(path(folder.path())).unwrap();
        let whole = before.whole as usize;
        let entries = [before.entries.clone(), vec![ended]].concat();
        assert_eq!(trace.entries().unwrap(), Entries { entries, whole: bytes.len() as u64, torn: false });

        for length in whole..bytes.len() {
            let expected = |torn| Entries { entries: before.entries.clone(), torn, ..before };
            assert_eq!(Entries::parse(&bytes[..length]), expected(length > whole), "cut to {length} bytes");
            let mut zeroed = bytes.clone();
            zeroed[length..].fill(0);
            assert_eq!(Entries::parse(&zeroed), expected(true), "zeroed from {length}");
        }
        trace.file.set_len(bytes.len() as u64 - 1).unwrap();
        trace.cut().unwrap();
        assert_eq!(trace.entries().unwrap(), before);
    }

    #[test]
    fn one_at_a_time_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let held = opened(folder.path());
        assert!(held.try_lock().unwrap());
        let other = Trace::find(folder.path()).unwrap().unwrap();
        assert!(!other.try_lock().unwrap());
        drop(held);
        assert!(other.try_lock().unwrap());
    }

    #[test]
    fn only_a_trace_with_nothing_but_its_first_line_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let read = || std::fs::read(path(folder.path())).unwrap();
        drop(opened(folder.path()));
        let whole = read();
        for unused in [Vec::new(), whole[..whole.len() / 2].to_vec(), whole.clone()] {
            std::fs::write(path(folder.path()), unused).unwrap();
            drop(opened(folder.path()));
            assert_eq!(read(), whole);
        }
        let begun = [whole.as_slice(), b"{"].concat();
        std::fs::write(path(folder.path()), &begun).unwrap();
        drop(opened(folder.path()));
        assert_eq!(read(), begun);
        std::fs::write(path(folder.path()), "").unwrap();
        std::fs::write(folder.path().join("stdout"), "").unwrap();
        drop(opened(folder.path()));
        assert_eq!(read(), b"", "the command began once");
    }
}
