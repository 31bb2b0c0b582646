//! Where the files of a command are, and what tells its processes from all others.

use std::io;
use std::path::PathBuf;

use lifeboat_action::ActionContext;

/// The variable that tells the looks of an attempt from each other, and from the command itself.
pub(crate) const LOOK: &str = "LIFEBOAT_LOOK";

/// Entries of a process's environment that, together, only the processes of one command have.
pub(crate) type Mark = [String; 3];

/// One command of an attempt: the one that it is about, or one that only looks.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// Which look; 0 for the command that the attempt is about. Always in the environment, so that nothing is
    /// inherited from a lifeboat which runs this one.
    pub(crate) look: u32,
    pub(crate) mark: Mark,
}

impl Place {
    /// Of the command that the attempt is about.
    pub(crate) fn of_command(context: &ActionContext) -> io::Result<Self> {
        Ok(Self::new(context, context.create_folder()?.to_owned(), 0))
    }

    /// Of one more look: an attempt may look several times, and while its command runs.
    pub(crate) fn of_look(context: &ActionContext) -> io::Result<Self> {
        let parent = context.create_folder()?;
        for look in 1.. {
            let folder = parent.join(format!("look-{look}"));
            match std::fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created.map(|()| Self::new(context, folder, look)),
            }
        }
        unreachable!("bug: there is always a next number")
    }

    fn new(context: &ActionContext, folder: PathBuf, look: u32) -> Self {
        let info = context.info();
        let key = format!("LIFEBOAT_KEY={}", info.key);
        let mark = [key, format!("LIFEBOAT_ATTEMPT={}", info.attempt), format!("{LOOK}={look}")];
        Self { folder, look, mark }
    }
}
