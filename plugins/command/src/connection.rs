//! The driver's end: starts the supervisor when it is first needed, sends requests, hands answers to who waits.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;

use crate::protocol::{Answer, CommandId, Launch, Request, line};

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
    requests: Arc<Mutex<ChildStdin>>,
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
        Ok(Self { requests: Arc::new(Mutex::new(requests)), waiting, next_id: AtomicU64::new(1) })
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
    pub(crate) async fn start(&self, launch: Launch) -> serde_json::Result<oneshot::Receiver<Answer>> {
        let id = launch.id;
        let request = line(&Request::Start(launch))?;
        let (sender, receiver) = oneshot::channel();
        let Some(()) = lock(&self.waiting).as_mut().map(|waiting| drop(waiting.insert(id, sender))) else {
            return Ok(receiver);
        };
        if self.send(request).await.is_err() {
            // Dropping the sender tells the receiver; what became of the request is for the trace to say.
            drop(lock(&self.waiting).as_mut().map(|waiting| waiting.remove(&id)));
        }
        Ok(receiver)
    }

    /// Has the command stopped; the answer comes to who started it.
    pub(crate) async fn stop(&self, id: CommandId, grace: Duration) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        // When it fails the supervisor is gone, which the receiver learns.
        if let Ok(request) = line(&Request::Stop { id, grace_ms }) {
            drop(self.send(request).await);
        }
    }

    /// Writes a request, whole, also if nobody waits for it any more. Fails only when the supervisor is gone.
    async fn send(&self, request: Vec<u8>) -> io::Result<()> {
        if let Ok(mut requests) = self.requests.try_lock()
            && has_room(&requests, request.len())
        {
            return requests.write_all(&request);
        }
        // A supervisor that is slow to read holds up nobody but this command.
        let requests = Arc::clone(&self.requests);
        let written = tokio::task::spawn_blocking(move || lock(&requests).write_all(&request));
        written.await.map_err(io::Error::other)?
    }
}

/// Whether so many bytes can be written to a pipe at once: one that is ready takes what POSIX calls `PIPE_BUF`.
fn has_room(pipe: &ChildStdin, bytes: usize) -> bool {
    const PIPE_BUF: usize = 4096;
    let mut ready = [PollFd::new(pipe, PollFlags::OUT)];
    bytes <= PIPE_BUF && poll(&mut ready, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
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
