//! What became of an attempt whose supervisor does not answer, from its trace alone.

use std::io;

use jiff::Timestamp;
use rustix::process::Pid;

use crate::end::{End, Refusal};
use crate::opening::Opening;
use crate::place::Place;
use crate::process::here;
use crate::trace::{Entries, Entry, Trace};
use crate::tree::Tree;

/// What is known.
#[derive(Debug, PartialEq)]
pub(crate) enum Settled {
    /// It ended, and how was recorded.
    Ended(End),
    /// The supervisor could not start it.
    NotStarted(Refusal),
    /// It never began, and never will: the words say what proves it.
    Never(String),
    /// Nobody can know by looking at the trace: the words say what is known.
    Lost(String),
}

impl Settled {
    /// The trace is gone.
    pub(crate) fn gone(place: &Place) -> Self {
        let folder = place.folder.display();
        Self::Lost(format!("its trace in {folder} is gone, so nothing tells whether it was started"))
    }
}

/// Settles an attempt that no supervisor is at work on: the caller holds its trace. One that nobody has claimed is
/// abandoned for good.
///
/// `began` is the boot id of the machine on which the attempt's start was recorded, where known.
pub(crate) fn settle(trace: &Trace, place: &Place, began: Option<&str>) -> io::Result<Settled> {
    let found = trace.entries()?;
    let Some(opening) = found.opening() else {
        let why = "its trace was emptied or made anew, so nothing tells whether it was started";
        return Ok(Settled::Lost(why.to_owned()));
    };
    if opening.command != place.command {
        return Ok(Settled::Lost(not_its_own(opening)));
    }
    Ok(match found.entries.as_slice() {
        [.., Entry::Ended(end)] => Settled::Ended(end.clone()),
        [.., Entry::NotStarted { refusal, .. }] => Settled::NotStarted(refusal.clone()),
        [.., Entry::Abandoned { doubt, .. }] => unclaimed(doubt.as_deref()),
        [Entry::Opened(opening)] => {
            let doubt = doubt(trace, opening, found.torn, place, began)?;
            trace.cut()?;
            // Without this line a request that is still under way could be carried out after we have answered.
            let (by, at) = (here()?.process, Timestamp::now());
            trace.append(&Entry::Abandoned { doubt: doubt.map(str::to_owned), by, at })?;
            unclaimed(doubt)
        }
        _ => lost(&found, place)?,
    })
}

fn not_its_own(opening: &Opening) -> String {
    let command = &opening.command;
    format!("the trace in its folder is that of attempt {} of {}", command.attempt, command.key)
}

/// How the claim of a command that nobody has claimed may have been lost. On one boot, everything that was ever written to
/// a file is there to be read, synced or not, while the file is the same, and its file system was not mounted anew.
fn doubt(
    trace: &Trace,
    opening: &Opening,
    torn: bool,
    place: &Place,
    began: Option<&str>,
) -> io::Result<Option<&'static str>> {
    let boot = here()?.boot.as_str();
    Ok(if began.is_none() {
        Some("it is not known whether the machine was restarted since")
    } else if began != Some(boot) || opening.boot != boot {
        Some("the machine was restarted since, or the run was moved to another one")
    } else if opening.file != trace.identity()? {
        Some("its trace is a copy, or its file system was mounted anew since")
    } else if torn {
        Some("the last line of its trace is cut off")
    } else if place.shows_a_start() {
        Some("there are files that are not made before a start")
    } else {
        None
    })
}

fn unclaimed(doubt: Option<&str>) -> Settled {
    match doubt {
        None => Settled::Never("no supervisor had taken it on, and none can any more".to_owned()),
        Some(because) => Settled::Lost(format!(
            "there is no trace that the command was started; {because}, so a trace may have been lost"
        )),
    }
}

