//! A claimed run: its journal, and what is kept beside it.

use std::path::PathBuf;
use std::sync::Arc;

use lifeboat_engine::store::{Draft, Journal, StoreError};
use lifeboat_model::{Epoch, Header, Record, Seq};

use crate::appender::Appender;
use crate::checkpoint::Keeper;
use crate::folder::RunFolder;
use crate::header;
use crate::lock::RunLock;

/// The journal of a claimed run. The order of the fields is the order in which they are given up: the lock last.
#[derive(Debug)]
pub(crate) struct FileJournal {
    pub(crate) appender: Appender,
    pub(crate) keeper: Keeper,
    pub(crate) header: Header,
    pub(crate) folder: RunFolder,
    pub(crate) notes: Vec<String>,
    pub(crate) _lock: RunLock,
}

impl Journal for FileJournal {
    fn append(
        &mut self,
        expected: Seq,
        epoch: Epoch,
        drafts: Vec<Draft>,
    ) -> Result<Arc<[Record]>, StoreError> {
        let records = self.appender.append(expected, epoch, drafts)?;
        self.keeper.take(&records, self.appender.hash());
        self.follow(&records);
        Ok(records)
    }

    fn steps_folder(&self) -> PathBuf {
        self.folder.steps()
    }

    fn take_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.keeper.take_notes());
        notes
    }
}

impl FileJournal {
    /// Keeps the header up to date. It is advisory: when it cannot be written, the run goes on.
    fn follow(&mut self, records: &[Record]) {
        let changes = records.iter().filter(|record| header::follow(&mut self.header, record)).count();
        if changes > 0 {
            self.write_header();
        }
    }

    pub(crate) fn write_header(&mut self) {
        if let Err(error) = header::write(&self.folder, &self.header) {
            self.notes.push(format!("cannot write {}: {error}", self.folder.header().display()));
        }
    }
}
