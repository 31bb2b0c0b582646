//! File systems that tests mount.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mount over a folder, for as long as the value lives. For root only.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(folder: &Path, words: &[&str]) -> Self {
        mount(words, folder);
        Self(folder.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Also with a process inside that is about to be killed.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

pub(crate) fn mount(words: &[&str], folder: &Path) {
    let status = Command::new("mount").args(words).arg(folder).status().unwrap();
    assert!(status.success(), "mount {words:?} {}", folder.display());
}
