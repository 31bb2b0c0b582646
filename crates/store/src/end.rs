//! The end of a journal, so that a list of runs notices a damaged one without reading the journals.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use lifeboat_model::{Header, Phase};

use crate::folder::RunFolder;
use crate::header;
use crate::line::{self, Line};

/// So much of it is read. The record of how a run ended, or was stopped, is short and near the end.
const LONGEST: u64 = 64 * 1024;

/// What a person should know about the end of the journal of a run that nobody drives and whose driver had let go of it.
/// A torn last line is no damage by itself: a crash may have torn an operator's word.
pub(crate) fn warning(folder: &RunFolder, header: &Header) -> Option<String> {
    if header.state == Phase::Running {
        return None;
    }
    let (bytes, whole) = end_of(folder).ok()?;
    let updated = header.updated.to_string();
    let is_its_record =
        |bytes: &&[u8]| line::claimed_moment(bytes) == Some(updated.as_str()) && Line::read(bytes).is_ok();
    let lines = || bytes.strip_suffix(b"\n").unwrap_or(&bytes).rsplit(|byte| *byte == b'\n');
    let is_torn = lines().next().is_some_and(|last| Line::read(last).is_err());
    // Of a run that was stopped, many words of operators may follow.
    let should_be_here = whole || is_torn || matches!(header.state, Phase::Finished(_));
    (should_be_here && !lines().any(|line| is_its_record(&line))).then(|| {
        format!(
            "the journal does not end as the header says, with the run {}: its end was damaged or cut off",
            header::in_words(header.state)
        )
    })
}

/// The end of a journal, and whether that is all of it.
fn end_of(folder: &RunFolder) -> io::Result<(Vec<u8>, bool)> {
    let file = File::open(folder.journal())?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LONGEST);
    let mut bytes = vec![0; usize::try_from(length - start).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, start)?;
    Ok((bytes, start == 0))
}
