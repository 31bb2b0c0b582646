//! The working folder of a run: relative paths in its steps mean what they meant when it was started, from wherever it is
//! resumed. It is a value of the run, and not the folder of the process: runs in different folders go on side by side.

use std::io;
use std::path::{Path, PathBuf};

use lifeboat_model::RunState;
use rustix::fs::{Access, access};

/// The folder in which a run was started is none that it could go on in.
#[derive(Debug, thiserror::Error)]
#[error("the run was started in {}, which cannot be entered: {error}", .folder.display())]
pub struct FolderGone {
    /// The folder.
    pub folder: PathBuf,
    /// Why it cannot be entered.
    pub error: io::Error,
    /// The run was started on another machine.
    pub moved: bool,
}

/// The folder that a run was started in. A run whose folder had a name that is no text does not know it.
pub(crate) fn started_in(state: &RunState) -> Option<&Path> {
    state.created().folder.as_deref().map(Path::new)
}

/// Whether commands can be run in a folder.
pub(crate) fn check_enterable(folder: &Path) -> io::Result<()> {
    Ok(access(folder.join("."), Access::EXEC_OK)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::check_enterable;

    #[test]
    fn only_folders_can_be_entered() {
        assert!(check_enterable(Path::new("/")).is_ok());
        let of = |path| check_enterable(Path::new(path)).map_err(|error| error.kind());
        assert_eq!(of("/dev/null"), Err(std::io::ErrorKind::NotADirectory));
        assert_eq!(of("/there/is/none"), Err(std::io::ErrorKind::NotFound));
    }
}
