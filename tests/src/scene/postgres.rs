//! The scene itself: what it is made of, and how it comes up.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::guardian::Guardian;
use super::haproxy::{self, RuntimeSocket};
use super::node::Node;
use super::ports::Ports;
use super::{sql, template};
use crate::ledger::Ledger;
use crate::process::Process;
use crate::programs;
use crate::wait::{self, Answer};

/// How long a part of the scene may take to come up; far more than it takes.
pub(super) const START: Duration = Duration::from_secs(30);

/// What a scene can be asked to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Rows the writer tries a second.
    pub rate: f64,
    /// Whether a commit waits for the standby (`synchronous_standby_names`).
    pub synchronous: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { rate: 50.0, synchronous: false }
    }
}

/// A primary, its standby, HAProxy in front of both, and a writer. Dropping it stops and removes everything.
#[derive(Debug)]
pub struct PostgresScene {
    options: Options,
    ports: Ports,
    haproxy: RuntimeSocket,
    pub(super) running: Mutex<Running>,
    /// Dropped last: it ends what is still running.
    guardian: Guardian,
}

/// The processes as they were last started; each may have ended since.
#[derive(Debug, Default)]
pub(super) struct Running {
    pub(super) a: Option<Process>,
    pub(super) b: Option<Process>,
    pub(super) haproxy: Option<Process>,
    pub(super) writer: Option<Process>,
}

impl PostgresScene {
    /// Starts a scene and waits until the standby streams and the first row is acknowledged.
    ///
    /// # Panics
    /// When a server is not installed (with the name of its Debian package) or does not come up (with its log).
    #[must_use = "a scene ends when it is dropped"]
    pub fn start() -> Self {
        Self::start_with(Options::default())
    }

    /// Starts a scene with other than the usual options.
    ///
    /// # Panics
    /// As [`PostgresScene::start`].
    #[must_use = "a scene ends when it is dropped"]
    pub fn start_with(options: Options) -> Self {
        // Before anything is started: what is missing is said first.
        programs::server("haproxy");
        let guardian = Guardian::start();
        let haproxy = RuntimeSocket::new(guardian.folder().join("haproxy.sock"));
        let scene = Self { options, ports: Ports::reserve(), haproxy, running: Mutex::default(), guardian };
        template::copy_into(scene.folder());
        for node in Node::ALL {
            template::configure(&scene.data(node), node, scene.port(node), scene.port(node.other()));
            scene.launch(node);
        }
        scene.start_haproxy();
        scene.wait_until("the standby streams", START, || scene.streams());
        if scene.options.synchronous {
            scene.make_synchronous();
        }
        scene.start_writer();
        scene
    }

    /// The scene's throw-away folder.
    pub fn folder(&self) -> &Path {
        self.guardian.folder()
    }

    /// The data folder of a node.
    pub fn data(&self, node: Node) -> PathBuf {
        self.folder().join(node.name())
    }

    /// The port of a node on 127.0.0.1; user and database are `postgres`, without a password.
    pub fn port(&self, node: Node) -> u16 {
        match node {
            Node::A => self.ports.a,
            Node::B => self.ports.b,
        }
    }

    /// The port that clients of the service use.
    pub fn front_port(&self) -> u16 {
        self.ports.front
    }

    /// The port of HAProxy's runtime socket over TCP.
    pub fn haproxy_admin_port(&self) -> u16 {
        self.ports.admin
    }

    /// HAProxy's runtime socket.
    pub fn haproxy(&self) -> &RuntimeSocket {
        &self.haproxy
    }

    /// What the writer was told so far.
    ///
    /// # Panics
    /// When the ledger cannot be read.
    pub fn ledger(&self) -> Ledger {
        Ledger::read(&self.ledger_path()).unwrap_or_else(|error| panic!("the writer's ledger: {error}"))
    }

