//! A server for a handful of requests, one a connection, that can be as odd as a test wants.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What to do once a request has come in whole.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Send this and close.
    Text(String),
    /// Close without a word.
    Close,
    /// Send this and keep the connection open.
    Stall(String),
    /// A body without an end.
    Endless,
}

/// A request as it came in.
#[derive(Debug)]
pub(crate) struct Received {
    /// `GET /path HTTP/1.1`.
    pub(crate) line: String,
    /// The headers' lines, in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
}

/// An answer with that status and body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Text(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    ))
}

impl Server {
    /// Answers every request by its path.
    pub(crate) async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let reply = Arc::new(reply);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&reply), sender.clone()));
            }
        });
        Self { address, received }
    }

    /// Answers every request with this.
    pub(crate) async fn answering(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request that came in.
    pub(crate) async fn received(&mut self) -> Received {
        self.received.recv().await.unwrap()
    }
}

async fn serve(
    stream: TcpStream,
    reply: Arc<impl Fn(&str) -> Reply>,
    sender: mpsc::UnboundedSender<Received>,
) {
    let mut stream = BufReader::new(stream);
    let received = read(&mut stream).await;
    let reply = reply(received.line.split(' ').nth(1).unwrap());
    sender.send(received).ok();
    match reply {
        Reply::Text(text) => drop(stream.write_all(text.as_bytes()).await),
        Reply::Close => {}
        Reply::Stall(text) => {
            stream.write_all(text.as_bytes()).await.ok();
            // Until the client gives up.
            stream.read_to_end(&mut Vec::new()).await.ok();
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok();
            while stream.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Received {
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.remove(0);
    let headers: Vec<_> = lines.iter().map(|line| line.to_lowercase()).collect();
    if let Some(given) = headers.iter().find_map(|header| header.strip_prefix("content-length: ")) {
        length = given.parse().unwrap();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    Received { line, headers, body: String::from_utf8(body).unwrap() }
}
