//! Why no session with a server could be had. The kinds are kept apart because they prove different things.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lifeboat_action::{Failure, NetworkFault};

use crate::sqlstate::{says_not_ready, words};

/// How a server could not be reached.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Unreached {
    /// Its address is refused: the machine answers, and nothing listens there.
    #[error("refuses connections: nothing listens there")]
    Refused,
    /// No answer from its address at all.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It accepts connections and never answers: a frozen server, or a proxy with nothing behind it.
    #[error("accepts connections and does not answer within {0:?}")]
    Silent(Duration),
    /// The connection was accepted and closed without an answer: a proxy with nothing behind it, or a server going
    /// down.
    #[error("accepts connections and closes them without an answer")]
    Closed,
    /// It answers that it is not serving: it is up.
    #[error("answers, but is not serving: {0}")]
    NotReady(String),
    /// It answers and refuses us: it is up.
    #[error("answers, but refuses us: {0}")]
    Rejected(String),
    /// Nothing can be said about it: its name does not resolve, our own settings are wrong, or this machine lacks
    /// something, such as a file descriptor.
    #[error("cannot be looked at: {0}")]
    NotTried(String),
    /// Nothing can be said about it: this machine has no way to its address.
    #[error("cannot be looked at from here: {0}")]
    NoRoute(String),
    /// The step was cancelled.
    #[error("was not looked at: the step was cancelled")]
    Cancelled,
}

impl Unreached {
    /// Whether this is what a server that is down looks like from outside.
    pub(crate) fn looks_down(&self) -> bool {
        match self {
            Self::Refused | Self::Unreachable(_) | Self::Silent(_) | Self::Closed => true,
            Self::NotReady(_)
            | Self::Rejected(_)
            | Self::NotTried(_)
            | Self::NoRoute(_)
            | Self::Cancelled => false,
        }
    }

    /// Whether the failure is on our side, so that nothing was seen of the server.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::NotTried(_) | Self::NoRoute(_) | Self::Cancelled)
    }

    /// Whether somebody answered, so that the server is certainly up.
    pub(crate) fn answered(&self) -> bool {
        matches!(self, Self::NotReady(_) | Self::Rejected(_))
    }

    /// The kind as an output: one word.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::Silent(_) => "silent",
            Self::Closed => "closed",
            Self::NotReady(_) => "not_ready",
            Self::Rejected(_) => "rejected",
            Self::NotTried(_) | Self::NoRoute(_) | Self::Cancelled => "not_tried",
        }
    }

    /// The failure of a step that needed the server and changed nothing.
    pub(crate) fn into_failure(self, server: &dyn std::fmt::Display) -> Failure {
        let message = format!("{server} {self}");
        match self {
            Self::Rejected(_) => Failure::permanent(message),
            _ => Failure::transient(message),
        }
    }

    /// What a failed TCP connect says.
    pub(crate) fn from_connect(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => {
                Self::NoRoute(error.to_string())
            }
            _ => Self::from_fault(NetworkFault::of_io(error), error.to_string()),
        }
    }

    /// What a failed login over an open TCP connection says.
    pub(crate) fn from_login(error: &tokio_postgres::Error) -> Self {
        if let Some(code) = error.code() {
            return if says_not_ready(code) {
                Self::NotReady(words(error))
            } else {
                Self::Rejected(words(error))
            };
        }
        if error.is_closed() {
            return Self::Closed;
        }
        // An error without a cause of the network is the protocol's: the server has answered.
        Self::from_fault(NetworkFault::of(error).unwrap_or(NetworkFault::Answered), words(error))
    }

    /// What a fault of the network says of the server.
    pub(crate) fn from_fault(fault: NetworkFault, words: String) -> Self {
        match fault {
            NetworkFault::Ours => Self::NotTried(words),
            NetworkFault::Refused => Self::Refused,
            NetworkFault::Silent => Self::Unreachable(words),
            NetworkFault::Closed => Self::Closed,
            NetworkFault::Answered => Self::Rejected(words),
        }
    }

    /// What failed looks at all addresses of one name say together: the weakest of them counts.
    ///
    /// A family of addresses to which this machine has no way at all, as IPv6 is to many, is left out where another
    /// family was looked at.
    pub(crate) fn of_all(failed: &[(SocketAddr, Self)]) -> Option<Self> {
        let no_way_by = |v6: bool| {
            failed
                .iter()
                .filter(|(address, _)| address.is_ipv6() == v6)
                .all(|(_, how)| matches!(how, Self::NoRoute(_)))
        };
        let no_way = [no_way_by(false), no_way_by(true)];
        let all_left_out = no_way == [true, true];
        let counts = |address: &SocketAddr| all_left_out || !no_way[usize::from(address.is_ipv6())];
        let ways: Vec<_> = failed.iter().filter(|(address, _)| counts(address)).map(|(_, how)| how).collect();
        let weakest =
            ways.iter().find(|how| how.is_ours()).or_else(|| ways.iter().find(|how| ***how != Self::Refused));
        weakest.or(ways.last()).map(|how| (*how).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_port_is_told_from_a_silent_host() {
        assert_eq!(Unreached::from_connect(&io::ErrorKind::ConnectionRefused.into()), Unreached::Refused);
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::HostUnreachable] {
            assert!(matches!(Unreached::from_connect(&kind.into()), Unreached::Unreachable(_)), "{kind}");
        }
    }

    #[test]
    fn trouble_of_our_own_machine_is_no_server_that_is_down() {
        for kind in [
            io::ErrorKind::NetworkUnreachable,
            io::ErrorKind::AddrNotAvailable,
            io::ErrorKind::OutOfMemory,
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::Other,
        ] {
            let reach = Unreached::from_connect(&kind.into());
            assert!(reach.is_ours() && !reach.looks_down() && !reach.answered(), "{kind}: {reach}");
            assert_eq!(reach.kind(), "not_tried");
        }
    }

    #[test]
    fn one_address_that_could_not_be_looked_at_leaves_the_whole_name_unknown() {
        let [v4, other, v6] =
            ["10.0.0.1:1", "10.0.0.2:1", "[2001:db8::1]:1"].map(|text| text.parse().unwrap());
        let no_way = || Unreached::NoRoute("network is unreachable".to_owned());
        let no_files = || Unreached::NotTried("too many open files".to_owned());
        let silent = || Unreached::Silent(Duration::from_secs(1));
        let of_all = |failed: &[(SocketAddr, Unreached)]| Unreached::of_all(failed).unwrap();
        assert_eq!(of_all(&[(v4, Unreached::Refused), (other, no_way())]), no_way());
        assert_eq!(of_all(&[(v6, no_files()), (v4, Unreached::Refused)]), no_files());
        assert_eq!(of_all(&[(v6, no_way()), (v4, no_way())]), no_way());
        assert_eq!(of_all(&[(v6, no_way()), (v4, Unreached::Refused)]), Unreached::Refused, "no IPv6 here");
        assert_eq!(of_all(&[(v4, silent()), (other, Unreached::Refused)]), silent());
        assert_eq!(Unreached::of_all(&[]), None);
    }

    #[test]
    fn a_server_that_answers_is_never_down() {
        let up = [Unreached::NotReady(String::new()), Unreached::Rejected(String::new())];
        assert!(up.iter().all(|reach| reach.answered() && !reach.looks_down()));
        assert!(!Unreached::Cancelled.answered() && !Unreached::Cancelled.looks_down());
        let silent = Unreached::Silent(Duration::from_secs(1));
        assert!(silent.looks_down() && !silent.answered());
    }
}
