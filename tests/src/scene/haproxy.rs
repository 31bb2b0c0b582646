//! HAProxy's settings and its runtime socket.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::node::Node;
use super::ports::Ports;

/// The backend's name.
pub const BACKEND: &str = "pg";

/// How long an answer may take: a stopped HAProxy accepts and says nothing.
const LIMIT: Duration = Duration::from_secs(2);

/// The settings of the scene's HAProxy. `pgsql-check` passes on a standby, so `b` is disabled rather than `backup`: HAProxy itself
/// would send the writer to a node that takes no writes.
pub(crate) fn settings(ports: &Ports, socket: &Path) -> String {
    let Ports { a, b, front, admin, .. } = ports;
    format!(
        "global
  stats socket {socket} mode 600 level admin
  stats socket ipv4@127.0.0.1:{admin} level admin
  log stdout format raw local0 info
defaults
  mode tcp
  log global
  option log-health-checks
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout check 1s
listen {BACKEND}
  bind 127.0.0.1:{front}
  option pgsql-check user postgres
  default-server inter 250ms fall 2 rise 1 on-marked-down shutdown-sessions
  server {node_a} 127.0.0.1:{a} check
  server {node_b} 127.0.0.1:{b} check disabled
",
        socket = socket.display(),
        node_a = Node::A,
        node_b = Node::B,
    )
}

/// HAProxy's runtime socket. It takes one command a connection.
#[derive(Debug, Clone)]
pub struct RuntimeSocket {
    path: PathBuf,
}

impl RuntimeSocket {
    /// The socket at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sends one command and returns the answer. An empty line is what a good change is answered with; a bad one gets
    /// words, and no other sign of failure.
    ///
    /// # Errors
    /// When HAProxy cannot be reached or does not answer.
    pub fn ask(&self, command: &str) -> io::Result<String> {
        let mut stream = UnixStream::connect(&self.path)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(format!("{command}\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.trim().to_owned())
    }

    /// Sends a command that changes something.
    ///
    /// # Panics
    /// When HAProxy does not answer, or answers with a complaint.
    #[track_caller]
    pub fn change(&self, command: &str) {
        match self.ask(command) {
            Ok(answer) => assert!(answer.is_empty(), "haproxy refused {command:?}: {answer}"),
            Err(error) => panic!("haproxy does not take {command:?}: {error}"),
        }
    }

    /// The state of a server as `show stat` words it: `UP`, `DOWN`, `MAINT`, also `UP 1/2`; `None` when HAProxy is gone.
    pub fn server_state(&self, node: Node) -> Option<String> {
        let table = self.ask("show stat").ok()?;
        let mut lines = table.lines();
        let names: Vec<&str> = lines.next()?.trim_start_matches("# ").split(',').collect();
        let position = |name| names.iter().position(|other| *other == name);
        let (backend, server, status) = (position("pxname")?, position("svname")?, position("status")?);
        lines.map(|line| line.split(',').collect::<Vec<_>>()).find_map(|cells| {
            let wanted = cells.get(backend) == Some(&BACKEND) && cells.get(server) == Some(&node.name());
            wanted.then(|| cells.get(status).copied().map(str::to_owned)).flatten()
        })
    }
}
