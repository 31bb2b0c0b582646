//! Why no session with a server could be had. The kinds are kept apart because they prove different things.

use std::io;
use std::time::Duration;

use lifeboat_action::Failure;

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
    /// Nothing can be said about it: its name does not resolve, or our own settings are wrong.
    #[error("cannot be looked at: {0}")]
    NotTried(String),
    /// The step was cancelled.
    #[error("was not looked at: the step was cancelled")]
    Cancelled,
}

impl Unreached {
    /// Whether this is what a server that is down looks like from outside.
    pub(crate) fn looks_down(&self) -> bool {
        match self {
            Self::Refused | Self::Unreachable(_) | Self::Silent(_) | Self::Closed => true,
            Self::NotReady(_) | Self::Rejected(_) | Self::NotTried(_) | Self::Cancelled => false,
        }
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
            Self::NotTried(_) | Self::Cancelled => "not_tried",
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
            io::ErrorKind::ConnectionRefused => Self::Refused,
            _ => Self::Unreachable(error.to_string()),
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
        if error.is_closed() || io_kind(error).is_some_and(is_hang_up) {
            return Self::Closed;
        }
        Self::Rejected(words(error))
    }
}

fn io_kind(error: &tokio_postgres::Error) -> Option<io::ErrorKind> {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        cause = inner.source();
    }
    None
}

fn is_hang_up(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_port_is_told_from_a_silent_host() {
        assert_eq!(Unreached::from_connect(&io::ErrorKind::ConnectionRefused.into()), Unreached::Refused);
        for kind in
            [io::ErrorKind::TimedOut, io::ErrorKind::HostUnreachable, io::ErrorKind::NetworkUnreachable]
        {
            assert!(matches!(Unreached::from_connect(&kind.into()), Unreached::Unreachable(_)), "{kind}");
        }
    }

    #[test]
    fn a_server_that_answers_is_never_down() {
        let up = [Unreached::NotReady(String::new()), Unreached::Rejected(String::new())];
        assert!(up.iter().all(|reach| reach.answered() && !reach.looks_down()));
        let untried = [Unreached::NotTried(String::new()), Unreached::Cancelled];
        assert!(untried.iter().all(|reach| !reach.answered() && !reach.looks_down()));
        let silent = Unreached::Silent(Duration::from_secs(1));
        assert!(silent.looks_down() && !silent.answered());
    }
}
