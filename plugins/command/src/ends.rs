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

use crate::trace::Trace;

/// How long a driver that lives may take to put an end into its journal.
const DRIVER_TAKES: Duration = Duration::from_secs(5);

/// So many ends are kept; each is an open file, its trace. What was printed is opened when it is synced.
const KEPT: usize = 64;

/// The record of an end.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) trace: Trace,
    /// The files that hold what the command printed.
    pub(crate) printed: Vec<PathBuf>,
}

impl Recorded {
    /// Makes it survive a power loss, or leaves the attempt in doubt after one.
    fn sync(&self) -> io::Result<()> {
        self.printed.iter().try_for_each(|file| File::open(file)?.sync_data())?;
        self.trace.sync()
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

    #[test]
    fn no_more_files_are_kept_open_than_said() {
        let folder = tempfile::tempdir().unwrap();
        let recorded = |number: usize| {
            let folder = folder.path().join(number.to_string());
            std::fs::create_dir(&folder).unwrap();
            Recorded { trace: Trace::try_lock(&folder).unwrap().unwrap(), printed: Vec::new() }
        };
        let ends = Ends::default();
        (0..2 * KEPT).for_each(|number| ends.keep(recorded(number)));
        assert_eq!(ends.kept().newest.len(), KEPT);
        ends.driver_is_gone();
        ends.keep(recorded(2 * KEPT));
        assert!(ends.kept().newest.is_empty());
    }

    #[test]
    fn an_end_is_not_put_on_the_disk_without_what_was_printed() {
        let folder = tempfile::tempdir().unwrap();
        let trace = Trace::try_lock(folder.path()).unwrap().unwrap();
        let recorded = Recorded { trace, printed: vec![folder.path().join("stdout")] };
        assert!(recorded.sync().is_err());
        std::fs::write(folder.path().join("stdout"), "db-b").unwrap();
        assert!(recorded.sync().is_ok());
    }
}
