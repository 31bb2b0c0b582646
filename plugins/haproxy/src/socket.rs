//! One command a connection: HAProxy closes after the answer. Everything is bounded, since a runtime socket may be
//! anything that listens there.

use std::time::Duration;

use lifeboat_action::{ActionContext, NetworkFault};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Room for the state of some ten thousand servers of one backend.
const LONGEST_ANSWER: usize = 4 << 20;

/// Where the runtime socket is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Address {
    /// The absolute path of a unix socket.
    Unix(String),
    /// `host:port`.
    Tcp(String),
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Unix(text));
        }
        let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        if port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port != 0)) {
            return Ok(Self::Tcp(text));
        }
        Err(format!("`{text}` is neither the absolute path of a socket nor host:port"))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unix(text) | Self::Tcp(text)) = self;
        f.write_str(text)
    }
}

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The command was not sent.
    #[error("cannot reach HAProxy's runtime socket at {address}: {why}")]
    NotSent { address: Address, why: String },
    /// The command was sent, or part of it: nobody knows whether it was carried out.
    #[error("HAProxy's runtime socket at {address} {why}")]
    Lost { address: Address, why: String },
}

/// Sends one command and gives the whole answer, which ends in a line feed. The command must not hold one.
pub(crate) async fn ask(
    context: &ActionContext,
    address: &Address,
    command: &str,
) -> Result<String, NoAnswer> {
    let not_sent = |why: String| NoAnswer::NotSent { address: address.clone(), why };
    let connection = tokio::select! {
        biased;
        () = context.cancelled() => return Err(not_sent("stopped before".to_owned())),
        connection = timeout(CONNECT_WITHIN, connect(address)) => connection,
    };
    let mut stream = match connection {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(not_sent(not_connected(address, &error))),
        Err(_) => return Err(not_sent(format!("no connection within {CONNECT_WITHIN:?}"))),
    };
    let answer = tokio::select! {
        () = context.cancelled() => Err("was not waited for: the call was stopped".to_owned()),
        answer = timeout(ANSWER_WITHIN, exchange(&mut stream, command)) => {
            answer.unwrap_or_else(|_| Err(format!("did not answer within {ANSWER_WITHIN:?}")))
        }
    };
    answer.map_err(|why| NoAnswer::Lost { address: address.clone(), why })
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn connect(address: &Address) -> std::io::Result<Box<dyn Stream>> {
    Ok(match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Address::Tcp(address) => Box::new(TcpStream::connect(address).await?),
    })
}

async fn exchange(stream: &mut Box<dyn Stream>, command: &str) -> Result<String, String> {
    let broke = |error: std::io::Error| match NetworkFault::of_io(&error) {
        NetworkFault::Ours => format!("was lost by this machine: {error}"),
        _ => format!("broke off: {error}"),
    };
    stream.write_all(format!("{command}\n").as_bytes()).await.map_err(broke)?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER as u64 + 1).read_to_end(&mut answer).await.map_err(broke)?;
    if answer.len() > LONGEST_ANSWER {
        return Err(format!("answered more than {} MiB", LONGEST_ANSWER >> 20));
    }
    if answer.last() != Some(&b'\n') {
        return Err("closed before the end of its answer".to_owned());
    }
    String::from_utf8(answer).map_err(|_| "answered something that is not text".to_owned())
}

/// Why there is no connection, in words that say what to look at.
fn not_connected(address: &Address, error: &std::io::Error) -> String {
    let fault = match address {
        Address::Unix(_) => NetworkFault::of_unix_connect(error),
        Address::Tcp(_) => NetworkFault::of_io(error),
    };
    match fault {
        NetworkFault::Ours if error.kind() == std::io::ErrorKind::PermissionDenied => {
            format!("this user may not connect: {error}")
        }
        NetworkFault::Ours => format!("this machine cannot connect: {error}"),
        NetworkFault::Refused if error.kind() == std::io::ErrorKind::NotFound => {
            "no such socket; is HAProxy running, and is the path right?".to_owned()
        }
        NetworkFault::Refused => "nothing listens there; is HAProxy running?".to_owned(),
        NetworkFault::Silent | NetworkFault::Closed | NetworkFault::Answered => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn trouble_of_our_own_machine_is_not_said_of_haproxy() {
        let [unix, tcp] =
            ["/run/haproxy/admin.sock", "lb-1:9999"].map(|text| Address::try_from(text.to_owned()).unwrap());
        for address in [&unix, &tcp] {
            let words = |kind: io::ErrorKind| not_connected(address, &kind.into());
            assert!(words(io::ErrorKind::OutOfMemory).starts_with("this machine cannot connect"));
            assert!(words(io::ErrorKind::PermissionDenied).starts_with("this user may not connect"));
            assert_eq!(words(io::ErrorKind::ConnectionRefused), "nothing listens there; is HAProxy running?");
        }
        assert!(not_connected(&unix, &io::ErrorKind::NotFound.into()).starts_with("no such socket"));
        assert!(not_connected(&tcp, &io::ErrorKind::NetworkUnreachable.into()).starts_with("this machine"));
    }

    #[test]
    fn an_address_is_a_path_or_host_and_port() {
        for good in ["/run/haproxy/admin.sock", "lb-1:9999", "127.0.0.1:9999", "[::1]:9999"] {
            assert_eq!(Address::try_from(good.to_owned()).unwrap().to_string(), good);
        }
        for bad in ["", "admin.sock", "lb-1", ":9999", "lb-1:0", "lb-1:http"] {
            assert!(Address::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
