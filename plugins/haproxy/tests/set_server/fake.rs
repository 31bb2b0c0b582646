//! A runtime socket that answers whatever a test wants.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;

/// What to do with one command.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answer this and close.
    Text(String),
    /// Keep the connection and never answer.
    Nothing,
}

/// The socket's path; it goes with its folder.
#[derive(Debug)]
pub(crate) struct Fake {
    dir: TempDir,
}

impl Fake {
    /// Listens in the background, and answers each command by `reply`.
    pub(crate) fn start(reply: impl Fn(&str) -> Reply + Send + 'static) -> Self {
        let this = Self { dir: tempfile::tempdir().unwrap() };
        let listener = UnixListener::bind(this.path()).unwrap();
        tokio::spawn(async move {
            let mut kept = Vec::new();
            loop {
                let mut stream = BufReader::new(listener.accept().await.unwrap().0);
                let mut command = String::new();
                stream.read_line(&mut command).await.unwrap();
                match reply(command.trim_end()) {
                    Reply::Text(text) => drop(stream.write_all(text.as_bytes()).await),
                    Reply::Nothing => kept.push(stream),
                }
            }
        });
        this
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("fake.sock")
    }
}

/// What a healthy HAProxy answers about `orders/db-a`, in columns of another order than today's; nothing to a change.
pub(crate) fn healthy(command: &str) -> Option<Reply> {
    let text = match command {
        "show servers state orders" => {
            "1\n# srv_name new_column srv_uweight srv_admin_state be_id srv_id\ndb-a x 10 0 7 3\n\n"
        }
        "show stat 7 4 3" => "# status,scur,\"new, column\",svname,\nUP,2,\"a, b\",db-a,\n\n",
        "show cli level" => "admin\n\n",
        _ => return None,
    };
    Some(Reply::Text(text.to_owned()))
}
