//! The supervisor's program: reads requests until its driver is gone, then stays until its commands have ended.
//!
//! It is kept plain on purpose (a thread per running command, no runtime), because it must not fail: it is the only
//! one that can learn how a command ended.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, stdin, stdout};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::end::Refusal;
use crate::process::{Process, boot_id};
use crate::protocol::{Answer, CommandId, Launch, Request, write_line};
use crate::supervised::{Identity, Supervised};

/// Small: a command's thread only waits and writes a line.
const STACK_BYTES: usize = 128 * 1024;

/// Runs as a supervisor, to be called first thing in `main` when the program was started as one. Requests come in on
/// stdin, answers go out on stdout.
pub fn supervise() -> ExitCode {
    match Supervisor::new() {
        Ok(supervisor) => {
            Arc::new(supervisor).serve();
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

#[derive(Debug)]
struct Supervisor {
    identity: Identity,
    running: Mutex<HashMap<CommandId, Arc<Supervised>>>,
}

impl Supervisor {
    fn new() -> io::Result<Self> {
        // No terminal: no Ctrl-C, no hang-up, and no command that asks for a password where nobody sees it. Fails
        // when whoever started us has already put us into a session of our own.
        let _ = rustix::process::setsid();
        let identity = Identity { boot: boot_id()?, supervisor: Process::current()? };
        Ok(Self { identity, running: Mutex::default() })
    }

    fn serve(self: Arc<Self>) {
        answer(&Answer::Ready);
        let mut requests = BufReader::new(stdin().lock());
        let mut line = Vec::new();
        let mut commands = Vec::new();
        loop {
            line.clear();
            // A pipe that cannot be read is as good as one whose writer is gone.
            drop(requests.read_until(b'\n', &mut line));
            // A line without an end is one that the driver died over.
            let Some(request) = line.strip_suffix(b"\n") else { break };
            match serde_json::from_slice(request) {
                Ok(Request::Start(launch)) => {
                    commands.retain(|command: &thread::JoinHandle<()>| !command.is_finished());
                    commands.extend(Arc::clone(&self).start(launch));
                }
                Ok(Request::Stop { id, grace_ms }) => self.stop(id, Duration::from_millis(grace_ms)),
                // Not from a driver of ours. What runs is still seen to its end.
                Err(_) => break,
            }
        }
        for command in commands {
            drop(command.join());
        }
    }

    fn start(self: Arc<Self>, launch: Launch) -> Option<thread::JoinHandle<()>> {
        let id = launch.id;
        let command = Arc::new(Supervised::new(&launch));
        self.running().insert(id, Arc::clone(&command));
        let supervisor = Arc::clone(&self);
        let run = move || {
            command.run(&launch, &supervisor.identity, |result| {
                supervisor.running().remove(&id);
                answer(result);
            });
        };
        match thread::Builder::new().stack_size(STACK_BYTES).spawn(run) {
            Ok(thread) => Some(thread),
            Err(error) => {
                self.running().remove(&id);
                let why = format!("the supervisor could not start a thread: {error}");
                answer(&Answer::NotStarted { id, refusal: Refusal { why, may_pass: true } });
                None
            }
        }
    }

    fn stop(&self, id: CommandId, grace: Duration) {
        if let Some(command) = self.running().get(&id) {
            command.stop(grace);
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<CommandId, Arc<Supervised>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails when the driver is gone; a later one reads the trace instead.
fn answer(answer: &Answer) {
    drop(write_line(stdout().lock(), answer));
}
