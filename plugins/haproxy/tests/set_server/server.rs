//! A real HAProxy on unix sockets in a folder of its own, so that no port can be taken.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const CONFIG: &str = "
global
  stats socket {dir}/admin.sock level admin
  stats socket {dir}/user.sock level user
  stats socket ipv4@127.0.0.1:{port} level admin
defaults
  mode tcp
  timeout connect 1s
  timeout client 1m
  timeout server 1m
listen orders
  bind unix@{dir}/front.sock
  server db-a unix@{dir}/a.sock weight 10
  server db-b unix@{dir}/b.sock check inter 20ms rise 2 fall 3 disabled
  server db-c unix@{dir}/c.sock check inter 1h rise 2 fall 3 disabled
backend shadow
  server db-a unix@{dir}/a.sock track orders/db-b
";

/// The running HAProxy; stopped and cleared away on drop.
#[derive(Debug)]
pub(crate) struct Haproxy {
    child: Child,
    dir: TempDir,
    pub(crate) port: u16,
}

impl Haproxy {
    /// Starts it and waits until its runtime socket is there.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = CONFIG.replace("{dir}", dir.path().to_str().unwrap()).replace("{port}", &port.to_string());
        let config = dir.path().join("haproxy.cfg");
        std::fs::write(&config, text).unwrap();
        let search = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("haproxy");
        command.env("PATH", search).arg("-db").arg("-f").arg(&config);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot start haproxy; package haproxy: {error}"));
        let mut this = Self { child, dir, port };
        this.wait_for_start();
        this
    }

    fn wait_for_start(&mut self) {
        let began = Instant::now();
        while !self.answers() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "haproxy ended: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(20), "haproxy opened no runtime socket");
            std::thread::sleep(Duration::from_millis(5)); // between two looks
        }
    }

    /// It answers only after every listener is there.
    fn answers(&self) -> bool {
        let mut answer = String::new();
        let asked = UnixStream::connect(self.path("admin.sock")).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"show version\n")?;
            stream.read_to_string(&mut answer)
        });
        asked.is_ok() && !answer.is_empty()
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Parameters for a server of backend `orders`, with `more` on top.
    pub(crate) fn params(&self, server: &str, state: &str, more: &Value) -> Value {
        let mut params =
            json!({"socket": self.path("admin.sock"), "backend": "orders", "server": server, "state": state});
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        params
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
