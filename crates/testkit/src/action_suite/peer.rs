//! Who is at the other end: nobody, somebody who says nothing, or somebody who does not speak the action's language.

use std::cell::RefCell;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// An address where connections are refused. It is held, so that nobody else can come to listen there.
#[derive(Debug)]
pub(super) struct Nobody(TcpSocket);

impl Nobody {
    pub(super) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        Self(socket)
    }

    /// `host:port`.
    pub(super) fn address(&self) -> String {
        self.0.local_addr().expect("bound").to_string()
    }
}

/// Accepts connections.
#[derive(Debug)]
pub(super) struct Listener {
    listener: TcpListener,
    /// Kept open.
    connections: RefCell<Vec<TcpStream>>,
}

/// How a listener behaves when it is talked to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Manner {
    /// Closes the connection without a word.
    HangsUp,
    /// Reads something and sends it back, with a word of its own; then closes.
    Echoes,
}

impl Listener {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self { listener, connections: RefCell::default() }
    }

    /// `host:port`.
    pub(super) fn address(&self) -> String {
        self.listener.local_addr().expect("bound").to_string()
    }

    /// Waits for a connection, and keeps it open without a word.
    pub(super) async fn called(&self) {
        let (stream, _) = self.listener.accept().await.expect("a connection");
        self.connections.borrow_mut().push(stream);
    }

    /// Whether somebody has connected who was not waited for.
    pub(super) async fn was_called(&self) -> bool {
        tokio::select! {
            biased;
            () = self.called() => true,
            // By then the runtime has looked at the socket.
            () = turns() => false,
        }
    }

    /// Answers every connection until `call` is over.
    pub(super) async fn answering<T>(&self, manner: Manner, call: impl Future<Output = T>) -> T {
        tokio::select! {
            answer = call => answer,
            never = self.answer(manner) => never,
        }
    }

    async fn answer<T>(&self, manner: Manner) -> T {
        loop {
            let (mut stream, _) = self.listener.accept().await.expect("a connection");
            if let Manner::Echoes = manner {
                let mut heard = vec![0; 4096];
                let length = stream.read(&mut heard).await.unwrap_or_default();
                let nonsense = [b"what is ", &heard[..length], b"?\n"].concat();
                // Whoever has left has seen enough.
                drop(stream.write_all(&nonsense).await);
            }
        }
    }
}

/// Lets the runtime do what is due.
pub(super) async fn turns() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