fn lost(found: &Entries, place: &Place) -> io::Result<Settled> {
    if found.boot() != Some(here()?.boot.as_str()) {
        let why = "the machine was restarted, or the run was moved to another one, before the end of the command was \
                   recorded";
        return Ok(Settled::Lost(why.to_owned()));
    }
    let process = found.process();
    let leader = process.filter(|process| process.is_alive()).and_then(|process| Pid::from_raw(process.pid));
    let alive = Tree { leader, mark: place.command.mark() }.alive();
    let what = match (alive.as_slice(), process) {
        ([], Some(process)) => {
            format!("the command (process {}) has ended since, and nobody recorded how", process.pid)
        }
        ([], None) => "whether the command was started is not known; nothing of it is running now".to_owned(),
        ([one], _) => {
            format!("the command is still running as process {one}, and nobody will record how it ends")
        }
        (many, _) => {
            let many: Vec<_> = many.iter().map(ToString::to_string).collect();
            let many = many.join(", ");
            format!("the command is still running as processes {many}, and nobody will record how it ends")
        }
    };
    Ok(Settled::Lost(format!("no supervisor is at work on the command any more; {what}")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use lifeboat_action::{Attempt, AttemptKey};

    use super::*;
    use crate::place::CommandName;
    use crate::trace::{FILE_NAME, open_for};

    fn place(folder: &Path) -> Place {
        let key = AttemptKey("settle/none".to_owned());
        Place { folder: folder.to_owned(), command: CommandName { key, attempt: Attempt(9), look: 0 } }
    }

    /// What follows from a trace that was opened, after something happened to its folder.
    fn settled_after(began: Option<&str>, happens: impl FnOnce(&Path, &Trace)) -> Settled {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        open_for(&place).unwrap();
        happens(folder.path(), &Trace::find(folder.path()).unwrap().unwrap());
        let trace = Trace::find(folder.path()).unwrap().unwrap();
        let first = settle(&trace, &place, began).unwrap();
        assert_eq!(settle(&trace, &place, began).unwrap(), first, "looking again must tell the same");
        first
    }

    fn settled(entries: &[Entry], began: Option<&str>) -> Settled {
        settled_after(began, |_, trace| entries.iter().for_each(|entry| trace.append(entry).unwrap()))
    }

    fn boot() -> Option<&'static str> {
        Some(here().unwrap().boot.as_str())
    }

    #[test]
    fn only_an_opening_of_this_boot_is_proof() {
        assert!(matches!(settled(&[], boot()), Settled::Never(_)));
        assert!(matches!(settled(&[], Some("another boot")), Settled::Lost(_)));
        assert!(matches!(settled(&[], None), Settled::Lost(_)));
    }

    #[test]
    fn a_trace_that_is_not_as_it_was_opened_proves_nothing() {
        type Happens = fn(&Path);
        let happens: [(&str, Happens); 6] = [
            ("emptied", |folder| std::fs::write(folder.join(FILE_NAME), "").unwrap()),
            ("made anew", |folder| {
                std::fs::remove_file(folder.join(FILE_NAME)).unwrap();
                std::fs::write(folder.join(FILE_NAME), "").unwrap();
            }),
            ("copied", |folder| {
                std::fs::copy(folder.join(FILE_NAME), folder.join("copy")).unwrap();
                std::fs::rename(folder.join("copy"), folder.join(FILE_NAME)).unwrap();
            }),
            ("torn", |folder| {
                let trace = Trace::find(folder).unwrap().unwrap();
                let whole = std::fs::read(folder.join(FILE_NAME)).unwrap().len() as u64;
                trace.append(&Entry::Claimed { supervisor: here().unwrap().process }).unwrap();
                let file = std::fs::File::options().write(true).open(folder.join(FILE_NAME)).unwrap();
                file.set_len(whole + 5).unwrap();
            }),
            ("began", |folder| std::fs::write(folder.join("stdout"), "").unwrap()),
            ("another's", |folder| {
                std::fs::remove_file(folder.join(FILE_NAME)).unwrap();
                let mut other = place(folder);
                other.command.attempt = Attempt(8);
                open_for(&other).unwrap();
            }),
        ];
        for (what, happens) in happens {
            let settled = settled_after(boot(), |folder, _| happens(folder));
            assert!(matches!(settled, Settled::Lost(_)), "{what}: {settled:?}");
        }
    }

    #[test]
    fn a_proof_once_written_stays_one() {
        let by = here().unwrap().process;
        let abandoned = |doubt: Option<&str>| Entry::Abandoned {
            doubt: doubt.map(str::to_owned),
            by,
            at: Timestamp::UNIX_EPOCH,
        };
        assert!(matches!(settled(&[abandoned(None)], Some("another boot")), Settled::Never(_)));
        assert!(matches!(settled(&[abandoned(Some("it was copied"))], boot()), Settled::Lost(_)));
    }

    #[test]
    fn a_claim_without_an_end_is_in_doubt() {
        let claimed = Entry::Claimed { supervisor: here().unwrap().process };
        let Settled::Lost(why) = settled(&[claimed], boot()) else { panic!("not lost") };
        assert!(why.contains("whether the command was started is not known"), "{why}");
    }
}
