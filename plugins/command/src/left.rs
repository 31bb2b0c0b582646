//! What an attempt's command left for a person who has to decide about it: the end of what it printed.

use std::path::{Path, PathBuf};

use lifeboat_action::Masker;

use crate::end::Printed;
use crate::output::{Captured, STDERR, STDOUT};
use crate::trace::{self, Entry};

/// The end of what a command printed to one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The file that holds all of it, as it was printed.
    pub path: PathBuf,
    /// The last lines, masked. `None` while a secret may be in them that is not known here, or is another by now.
    pub text: Option<String>,
}

/// The ends of what the command of an attempt printed, in the attempt's folder; nothing of a stream that is empty.
/// Without a masker, nothing is shown but where it is.
pub fn tails(folder: &Path, masker: Option<&Masker>) -> Vec<Tail> {
    let none = Masker::default();
    let streams: Vec<_> = [STDOUT, STDERR]
        .into_iter()
        .filter_map(|name| {
            let captured = Captured::read(folder, name, None, masker.unwrap_or(&none)).ok()?;
            Some((folder.join(name), captured.tail()?.to_owned(), captured.secrets))
        })
        .collect();
    let found: usize = streams.iter().map(|(_, _, secrets)| secrets).sum();
    // The supervisor counted them with the secrets of that time.
    let is_known = masker.is_some() && recorded(folder).is_none_or(|printed| printed.secrets <= found);
    let tail = |(path, text, _)| Tail { path, text: is_known.then_some(text) };
    streams.into_iter().map(tail).collect()
}

fn recorded(folder: &Path) -> Option<Printed> {
    trace::peek(folder).ok()?.entries.into_iter().rev().find_map(|entry| match entry {
        Entry::Ended(end) => end.printed,
        Entry::Opened(_)
        | Entry::Claimed { .. }
        | Entry::Started { .. }
        | Entry::NotStarted { .. }
        | Entry::Abandoned { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::end::{End, Status};
    use crate::trace::opened;

    #[test]
    fn the_last_lines_are_given_while_every_secret_in_them_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        std::fs::write(here.join(STDOUT), "one\npassword hunter2\n").unwrap();
        std::fs::write(here.join(STDERR), "").unwrap();
        let (then, now) = (Masker::new(["hunter2".to_owned()]), Masker::new(["hunter3".to_owned()]));
        let path = here.join(STDOUT);
        let shown = |text: Option<&str>| vec![Tail { path: path.clone(), text: text.map(str::to_owned) }];
        assert_eq!(tails(here, Some(&then)), shown(Some("one\npassword ‹secret›")));
        assert_eq!(tails(here, None), shown(None));

        let printed = Some(Printed::measure(here, &then).unwrap());
        let (status, survivors, at) = (Status::Code(0), Vec::new(), Timestamp::UNIX_EPOCH);
        let end = End { status, stopped: false, survivors, printed, at };
        opened(here).append(&Entry::Ended(end)).unwrap();
        assert_eq!(tails(here, Some(&then)), shown(Some("one\npassword ‹secret›")));
        assert_eq!(tails(here, Some(&now)), shown(None));
        assert_eq!(tails(&here.join("nowhere"), Some(&now)), []);
    }
}
