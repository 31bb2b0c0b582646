//! Where things lie in a run's folder, and how files and folders are made so that they survive a power cut.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic;
use std::path::{Path, PathBuf};
use std::thread;

/// The folder of one run.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    pub(crate) fn header(&self) -> PathBuf {
        self.path.join("header.json")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    pub(crate) fn steps(&self) -> PathBuf {
        self.path.join("steps")
    }

    /// Makes the folder of the steps anew if it is gone. What is to be noted about it.
    pub(crate) fn create_lost_steps(&self) -> io::Result<Option<String>> {
        let steps = self.steps();
        if steps.is_dir() {
            return Ok(None);
        }
        create_folder(&steps)?;
        Ok(Some("its folder `steps` is gone: what its commands left there is not known any more".to_owned()))
    }

    /// Makes the folder's own name, and the names in it, survive a power cut. Both syncs go at the same time, since a
    /// journalling file system answers them with one commit.
    pub(crate) fn sync(&self) -> io::Result<()> {
        thread::scope(|scope| {
            let own_name = scope.spawn(|| self.path.parent().map_or(Ok(()), sync_folder));
            let names_inside = sync_folder(&self.path);
            own_name.join().unwrap_or_else(|panic| panic::resume_unwind(panic)).and(names_inside)
        })
    }
}

/// Options for a file that only its owner may read.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes a folder that only its owner may enter; it must not exist.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Makes the folder that holds the runs, so that its name survives a power cut. Every run in it is created after that:
/// where there is one, there is nothing left to do.
pub(crate) fn create_durably(path: &Path) -> io::Result<()> {
    if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // Any of the folders above may be new, made just now or by a process that died before it came here. One that
    // cannot be opened is not ours.
    let mut above = path.ancestors().skip(1);
    above.next().map_or(Ok(()), sync_folder)?;
    above.take_while(|folder| sync_folder(folder).is_ok()).for_each(drop);
    Ok(())
}

/// Makes the names in a folder survive a power cut.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to)
        } else {
            fs::copy(entry.path(), to).map(drop)
        }?;
    }
    Ok(())
}
