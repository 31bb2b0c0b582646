//! The files that runbooks, and inputs, are read from.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use lifeboat_model::{Plan, Source};

/// Reads the text of a runbook, or of a file of inputs. A file that is larger than such a text may be is read no further
/// than that shows.
///
/// # Errors
/// When there is nothing to read there.
pub fn read(path: &Path) -> io::Result<Source> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    let is_file = file.metadata().is_ok_and(|file| file.is_file());
    file.take(Source::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let name = if is_file { pinned_name(path) } else { PIPE.to_owned() };
    Ok(Source::from_bytes(name, bytes))
}

/// What a runbook is called that came through a pipe: its text is pinned, but there is no file to find again.
const PIPE: &str = "(a pipe)";

/// The name by which a run finds its file again, wherever it is resumed: the whole path.
fn pinned_name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    absolute.to_string_lossy().into_owned()
}

/// The file that a plan was made from; none if it came through a pipe.
pub fn pinned_path(plan: &Plan) -> Option<&Path> {
    let path = Path::new(&plan.source().name);
    // What such a name leads to is another file in every process.
    let is_stream = ["/dev/stdin", "/dev/fd", "/proc"].iter().any(|name| path.starts_with(name));
    (path.is_absolute() && !is_stream).then_some(path)
}
