//! Which ends are put on the disk, and when.
//!
//! A driver that was told of an end puts it into its own journal, and syncs that. Only if it dies first does the next
//! one depend on the trace, and only if the machine goes down as well on a trace that is on the disk. So an end is kept
//! for a while, and synced when the driver turns out to be gone: a command costs no sync of its own.
//!
//! What the command printed goes to the disk before its end does, or a power loss could leave a proven success beside
//! an empty file.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::end::Printed;
use crate::trace;

/// How long a driver that lives may take to put an end into its journal.
const DRIVER_TAKES: Duration = Duration::from_secs(5);

/// So many ends are kept, some two megabytes: what is quicker than that costs a sync each.
const KEPT: usize = 8192;

/// More of them are put on the disk with everything else that waits for it: that takes one call.
const FEW: usize = 64;

/// An end that was recorded. No file of it is kept open.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The attempt's folder.
    pub(crate) folder: PathBuf,
    /// What the command printed, as far as it is known.
    pub(crate) printed: Option<Printed>,
}

impl Recorded {
    /// Makes it survive a power loss, or leaves the attempt in doubt after one.
    fn sync(&self) -> io::Result<()> {
        let printed = self.printed.map(|printed| printed.files(&self.folder)).unwrap_or_default();
        printed.iter().try_for_each(|file| File::open(file)?.sync_data())?;
        trace::sync(&self.folder)
    }

    /// The same for all, and whatever else waits to be written to the same file system.
    fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(&self.folder)?)?)
    }
}

/// The newest ends.
#[derive(Debug, Default)]
pub(crate) struct Ends(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    newest: VecDeque<(Instant, Recorded)>,
    driver_is_gone: bool,
}

impl Ends {
    /// Takes an end of which the driver was told.
    pub(crate) fn keep(&self, recorded: Recorded) {
        let mut kept = self.kept();
        let now = Instant::now();
        while kept.newest.front().is_some_and(|(since, _)| now.duration_since(*since) > DRIVER_TAKES) {
            drop(kept.newest.pop_front());
        }
        let surplus = if kept.driver_is_gone {
            Some(recorded)
        } else {
            kept.newest.push_back((now, recorded));
            if kept.newest.len() > KEPT { kept.newest.pop_front().map(|(_, oldest)| oldest) } else { None }
        };
        drop(kept);
        surplus.iter().for_each(sync);
    }

    /// Puts on the disk what the driver may not have put into its journal, and from now on every end at once.
    pub(crate) fn driver_is_gone(&self) {
        let mut kept = self.kept();
        kept.driver_is_gone = true;
        let newest = std::mem::take(&mut kept.newest);
        drop(kept);
        if newest.len() > FEW && newest.front().is_some_and(|(_, recorded)| recorded.sync_all().is_ok()) {
            return;
        }
        newest.iter().for_each(|(_, recorded)| sync(recorded));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is nobody to tell of a failure; a machine that goes down now leaves the attempt in doubt, as it may.
fn sync(recorded: &Recorded) {
    drop(recorded.sync());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::opened;

    #[test]
    fn no_more_ends_are_kept_than_said() {
        let folder = tempfile::tempdir().unwrap();
        drop(opened(folder.path()));
        let recorded = || Recorded { folder: folder.path().to_owned(), printed: None };
        let ends = Ends::default();
        (0..KEPT + 10).for_each(|_| ends.keep(recorded()));
        assert_eq!(ends.kept().newest.len(), KEPT);
        ends.driver_is_gone();
        ends.keep(recorded());
        assert!(ends.kept().newest.is_empty());
    }

    #[test]
    fn an_end_is_not_put_on_the_disk_without_what_was_printed() {
        let folder = tempfile::tempdir().unwrap();
        drop(opened(folder.path()));
        let printed = Some(Printed { stdout: 4, stderr: 0, secrets: 0 });
        let recorded = Recorded { folder: folder.path().to_owned(), printed };
        assert!(recorded.sync().is_err());
        std::fs::write(folder.path().join("stdout"), "db-b").unwrap();
        assert!(recorded.sync().is_ok());
    }
}
