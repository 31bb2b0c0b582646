//! The service's own record of its effects: what the tour's proofs count.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// An append-only file, one line an effect.
#[derive(Debug)]
pub(super) struct Audit {
    file: File,
}

impl Audit {
    /// Opens `audit.log` in the folder.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(folder.join("audit.log"))?;
        Ok(Self { file })
    }

    /// Writes an effect down, whole, in one write.
    pub(super) fn write(&self, effect: &str) -> io::Result<()> {
        (&self.file).write_all(format!("{effect}\n").as_bytes())
    }
}
