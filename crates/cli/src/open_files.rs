//! How many files this process may have open.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as it may be: a wide block has as many connections and outputs open as it has steps. Gives
/// the limit that this process was started with, which its commands get, however often it is called.
pub(crate) fn raise() -> Option<u64> {
    static GIVEN: OnceLock<Option<u64>> = OnceLock::new();
    *GIVEN.get_or_init(|| {
        let given = getrlimit(Resource::Nofile);
        // Should it be refused, what finds no room fails, and may be tried again.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: given.maximum, maximum: given.maximum });
        given.current
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_stays_known_when_it_was_raised() {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let given = maximum.map_or(512, |most| most.min(512) - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(given), maximum }).expect("it is lower");
        assert_eq!((raise(), raise()), (Some(given), Some(given)));
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }
}
