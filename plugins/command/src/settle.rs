//! What became of an attempt whose supervisor does not answer, from its trace alone.

use std::io;

use jiff::Timestamp;
use rustix::process::Pid;

use crate::end::{End, Refusal};
use crate::place::Mark;
use crate::process::{Process, boot_id};
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

/// Settles an attempt that no supervisor is at work on: the caller holds its trace. One that nobody has claimed is
/// abandoned for good.
///
/// `began` is the boot id of the machine on which the attempt's start was decided, where known.
pub(crate) fn settle(trace: &Trace, mark: Mark, began: Option<&str>) -> io::Result<Settled> {
    let boot = boot_id()?;
    let found = trace.entries()?;
    Ok(match found.entries.last() {
        Some(Entry::Ended(end)) => Settled::Ended(end.clone()),
        Some(Entry::NotStarted { refusal, .. }) => Settled::NotStarted(refusal.clone()),
        Some(Entry::Claimed { .. } | Entry::Started { .. }) => lost(&found, mark, &boot),
        Some(Entry::Abandoned { proven, .. }) => unclaimed(*proven, began),
        None => {
            // Without this line a request that is still under way could be carried out after we have answered.
            let proven = began == Some(boot.as_str());
            trace.append(&Entry::Abandoned { proven, by: Process::current()?, at: Timestamp::now() })?;
            unclaimed(proven, began)
        }
    })
}

/// On the boot on which the attempt began, everything that was ever written is still there to be read, synced or not.
/// So the absence of a claim is proof. After a restart or on another machine it is not.
fn unclaimed(proven: bool, began: Option<&str>) -> Settled {
    if proven {
        return Settled::Never("no supervisor had taken it on, and none can any more".to_owned());
    }
    let because = match began {
        Some(_) => "the machine was restarted since, or the run was moved to another one",
        None => "it is not known whether the machine was restarted since, or files of the run were lost",
    };
    Settled::Lost(format!(
        "there is no trace that the command was started; {because}, so a trace may have been lost"
    ))
}

fn lost(found: &Entries, mark: Mark, boot: &str) -> Settled {
    if found.boot() != Some(boot) {
        let why = "the machine was restarted, or the run was moved to another one, before the end of the command was \
                   recorded";
        return Settled::Lost(why.to_owned());
    }
    let process = found.process();
    let leader = process.filter(|process| process.is_alive()).and_then(|process| Pid::from_raw(process.pid));
    let alive = Tree { leader, mark }.alive();
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
    Settled::Lost(format!("no supervisor is at work on the command any more; {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        ["LIFEBOAT_KEY=settle/none", "LIFEBOAT_ATTEMPT=0", "LIFEBOAT_LOOK=0"].map(str::to_owned)
    }

    fn settled(entries: &[Entry], began: Option<&str>) -> Settled {
        let folder = tempfile::tempdir().unwrap();
        let trace = Trace::lock(folder.path()).unwrap();
        entries.iter().for_each(|entry| trace.append(entry).unwrap());
        let first = settle(&trace, mark(), began).unwrap();
        assert_eq!(settle(&trace, mark(), began).unwrap(), first, "looking again must tell the same");
        assert!(!trace.is_unclaimed().unwrap(), "a late supervisor must find it taken");
        first
    }

    #[test]
    fn absence_is_proof_on_the_same_boot_only() {
        let here = boot_id().unwrap();
        assert!(matches!(settled(&[], Some(&here)), Settled::Never(_)));
        assert!(matches!(settled(&[], Some("another boot")), Settled::Lost(_)));
        assert!(matches!(settled(&[], None), Settled::Lost(_)));
    }

    #[test]
    fn a_proof_once_written_stays_one() {
        let by = Process::current().unwrap();
        let abandoned = |proven| Entry::Abandoned { proven, by, at: Timestamp::UNIX_EPOCH };
        assert!(matches!(settled(&[abandoned(true)], Some("another boot")), Settled::Never(_)));
        assert!(matches!(settled(&[abandoned(false)], Some("another boot")), Settled::Lost(_)));
    }

    #[test]
    fn a_claim_of_another_boot_is_in_doubt() {
        let supervisor = Process::current().unwrap();
        let claimed = |boot: &str| Entry::Claimed { boot: boot.to_owned(), supervisor };
        let Settled::Lost(why) = settled(&[claimed("another boot")], None) else { panic!("not lost") };
        assert!(why.contains("restarted"), "{why}");
        let Settled::Lost(why) = settled(&[claimed(&boot_id().unwrap())], None) else { panic!("not lost") };
        assert!(why.contains("whether the command was started is not known"), "{why}");
    }
}
