//! The last line of a journal, so that a list of runs notices a damaged end without reading the journals.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use lifeboat_engine::store::{Header, LastKnown};

use crate::folder::RunFolder;
use crate::header;
use crate::line::Line;

/// A longer last line is not looked at: it tells of a step, not of the end of a run.
const LONGEST: u64 = 64 * 1024;

/// What a person should know about the end of the journal of a run that nobody drives and whose driver had let go of it.
pub(crate) fn warning(folder: &RunFolder, header: &Header) -> Option<String> {
    let line = last_line(folder).ok()??;
    let fits = match (Line::read(&line), header.state) {
        // A crash may tear the last line.
        (_, LastKnown::Running) | (Ok(_), LastKnown::Stopped(_)) => true,
        (Ok(line), LastKnown::Finished(_)) => line.at == header.updated.to_string(),
        (Err(_), LastKnown::Stopped(_) | LastKnown::Finished(_)) => false,
    };
    (!fits).then(|| {
        format!(
            "the journal does not end as the header says, with the run {}: its end was damaged or cut off",
            header::in_words(header.state)
        )
    })
}

/// The last line without its line break, also one that lacks it; `None` when it is too long.
fn last_line(folder: &RunFolder) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(folder.journal())?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LONGEST);
    let mut bytes = vec![0; usize::try_from(length - start).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, start)?;
    // A line that does not end has an empty one behind its place, and is bad either way.
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let before = text.iter().rposition(|byte| *byte == b'\n');
    Ok(match before {
        Some(at) => Some(text[at + 1..].to_vec()),
        None => (start == 0).then(|| text.to_vec()),
    })
}