    /// Runs a statement on a node and returns the first column of its first row, empty where there is none.
    ///
    /// # Errors
    /// What went wrong, in words: no connection, no answer in time, or the server's complaint.
    pub fn try_sql(&self, node: Node, statement: &str) -> Result<String, String> {
        self.column(node, statement).map(|rows| rows.into_iter().next().unwrap_or_default())
    }

    /// Runs a statement on a node and returns the first column of its first row, empty where there is none.
    ///
    /// # Panics
    /// When the node does not carry it out.
    #[track_caller]
    pub fn sql(&self, node: Node, statement: &str) -> String {
        match self.try_sql(node, statement) {
            Ok(answer) => answer,
            Err(why) => {
                panic!("{node} did not carry out {statement:?}: {why}\n{}", self.guardian.log_tails())
            }
        }
    }

    /// Polls until `check` settles (`true`, `Some` or `Ok`) and returns its value.
    ///
    /// # Panics
    /// When `limit` has passed: with the name of the condition and the tails of all logs.
    #[track_caller]
    pub fn wait_until<A: Answer>(&self, what: &str, limit: Duration, check: impl FnMut() -> A) -> A::Value {
        wait::wait_until(what, limit, || self.guardian.log_tails(), check)
    }

    pub(super) fn column(&self, node: Node, statement: &str) -> Result<Vec<String>, String> {
        sql::column(self.port(node), statement)
    }

    /// Starts a node's server without waiting for it.
    pub(super) fn launch(&self, node: Node) {
        // Left behind by a kill, and believed for as long as its pid exists, be it as a zombie.
        drop(std::fs::remove_file(self.data(node).join("postmaster.pid")));
        let process = self.guardian.spawn(node.name(), template::serve(&self.data(node)));
        *self.running().node(node) = Some(process);
    }

    /// Starts HAProxy, again after [`PostgresScene::kill_haproxy`]: it knows nothing of earlier changes then.
    pub fn start_haproxy(&self) {
        let file = self.folder().join("haproxy.cfg");
        let settings = haproxy::settings(&self.ports, self.haproxy.path());
        std::fs::write(&file, settings).expect("the scene's folder can be written");
        let program = programs::server("haproxy").display().to_string();
        // It ends with the guardian, as the servers do, but runs as oneself.
        let words = ["setpriv", "--pdeathsig=KILL", "--", &program, "-db", "-f", &file.display().to_string()];
        let process = self.guardian.spawn("haproxy", words.map(str::to_owned).to_vec());
        self.running().haproxy = Some(process);
        self.wait_until("HAProxy answers", START, || self.haproxy.ask("show info"));
    }

    /// Starts the writer, where the ledger ends, and waits for its first acknowledgement.
    ///
    /// # Panics
    /// When none comes in time.
    pub fn start_writer(&self) {
        let first = self.ledger().last().map_or(1, |entry| entry.number + 1);
        let program = programs::built("scene-writer").display().to_string();
        let (port, ledger) = (self.ports.front.to_string(), self.ledger_path().display().to_string());
        let words = vec![program, port, ledger, self.options.rate.to_string(), first.to_string()];
        self.running().writer = Some(self.guardian.spawn("writer", words));
        self.wait_until("the writer's rows are acknowledged", START, || {
            self.ledger().acked().last().is_some_and(|last| *last >= first)
        });
    }

    pub(super) fn running(&self) -> std::sync::MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Only once the standby streams: before that, every commit would wait for it.
    fn make_synchronous(&self) {
        self.sql(Node::A, "alter system set synchronous_standby_names = 'b'");
        self.sql(Node::A, "select pg_reload_conf()");
        let state = "select sync_state from pg_stat_replication";
        self.wait_until("commits wait for the standby", START, || {
            self.try_sql(Node::A, state).is_ok_and(|state| state == "sync")
        });
    }

    fn ledger_path(&self) -> PathBuf {
        self.folder().join("ledger")
    }
}

impl Running {
    pub(super) fn node(&mut self, node: Node) -> &mut Option<Process> {
        match node {
            Node::A => &mut self.a,
            Node::B => &mut self.b,
        }
    }
}
