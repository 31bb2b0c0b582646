//! Network errors: each says something about our side, or about the other.
//!
//! A plug-in that looks at another machine concludes something from a failure: a refused port means that no server
//! listens there. A failure of Lifeboat's own machine looks much the same and says nothing about the other side. This
//! is the one table that tells the two apart; every plug-in that speaks over a network asks it.

use std::error::Error;
use std::io;

/// The cause of a failed exchange with another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFault {
    /// The failure is on our side: no file descriptor or memory left, no route, no permission, no name server. The
    /// other side was not looked at. An error that is not known counts as ours.
    Ours,
    /// The other machine answered that nothing listens there.
    Refused,
    /// No answer came.
    Silent,
    /// The other side closed the connection before it answered.
    Closed,
    /// The other side answered, with an error of its protocol or with something that is no answer.
    Answered,
}

impl NetworkFault {
    /// The cause that an error's chain of sources names, of the system or of a stream. `None`: it names none.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        innermost(error).map(Self::of_io)
    }

    /// The cause that an error of a TCP connection names.
    pub fn of_io(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::ConnectionRefused => Self::Refused,
            // A dead host of the same network is reported as unreachable: it does not say where it is.
            Kind::TimedOut | Kind::HostUnreachable => Self::Silent,
            Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::NotConnected
            | Kind::UnexpectedEof => Self::Closed,
            // Readers of protocols use these two. The system says `InvalidInput` too, of a route that swallows packets.
            Kind::InvalidData | Kind::InvalidInput if error.raw_os_error().is_none() => Self::Answered,
            _ => Self::Ours,
        }
    }

    /// The cause of a failed connect to a unix socket: its path may not exist, and its queue may be full.
    pub fn of_unix_connect(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Refused,
            io::ErrorKind::WouldBlock => Self::Silent,
            // A path that is too long for a socket.
            io::ErrorKind::InvalidInput => Self::Ours,
            _ => Self::of_io(error),
        }
    }
}

/// The innermost `io::Error` of a chain. One that wraps another error gives that error as its inner one, not as its
/// source.
fn innermost<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e io::Error> {
    let io = error.downcast_ref::<io::Error>();
    let cause = match io.and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn Error + 'static)),
        None => error.source(),
    };
    cause.and_then(innermost).or(io)
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    fn system(errno: Errno) -> io::Error {
        io::Error::from_raw_os_error(errno.raw_os_error())
    }

    #[test]
    fn trouble_of_our_own_machine_says_nothing_about_the_other_side() {
        for errno in [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::NOBUFS,
            Errno::NETUNREACH,
            Errno::NETDOWN,
            Errno::ADDRNOTAVAIL,
            Errno::ADDRINUSE,
            Errno::AFNOSUPPORT,
            Errno::ACCESS,
            Errno::PERM,
            Errno::INVAL,
            Errno::AGAIN,
            Errno::IO,
        ] {
            assert_eq!(NetworkFault::of_io(&system(errno)), NetworkFault::Ours, "{errno:?}");
        }
        let unknown = io::Error::other("failed to lookup address information");
        assert_eq!(NetworkFault::of_io(&unknown), NetworkFault::Ours);
    }

    #[test]
    fn what_the_other_side_does_is_told_apart() {
        for (errno, shown) in [
            (Errno::CONNREFUSED, NetworkFault::Refused),
            (Errno::TIMEDOUT, NetworkFault::Silent),
            (Errno::HOSTUNREACH, NetworkFault::Silent),
            (Errno::CONNRESET, NetworkFault::Closed),
            (Errno::CONNABORTED, NetworkFault::Closed),
            (Errno::PIPE, NetworkFault::Closed),
        ] {
            assert_eq!(NetworkFault::of_io(&system(errno)), shown, "{errno:?}");
        }
        assert_eq!(NetworkFault::of_io(&io::ErrorKind::UnexpectedEof.into()), NetworkFault::Closed);
        let alert = io::Error::new(io::ErrorKind::InvalidData, "a TLS alert");
        assert_eq!(NetworkFault::of_io(&alert), NetworkFault::Answered);
    }

    #[test]
    fn a_unix_socket_that_is_missing_or_full_is_about_the_other_side() {
        assert_eq!(NetworkFault::of_unix_connect(&system(Errno::NOENT)), NetworkFault::Refused);
        assert_eq!(NetworkFault::of_unix_connect(&system(Errno::AGAIN)), NetworkFault::Silent);
        assert_eq!(NetworkFault::of_unix_connect(&system(Errno::MFILE)), NetworkFault::Ours);
        assert_eq!(NetworkFault::of_unix_connect(&system(Errno::ACCESS)), NetworkFault::Ours);
    }

    #[test]
    fn the_innermost_error_counts_however_it_is_wrapped() {
        #[derive(Debug, thiserror::Error)]
        #[error("the request failed")]
        struct Outer(#[source] io::Error);

        let wrapped = io::Error::other(io::Error::other(system(Errno::MFILE)));
        assert_eq!(NetworkFault::of(&wrapped), Some(NetworkFault::Ours));
        let refused = Outer(io::Error::new(io::ErrorKind::TimedOut, Outer(system(Errno::CONNREFUSED))));
        assert_eq!(NetworkFault::of(&refused), Some(NetworkFault::Refused));
        assert_eq!(NetworkFault::of(&std::fmt::Error), None);
    }
}
