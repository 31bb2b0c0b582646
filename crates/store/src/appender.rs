//! The writing end of a journal: encode a batch, write it once, sync it once.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use lifeboat_engine::store::{Draft, StoreError};
use lifeboat_model::{Epoch, Record, Seq};

use crate::line::{self, LineHash};
use crate::problem;
use crate::text::Tip;

/// How much memory is kept from one batch to the next: the first one holds the plan, which may be megabytes.
const BUFFER_KEPT: usize = 64 * 1024;

/// Appends to one journal. There is one appender to a journal (the lock sees to that) and it takes `&mut self`, so
/// there is one writer; what is ready at the same time shares a sync by being in one batch.
#[derive(Debug)]
pub(crate) struct Appender {
    file: File,
    path: PathBuf,
    /// How many bytes are whole and synced.
    length: u64,
    tip: Tip,
    epoch: Epoch,
    buffer: Vec<u8>,
    failed: bool,
}

impl Appender {
    /// An appender to a journal that ends at `tip`, `length` bytes from its beginning. The file is open for appending.
    pub(crate) fn new(file: File, path: PathBuf, length: u64, tip: Tip, epoch: Epoch) -> Self {
        Self { file, path, length, tip, epoch, buffer: Vec::new(), failed: false }
    }

    /// The hash of the newest record.
    pub(crate) fn hash(&self) -> LineHash {
        self.tip.hash
    }

    pub(crate) fn append(
        &mut self,
        expected: Seq,
        epoch: Epoch,
        drafts: Vec<Draft>,
    ) -> Result<Arc<[Record]>, StoreError> {
        if self.failed {
            return Err(problem::io("append to", &self.path)(io::Error::other(
                "an earlier append failed; what is on disk is unknown until the run is resumed",
            )));
        }
        if expected != self.tip.seq.next() || epoch != self.epoch {
            let (found_seq, found_epoch) = (self.tip.seq, self.tip.epoch);
            return Err(StoreError::Conflict { expected, epoch, found_seq, found_epoch });
        }
        let number = |(offset, Draft { at, body })| Record { seq: Seq(expected.0 + offset), epoch, at, body };
        let records: Arc<[Record]> = (0..).zip(drafts).map(number).collect();
        self.encode(&records)
            .and_then(|tip| self.write_durably().map(|()| tip))
            .map(|tip| self.tip = tip)
            .map_err(problem::io("append to", &self.path))?;
        Ok(records)
    }

    fn encode(&mut self, records: &[Record]) -> io::Result<Tip> {
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_KEPT);
        let batch = self.tip.seq.next();
        records.iter().try_fold(self.tip, |tip, record| {
            let hash = line::write(&mut self.buffer, record, batch, &tip.hash)?;
            Ok(Tip { seq: record.seq, epoch: record.epoch, hash })
        })
    }

    /// After a failed sync the kernel may take pages for clean that never reached the disk, so a sync is never tried
    /// again: what was not answered for is taken back, and the next append is somebody else's who read the file anew.
    fn write_durably(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let result = self.file.write_all(&self.buffer).and_then(|()| self.file.sync_data());
        match &result {
            Ok(()) => self.length += self.buffer.len() as u64,
            Err(_) => {
                self.failed = true;
                if let Err(error) = self.file.set_len(self.length) {
                    tracing::warn!(path = %self.path.display(), %error, "cannot take back what was not synced");
                }
            }
        }
        result
    }
}
