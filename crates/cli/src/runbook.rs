//! From a file to a plan, with all problems shown.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use lifeboat_action::Registry;
use lifeboat_display::diagnostics;
use lifeboat_model::{Plan, Problems, Source, check_source};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;

/// Reads the text of a runbook, or of a file of inputs, as `what` says. A file that is larger than such a text may be
/// is read no further than that shows.
pub(crate) fn read(what: &str, path: &Path) -> Result<Source, CliError> {
    let unreadable = |error| CliError::usage(format!("cannot read the {what} {}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let is_file = file.metadata().is_ok_and(|file| file.is_file());
    file.take(Source::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
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
pub(crate) fn pinned_path(plan: &Plan) -> Option<&Path> {
    let path = Path::new(&plan.source().name);
    // What such a name leads to is another file in every process.
    let is_stream = ["/dev/stdin", "/dev/fd", "/proc"].iter().any(|name| path.starts_with(name));
    (path.is_absolute() && !is_stream).then_some(path)
}

/// Reads and checks a runbook that is about to be run.
pub(crate) fn plan(context: &Context, path: &Path, registry: &Registry) -> Result<Plan, CliError> {
    let source = read("runbook", path)?;
    let shown = source.clone();
    check_source(source, registry).map_err(|problems| invalid(context, path, &shown, &problems))
}

fn invalid(context: &Context, path: &Path, source: &Source, problems: &Problems) -> CliError {
    let name = path.display().to_string();
    context.terminal.say(&diagnostics::rendered(&name, source, problems));
    let number = problems.len() + problems.omitted();
    CliError::new(Exit::Invalid, format!("{} in {name}; nothing was started", diagnostics::count(number)))
        .hint(format!("once it is mended, `{}` checks it", context.spelling.command(&["check", &name])))
}
