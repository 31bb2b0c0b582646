//! The driver's end: starts the supervisor when it is first needed, sends requests, hands answers to who waits.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;

use crate::protocol::{Answer, CommandId, Launch, Request, line};
use crate::requests::Requests;

/// How the supervisor is started: a program that calls [`crate::supervise`] first thing when it gets these arguments.
#[derive(Debug, Clone)]
pub struct SupervisorProgram {
    /// Its path. `/proc/self/exe` also works after the file was replaced.
    pub program: PathBuf,
    /// What tells it to be a supervisor.
    pub args: Vec<String>,
}

/// The supervisor of this driver: one at a time, started at the first command, and again should it have been killed.
#[derive(Debug)]
pub(crate) struct Supervisor {
    program: SupervisorProgram,
    current: tokio::sync::Mutex<Option<Arc<Connection>>>,
}

impl Supervisor {
    pub(crate) fn new(program: SupervisorProgram) -> Self {
        Self { program, current: tokio::sync::Mutex::default() }
    }

    /// The connection to it.
    pub(crate) async fn connection(&self) -> io::Result<Arc<Connection>> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| connection.is_open()) {
            return Ok(Arc::clone(connection));
        }
        let connection = match Connection::open(&self.program).await {
            Ok(connection) => connection,
            // A Ctrl-C may have met it before it had left the terminal.
            Err(_) => Connection::open(&self.program).await?,
        };
        Ok(Arc::clone(current.insert(Arc::new(connection))))
    }
}

/// A running supervisor. Dropped, it ends as soon as its commands have.
#[derive(Debug)]
pub(crate) struct Connection {
    requests: Requests,
    waiting: Arc<Waiting>,
    next_id: AtomicU64,
}

/// Who waits for which command's answer; none once the supervisor is gone.
type Waiting = Mutex<Option<HashMap<CommandId, oneshot::Sender<Answer>>>>;

impl Connection {
    async fn open(program: &SupervisorProgram) -> io::Result<Self> {
        let mut child = Command::new(&program.program)
            .args(&program.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It outlives us: it must not keep a pipe or a terminal open that others wait on.
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("bug: both pipes were asked for");
        };
        let mut answers = BufReader::new(Receiver::from_owned_fd(answers.into())?).lines();
        let first = answers.next_line().await?.unwrap_or_default();
        if !matches!(serde_json::from_str(&first), Ok(Answer::Ready)) {
            let status = child.wait()?;
            return Err(io::Error::other(format!("it did not come up: {status}")));
        }
        let waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        tokio::spawn(receive(answers, Arc::clone(&waiting), child));
        Ok(Self { requests: Requests::open(requests)?, waiting, next_id: AtomicU64::new(1) })
    }

    fn is_open(&self) -> bool {
        lock(&self.waiting).is_some()
    }

    /// A number for the next command.
    pub(crate) fn next_id(&self) -> CommandId {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Has the command started. The receiver fails when the supervisor dies before it has answered. Fails itself when
    /// the request cannot be put into words: it was not sent, and the supervisor lives.
    pub(crate) fn start(&self, launch: Launch) -> serde_json::Result<oneshot::Receiver<Answer>> {
        let id = launch.id;
        let request = line(&Request::Start(launch))?;
        let (sender, receiver) = oneshot::channel();
        let Some(()) = lock(&self.waiting).as_mut().map(|waiting| drop(waiting.insert(id, sender))) else {
            return Ok(receiver);
        };
        self.requests.send(request);
        Ok(receiver)
    }

    /// Has the command stopped; the answer comes to who started it.
    pub(crate) fn stop(&self, id: CommandId, grace: Duration) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        if let Ok(request) = line(&Request::Stop { id, grace_ms }) {
            self.requests.send(request);
        }
    }
}

/// Hands out answers until the supervisor is gone.
async fn receive(mut answers: Lines<BufReader<Receiver>>, waiting: Arc<Waiting>, mut child: Child) {
    while let Ok(Some(line)) = answers.next_line().await {
        let Ok(answer) = serde_json::from_str::<Answer>(&line) else { break };
        let waiter = answer.id().and_then(|id| lock(&waiting).as_mut()?.remove(&id));
        // Fails when the call was abandoned: nobody wants to know any more.
        drop(waiter.map(|waiter| waiter.send(answer)));
    }
    drop(lock(&waiting).take());
    drop(answers);
    drop(tokio::task::spawn_blocking(move || child.wait()).await);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
