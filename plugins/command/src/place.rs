//! Where the files of a command are, and what tells its processes from all others.

use std::io;
use std::path::PathBuf;

use lifeboat_action::{ActionContext, Attempt, AttemptKey, CallInfo};
use serde::{Deserialize, Serialize};

use crate::output::{STDERR, STDOUT};

/// The variable that tells the looks of an attempt from each other, and from the command itself.
pub(crate) const LOOK: &str = "LIFEBOAT_LOOK";

/// The file in the attempt's folder that says that the command is being stopped by a driver, not by its supervisor.
pub(crate) const STOPPING: &str = "stopping";

/// Entries of a process's environment that, together, only the processes of one command have.
pub(crate) type Mark = [String; 3];

/// What no two commands have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommandName {
    pub(crate) key: AttemptKey,
    pub(crate) attempt: Attempt,
    /// Which look; 0 for the command that the attempt is about. Always in the environment, so that nothing is
    /// inherited from a lifeboat which runs this one.
    pub(crate) look: u32,
}

/// One command of an attempt: the one that it is about, or one that only looks.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) command: CommandName,
}

impl CommandName {
    fn new(attempt: &CallInfo, look: u32) -> Self {
        Self { key: attempt.key.clone(), attempt: attempt.attempt, look }
    }

    pub(crate) fn mark(&self) -> Mark {
        let Self { key, attempt, look } = self;
        [format!("LIFEBOAT_KEY={key}"), format!("LIFEBOAT_ATTEMPT={attempt}"), format!("{LOOK}={look}")]
    }
}

impl Place {
    /// Of the command that the attempt is about. Nothing is made there.
    pub(crate) fn of_command(attempt: &CallInfo) -> Self {
        Self { folder: attempt.folder.clone(), command: CommandName::new(attempt, 0) }
    }

    /// Of one more look: an attempt may look several times, and while its command runs.
    pub(crate) fn of_look(context: &ActionContext) -> io::Result<Self> {
        let parent = context.create_folder()?;
        for look in 1.. {
            let folder = parent.join(format!("look-{look}"));
            match std::fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(Self { folder, command: CommandName::new(context.info(), look) }),
            }
        }
        unreachable!("bug: there is always a next number")
    }

    /// Whether files are there that are not made before the command is started.
    pub(crate) fn shows_a_start(&self) -> bool {
        [STDOUT, STDERR, STOPPING].iter().any(|name| self.folder.join(name).symlink_metadata().is_ok())
    }
}
