//! The first line of a trace: whose attempt it is, who opened the trace, and where.
//!
//! A trace with this line alone may prove that the command never began. A copy of the file proves nothing, nor does a file
//! on a volume that was mounted anew: what was written last may be missing there. So the line names its own file.

use std::fs::File;
use std::io;

use rustix::fs::{AtFlags, Statx, StatxFlags, statx};
use serde::{Deserialize, Serialize};

use crate::place::CommandName;
use crate::process::{Here, Process, here};

/// Who opened a trace, for which command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opening {
    pub(crate) command: CommandName,
    /// The boot id of the machine.
    pub(crate) boot: String,
    /// Whoever asks for the command's start.
    pub(crate) driver: Process,
    /// The file that this line stands in.
    pub(crate) file: FileIdentity,
}

/// What tells a file from its copies, and from itself once its volume was mounted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileIdentity {
    /// Never used again while the machine is up; kernels before 6.8 use the numbers of mounts again.
    mount: u64,
    /// Major and minor number.
    device: (u32, u32),
    inode: u64,
    /// Seconds and nanoseconds, where the file system keeps it: numbers of inodes are used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    born: Option<(i64, u32)>,
}

/// `STATX_MNT_ID_UNIQUE`, which rustix has no name for.
const UNIQUE_MOUNT: StatxFlags = StatxFlags::from_bits_retain(0x4000);

impl Opening {
    /// By this process.
    pub(crate) fn new(command: &CommandName, file: &File) -> io::Result<Self> {
        let Here { boot, process } = here()?;
        let (command, boot, file) = (command.clone(), boot.clone(), FileIdentity::of(file)?);
        Ok(Self { command, boot, driver: *process, file })
    }
}

impl FileIdentity {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let wanted = StatxFlags::INO | StatxFlags::BTIME | StatxFlags::MNT_ID | UNIQUE_MOUNT;
        let found: Statx = statx(file, "", AtFlags::EMPTY_PATH, wanted)?;
        let born = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::BTIME);
        Ok(Self {
            mount: found.stx_mnt_id,
            device: (found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            born: born.then_some((found.stx_btime.tv_sec, found.stx_btime.tv_nsec)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_its_copy_and_from_one_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let first = File::create(&path).unwrap();
        let identity = FileIdentity::of(&first).unwrap();
        assert_eq!(FileIdentity::of(&File::open(&path).unwrap()).unwrap(), identity);
        std::fs::copy(&path, folder.path().join("copy")).unwrap();
        std::fs::rename(folder.path().join("copy"), &path).unwrap();
        assert_ne!(FileIdentity::of(&File::open(&path).unwrap()).unwrap(), identity);
    }
}
