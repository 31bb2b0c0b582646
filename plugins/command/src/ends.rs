//! Which ends are put on the disk, and when.
//!
//! A driver that was told of an end puts it into its own journal, and syncs that. Only if it dies first does the next
//! one depend on the trace, and only if the machine goes down as well on a trace that is on the disk. So an end is kept
//! for a while, and synced when the driver turns out to be gone: a command costs no sync of its own.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::trace::Trace;

/// How long a driver that lives may take to put an end into its journal.
const DRIVER_TAKES: Duration = Duration::from_secs(5);

/// So many ends are kept; each is an open file.
const KEPT: usize = 64;

/// The newest ends.
#[derive(Debug, Default)]
pub(crate) struct Ends(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    traces: VecDeque<(Instant, Trace)>,
    driver_is_gone: bool,
}

impl Ends {
    /// Takes a trace that holds an end of which the driver was told.
    pub(crate) fn keep(&self, trace: Trace) {
        let mut kept = self.kept();
        let now = Instant::now();
        while kept.traces.front().is_some_and(|(since, _)| now.duration_since(*since) > DRIVER_TAKES) {
            drop(kept.traces.pop_front());
        }
        let surplus = if kept.driver_is_gone {
            Some(trace)
        } else {
            kept.traces.push_back((now, trace));
            if kept.traces.len() > KEPT { kept.traces.pop_front().map(|(_, oldest)| oldest) } else { None }
        };
        drop(kept);
        surplus.iter().for_each(sync);
    }

    /// Puts on the disk what the driver may not have put into its journal, and from now on every end at once.
    pub(crate) fn driver_is_gone(&self) {
        let mut kept = self.kept();
        kept.driver_is_gone = true;
        let traces = std::mem::take(&mut kept.traces);
        drop(kept);
        traces.iter().for_each(|(_, trace)| sync(trace));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is nobody to tell of a failure; a machine that goes down now leaves the attempt in doubt, as it may.
fn sync(trace: &Trace) {
    drop(trace.sync());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_files_are_kept_open_than_said() {
        let folder = tempfile::tempdir().unwrap();
        let trace = |number: usize| {
            let folder = folder.path().join(number.to_string());
            std::fs::create_dir(&folder).unwrap();
            Trace::try_lock(&folder).unwrap().unwrap()
        };
        let ends = Ends::default();
        (0..2 * KEPT).for_each(|number| ends.keep(trace(number)));
        assert_eq!(ends.kept().traces.len(), KEPT);
        ends.driver_is_gone();
        ends.keep(trace(2 * KEPT));
        assert!(ends.kept().traces.is_empty());
    }
}
