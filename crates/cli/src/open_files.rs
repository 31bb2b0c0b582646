//! How many files this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as it may be: a wide block has as many connections and outputs open as it has steps. Gives
/// the limit that this process was started with, which its commands get.
pub(crate) fn raise() -> Option<u64> {
    let given = getrlimit(Resource::Nofile);
    // Should it be refused, what finds no room fails, and may be tried again.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: given.maximum, maximum: given.maximum });
    given.current
}
