//! The supervisor's program: reads requests until its driver is gone, then stays until its commands have ended.
//!
//! It is kept plain on purpose (threads that block; a runtime only to register for signals), because it must not fail: it
//! is the only one that can learn how a command ended. Its threads take turns: whoever reads a request carries it out, and
//! another one reads on. So a command is started without waking anybody first.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Stdin, Write, stdin, stdout};
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::end::Refusal;
use crate::ends::Ends;
use crate::process::here;
use crate::protocol::{Answer, CommandId, Launch, Request, line};
use crate::room::Room;
use crate::supervised::Supervised;

/// Small: a thread only reads, waits and writes a line.
const STACK_BYTES: usize = 128 * 1024;

/// So many threads stay when there is nothing to do: one reads, one is ready to read on.
const SPARE: usize = 2;

/// Runs as a supervisor, to be called first thing in `main` when the program was started as one. Requests come in on
/// stdin, answers go out on stdout. `files`: the soft limit on open files that commands get, where it is not ours.
pub fn supervise(files: Option<u64>) -> ExitCode {
    match Supervisor::new(files) {
        Ok(supervisor) => {
            let supervisor = Arc::new(supervisor);
            answer(&Answer::Ready);
            supervisor.serve();
            supervisor.wait_for_all();
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

#[derive(Debug)]
struct Supervisor {
    /// Where requests come from; none any more once the driver is gone. Held by the thread that reads.
    requests: Mutex<Option<BufReader<Stdin>>>,
    running: Mutex<HashMap<CommandId, Arc<Supervised>>>,
    room: Room,
    ends: Ends,
    threads: Mutex<Threads>,
    thread_left: Condvar,
}

/// The right to read requests.
type Turn<'a> = MutexGuard<'a, Option<BufReader<Stdin>>>;

/// How many threads there are, the first one included.
#[derive(Debug)]
struct Threads {
    all: usize,
    /// Those that read, or wait for their turn to.
    ready: usize,
}

impl Supervisor {
    fn new(files: Option<u64>) -> io::Result<Self> {
        // No terminal: no Ctrl-C, no hang-up, and no command that asks for a password where nobody sees it. Fails
        // when whoever started us has already put us into a session of our own.
        let _ = rustix::process::setsid();
        outlast_signals()?;
        // So that nothing of it can fail once a command runs.
        here()?;
        Ok(Self {
            requests: Mutex::new(Some(BufReader::new(stdin()))),
            running: Mutex::default(),
            room: Room::new(files),
            ends: Ends::default(),
            threads: Mutex::new(Threads { all: 1, ready: 1 }),
            thread_left: Condvar::new(),
        })
    }

    /// Reads requests and carries them out, until there are none any more or enough others are ready to.
    fn serve(self: &Arc<Self>) {
        while let Some((launch, requests)) = self.next() {
            if let Err(error) = self.see_to_a_reader() {
                // Nobody would hear a request to stop it.
                let why = format!("the supervisor could not start a thread: {error}");
                answer(&Answer::NotStarted { id: launch.id, refusal: Refusal::new(why, true) });
                continue;
            }
            self.run(&launch, requests);
            if !self.is_ready_again() {
                return;
            }
        }
    }

    /// The next command to start, and the turn to read; none once the driver is gone. Requests to stop are carried out
    /// on the way.
    fn next(&self) -> Option<(Launch, Turn<'_>)> {
        let mut requests = lock(&self.requests);
        let mut line = Vec::new();
        loop {
            line.clear();
            // A pipe that cannot be read is as good as one whose writer is gone.
            drop(requests.as_mut()?.read_until(b'\n', &mut line));
            // A line without an end is one that the driver died over.
            let request = line.strip_suffix(b"\n").and_then(|line| serde_json::from_slice(line).ok());
            match request {
                Some(Request::Start(launch)) => return Some((launch, requests)),
                Some(Request::Stop { id, grace_ms }) => self.stop(id, Duration::from_millis(grace_ms)),
                // Nobody, or not a driver of ours. What runs is still seen to its end.
                None => {
                    *requests = None;
                    self.ends.driver_is_gone();
                }
            }
        }
    }

    /// Makes sure that somebody reads while this thread is busy.
    fn see_to_a_reader(self: &Arc<Self>) -> io::Result<()> {
        let mut threads = lock(&self.threads);
        if threads.ready > 1 {
            threads.ready -= 1;
            return Ok(());
        }
        // It takes this one's place among those that are ready.
        threads.all += 1;
        drop(threads);
        let another = Leaving(Arc::clone(self));
        thread::Builder::new().stack_size(STACK_BYTES).spawn(move || another.0.serve()).map(drop)
    }

    /// Whether this thread, done with its command, is wanted for another.
    fn is_ready_again(&self) -> bool {
        let mut threads = lock(&self.threads);
        let wanted = threads.ready < SPARE;
        threads.ready += usize::from(wanted);
        wanted
    }

    /// Carries a command out. Others read on once it was started: waking them takes as long as starting it.
    fn run(&self, launch: &Launch, turn: Turn<'_>) {
        let id = launch.id;
        let command = Arc::new(Supervised::new(launch));
        lock(&self.running).insert(id, Arc::clone(&command));
        let (room, turn) = match self.room.take() {
            Some(room) => (Some(room), Some(turn)),
            None => {
                drop(turn);
                (self.room.wait(|| !command.is_withdrawn()), None)
            }
        };
        let started = command.start(launch);
        if let Ok(started) = &started {
            self.room.restore(started.leader());
        }
        drop(turn);
        let (result, recorded) = match started {
            Ok(started) => command.see_out(id, started),
            Err(answer) => (answer, None),
        };
        lock(&self.running).remove(&id);
        drop(room);
        answer(&result);
        if let Some(recorded) = recorded {
            self.ends.keep(recorded);
        }
    }

    fn stop(&self, id: CommandId, grace: Duration) {
        if let Some(command) = lock(&self.running).get(&id) {
            self.room.make();
            command.stop(grace);
        }
        self.room.wake();
    }

    /// Waits until every other thread has seen its command to the end.
    fn wait_for_all(&self) {
        let others = |threads: &mut Threads| threads.all > 1;
        drop(self.thread_left.wait_while(lock(&self.threads), others));
    }
}

/// A logout or a service manager asks every process to end. What is asked to end here are the commands; the supervisor
/// ends when they have, or nobody would know how they did.
///
/// The signals are caught, not ignored: a command starts with the default again.
fn outlast_signals() -> io::Result<()> {
    // Only registering needs it. The handlers stay.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    for kind in [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()] {
        drop(signal(kind)?);
    }
    Ok(())
}

/// A thread that is to be counted out when it ends, however it does.
struct Leaving(Arc<Supervisor>);

impl Drop for Leaving {
    fn drop(&mut self) {
        lock(&self.0.threads).all -= 1;
        self.0.thread_left.notify_one();
    }
}

/// Fails when the driver is gone; a later one reads the trace instead.
fn answer(answer: &Answer) {
    drop(line(answer).map_err(io::Error::from).and_then(|line| stdout().lock().write_all(&line)));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
