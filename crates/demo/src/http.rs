//! As much HTTP/1.1 as the demo's service needs: JSON bodies, one exchange a connection.
//!
//! By hand, so that the tour needs no server library that Lifeboat itself would not use.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// The most that is read of one message.
const MOST: u64 = 256 * 1024;
/// How long one read or write may take: a promotion answers within it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as the service sees it.
#[derive(Debug)]
pub(crate) struct Request {
    /// Method and path, such as `POST /promote`.
    pub(crate) target: String,
    /// What follows the `?`.
    query: String,
    /// The header `Idempotency-Key`.
    pub(crate) key: Option<String>,
    /// The body; null where there is none.
    pub(crate) body: Value,
}

impl Request {
    /// `target` is a method and a path, with or without a query.
    pub(crate) fn new(target: &str, key: Option<String>, body: Value) -> Self {
        let (target, query) = target.split_once('?').unwrap_or((target, ""));
        Self { target: target.to_owned(), query: query.to_owned(), key, body }
    }

    /// A number given in the query.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name)?.1.parse().ok()
    }
}

/// An answer: a status and a JSON body.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// A refusal, with why.
    pub(crate) fn refused(status: u16, why: &str) -> Self {
        Self { status, body: serde_json::json!({ "error": why }) }
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.status == 200
    }
}

/// Answers requests for as long as the process lives, each on a thread of its own.
pub(crate) fn serve(listener: TcpListener, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                // A client that went away is its own business; what it asked for has happened.
                drop(exchange(&stream, |request| answer(request)));
            });
        }
    });
}

fn exchange(stream: &TcpStream, answer: impl FnOnce(&Request) -> Reply) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.take(MOST));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.trim_end().rsplit_once(' ').map_or("", |(target, _version)| target);
    let head = Head::read(&mut reader)?;
    let body = head.body(&mut reader)?;
    let reply = answer(&Request::new(target, head.key, body));
    let body = reply.body.to_string();
    // Clients look at the number; one phrase does for all.
    write!(
        &mut &*stream,
        "HTTP/1.1 {} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        reply.status,
        body.len(),
    )
}

/// Sends a request and reads the answer. `target` is a method and a path.
pub(crate) fn call(to: SocketAddr, target: &str, body: &Value) -> io::Result<Reply> {
    let stream = TcpStream::connect_timeout(&to, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    write!(
        &mut &stream,
        "{target} HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len(),
    )?;
    let mut reader = BufReader::new((&stream).take(MOST));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no HTTP answer"))?;
    let body = Head::read(&mut reader)?.body(&mut reader)?;
    Ok(Reply { status, body })
}

/// The headers that matter here.
#[derive(Debug, Default)]
struct Head {
    length: usize,
    key: Option<String>,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let mut head = Self::default();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.split_once(':') else { return Ok(head) };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.trim().parse().map_err(io::Error::other)?,
                "idempotency-key" => head.key = Some(value.trim().to_owned()),
                _ => {}
            }
        }
    }

    fn body(&self, reader: &mut impl Read) -> io::Result<Value> {
        let mut bytes = Vec::new();
        reader.take(self.length as u64).read_to_end(&mut bytes)?;
        match bytes.is_empty() {
            true => Ok(Value::Null),
            false if bytes.len() < self.length => Err(io::ErrorKind::UnexpectedEof.into()),
            false => Ok(serde_json::from_slice(&bytes)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_sent_arrives_and_is_answered() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let to = listener.local_addr().unwrap();
        serve(listener, |request| {
            Reply::ok(json!([request.target, request.number("n"), request.body, request.key]))
        });
        let reply = call(to, "POST /rows?n=7", &json!({"row": 1})).unwrap();
        assert!(reply.is_ok());
        assert_eq!(reply.body, json!(["POST /rows", 7, {"row": 1}, null]));
    }

    #[test]
    fn a_closed_port_is_an_error() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let to = listener.local_addr().unwrap();
        drop(listener);
        assert!(call(to, "GET /health", &Value::Null).is_err());
    }
}
