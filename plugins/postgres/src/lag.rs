//! How much a promotion would lose, as far as that can be known.
//!
//! Two measures, and the first wins. Where the end of the old primary's log was read after it had stopped taking
//! writes, the bytes that the standby has *received* are compared with it (what it has received it will replay). Where
//! the old primary could not be asked any more, only an upper bound is left: nothing older than what the standby
//! certainly holds can be missing, so the loss spans at most the time from then until the old primary was gone. That
//! bound counts quiet time as lag: a primary that had nothing to commit for an hour looks an hour behind.

use std::time::Duration;

use jiff::Timestamp;

use crate::look::Standby;
use crate::lsn::Lsn;

/// What is missing on a standby.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    /// Bytes of log written by the primary and not received. `None`: the primary could not be asked.
    pub(crate) bytes: Option<u64>,
    /// Commits older than this many seconds before `at` are certainly there. `None`: nothing is known.
    pub(crate) at_most: Option<Duration>,
    /// Whether replay is paused: commits that were received since are not counted in `at_most`.
    pub(crate) paused: bool,
}

impl Lag {
    /// The lag of a standby as of the moment `at`, given the end of the primary's log where it is known.
    pub(crate) fn measure(standby: &Standby, primary_end: Option<Lsn>, at: Timestamp) -> Self {
        let bytes = primary_end.map(|end| standby.received.bytes_to(end));
        let span = standby
            .complete_until()
            .map(|until| Duration::try_from(at.duration_since(until)).unwrap_or_default());
        let at_most = if bytes == Some(0) { Some(Duration::ZERO) } else { span };
        Self { bytes, at_most, paused: standby.paused }
    }

    /// Whether anything is known about it.
    pub(crate) fn is_known(&self) -> bool {
        self.at_most.is_some()
    }

    /// Why this lag is too much, if it is. What is not known is too much.
    pub(crate) fn exceeds(&self, bound: Duration) -> Option<String> {
        let how_to = if self.paused {
            "; replay is paused: resume it, so that what was received counts"
        } else {
            "; set `max_lag` to what may be lost"
        };
        match (self.at_most, self.bytes) {
            (Some(at_most), _) if at_most <= bound => None,
            (Some(at_most), Some(bytes)) => Some(format!(
                "{bytes} bytes of the old primary's log have not arrived, up to {at_most:.1?} of commits, and \
                 `max_lag` is {bound:?}{how_to}"
            )),
            (Some(at_most), None) => Some(format!(
                "the old primary's last position is not known, and up to {at_most:.1?} of commits may be missing \
                 (the newest it certainly holds is that old), and `max_lag` is {bound:?}{how_to}"
            )),
            (None, _) => Some(format!(
                "nothing shows how far behind it is: it has replayed no commit since it started, and `max_lag` is \
                 {bound:?}"
            )),
        }
    }

    /// In words, for evidence.
    pub(crate) fn words(&self) -> String {
        match (self.bytes, self.at_most) {
            (Some(0), _) => "nothing is missing".to_owned(),
            (Some(bytes), Some(at_most)) => format!("{bytes} bytes behind, at most {at_most:.1?}"),
            (Some(bytes), None) => format!("{bytes} bytes behind"),
            (None, Some(at_most)) => format!("at most {at_most:.1?} behind"),
            (None, None) => "lag unknown".to_owned(),
        }
    }

    /// The time bound as an output: seconds.
    pub(crate) fn seconds(&self) -> Option<f64> {
        self.at_most.map(|at_most| at_most.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::look::{Receiver, Upstream};

    const BOUND: Duration = Duration::from_secs(10);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn standby(received: &str, last_commit: Option<i64>) -> Standby {
        let received = received.parse().unwrap();
        Standby {
            received,
            replayed: received,
            paused: false,
            last_commit: last_commit.map(at),
            upstream: Upstream::Nobody,
        }
    }

    fn attached(standby: &Standby, latest_end: &str, sent_at: i64) -> Standby {
        let from = Address { host: "db-a".to_owned(), port: 5432 };
        let receiver = Receiver {
            from,
            latest_end: latest_end.parse().ok(),
            sent_at: Some(at(sent_at)),
            heard_at: Some(at(sent_at)),
            grew_at: None,
        };
        Standby { upstream: Upstream::Known(receiver), ..standby.clone() }
    }

    #[test]
    fn a_known_end_that_has_arrived_is_no_lag_however_old_the_last_commit_is() {
        let lag = Lag::measure(&standby("0/200", Some(0)), "0/200".parse().ok(), at(3600));
        assert_eq!(lag, Lag { bytes: Some(0), at_most: Some(Duration::ZERO), paused: false });
        assert_eq!(lag.exceeds(Duration::ZERO), None);
    }

    #[test]
    fn missing_bytes_are_bounded_by_the_newest_commit() {
        let lag = Lag::measure(&standby("0/100", Some(97)), "0/180".parse().ok(), at(100));
        assert_eq!(lag, Lag { bytes: Some(0x80), at_most: Some(Duration::from_secs(3)), paused: false });
        assert_eq!(lag.exceeds(BOUND), None);
        assert!(lag.exceeds(Duration::from_secs(2)).unwrap().contains("128 bytes"));
    }

    #[test]
    fn without_the_end_the_age_of_the_newest_commit_counts() {
        let lag = Lag::measure(&standby("0/100", Some(80)), None, at(100));
        assert_eq!(lag, Lag { bytes: None, at_most: Some(Duration::from_secs(20)), paused: false });
        assert!(lag.exceeds(BOUND).unwrap().contains("not known"));
    }

    #[test]
    fn word_that_there_was_nothing_more_counts_like_a_commit() {
        let quiet = attached(&standby("0/100", Some(0)), "0/100", 99);
        assert_eq!(Lag::measure(&quiet, None, at(100)).at_most, Some(Duration::from_secs(1)));
        let behind = attached(&standby("0/100", Some(0)), "0/101", 99);
        assert_eq!(Lag::measure(&behind, None, at(100)).at_most, Some(Duration::from_secs(100)));
    }

    #[test]
    fn what_cannot_be_known_is_not_taken_for_little() {
        let lag = Lag::measure(&standby("0/100", None), None, at(100));
        assert_eq!(lag, Lag::default());
        assert!(lag.exceeds(Duration::MAX).is_some());
    }

    #[test]
    fn a_clock_that_runs_behind_gives_no_negative_lag() {
        let lag = Lag::measure(&standby("0/100", Some(105)), None, at(100));
        assert_eq!(lag.at_most, Some(Duration::ZERO));
    }
}
