//! A server's answer to a promotion that never arrives as it was given: a relay that lets everything through, and
//! spoils the answer to `pg_promote`.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// What becomes of the answer. The promotion itself has been carried out by then.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spoil {
    /// The client is told that the statement was cancelled.
    Error,
    /// The connection breaks.
    Cut,
}

/// Starts a relay to the port and returns its own. It ends with the test's process.
pub(crate) fn start(server: u16, spoil: Spoil) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || relay(&client, server, spoil));
        }
    });
    port
}

fn relay(client: &TcpStream, server: u16, spoil: Spoil) {
    let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else { return };
    thread::scope(|scope| {
        let (sender, promoting) = std::sync::mpsc::channel();
        scope.spawn({
            let (mut from, mut to) = (client, &upstream);
            move || {
                pump(&mut from, |bytes| {
                    if bytes.windows(10).any(|window| window == b"pg_promote") {
                        sender.send(()).ok();
                    }
                    to.write_all(bytes).is_ok()
                });
                upstream_closed(to);
            }
        });
        let (mut from, mut to) = (&upstream, client);
        pump(&mut from, |bytes| match (promoting.try_recv(), spoil) {
            (Err(_), _) => to.write_all(bytes).is_ok(),
            (Ok(()), Spoil::Error) => to.write_all(&cancelled()).is_ok(),
            (Ok(()), Spoil::Cut) => false,
        });
        upstream_closed(&upstream);
        upstream_closed(client);
    });
}

fn upstream_closed(stream: &TcpStream) {
    // It may be closed already.
    stream.shutdown(Shutdown::Both).ok();
}

fn pump(from: &mut &TcpStream, mut pass: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !pass(&buffer[..length]) {
            return;
        }
    }
}

/// The server's error for a statement over its time limit, and that it is ready for the next.
fn cancelled() -> Vec<u8> {
    let fields = b"SERROR\0VERROR\0C57014\0Mcanceling statement due to statement timeout\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E".as_slice(), &length.to_be_bytes(), fields, b"Z\0\0\0\x05I"].concat()
}
