//! One command in the hands of the supervisor: claim, start, wait, record, or stop.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_action::Masker;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::end::{End, Part, Printed, Refusal, Status};
use crate::ends::Recorded;
use crate::output::{STDERR, STDOUT};
use crate::place::Mark;
use crate::process::{Here, Process, here, is_short_of_files};
use crate::protocol::{Answer, CommandId, Launch};
use crate::trace::{Entry, Trace};
use crate::tree::Tree;

/// One command. The thread that runs it and the one that is told to stop it meet in its phase.
#[derive(Debug)]
pub(crate) struct Supervised {
    mark: Mark,
    masker: Masker,
    phase: Mutex<Phase>,
}

/// A command that was started.
#[derive(Debug)]
pub(crate) struct Started {
    folder: PathBuf,
    trace: Trace,
    child: Child,
}

#[derive(Debug)]
enum Phase {
    /// Not started yet.
    Pending,
    /// Told to stop before it was started.
    Withdrawn,
    /// Its process was not reaped yet, so its id is its own.
    Running(Pid),
    /// The same, while the thread makes it end.
    Stopping(JoinHandle<Vec<i32>>),
    /// Over.
    Over,
}

impl Started {
    /// The command's first process.
    pub(crate) fn leader(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Supervised {
    pub(crate) fn new(launch: &Launch) -> Self {
        let masker = Masker::new(launch.secrets.iter().cloned());
        Self { mark: launch.command.mark(), masker, phase: Mutex::new(Phase::Pending) }
    }

    /// Whether it was told to stop before it was started.
    pub(crate) fn is_withdrawn(&self) -> bool {
        matches!(*self.phase(), Phase::Withdrawn)
    }

    /// Makes the command end. Returns at once.
    pub(crate) fn stop(&self, grace: Duration) {
        let mut phase = self.phase();
        match *phase {
            Phase::Pending => *phase = Phase::Withdrawn,
            Phase::Running(leader) => {
                let tree = Tree { leader: Some(leader), mark: self.mark.clone() };
                match thread::Builder::new().spawn(move || tree.stop(grace)) {
                    Ok(stopper) => *phase = Phase::Stopping(stopper),
                    // Short of threads: it cannot be waited for, so there is no grace.
                    Err(_) => {
                        let _ = kill_process_group(leader, Signal::KILL);
                    }
                }
            }
            Phase::Withdrawn | Phase::Stopping(_) | Phase::Over => {}
        }
    }

    /// Claims the attempt and starts the command. Fails with the answer for the driver.
    pub(crate) fn start(&self, launch: &Launch) -> Result<Started, Answer> {
        let id = launch.id;
        let not_started = |refusal| Answer::NotStarted { id, refusal };
        let claimed = claim(launch).map_err(|error| not_started(not_possible(&launch.folder, &error)))?;
        let Some(trace) = claimed else {
            let why = "its trace is not as its driver opened it: it was replaced, or another process has decided \
                       what becomes of the attempt";
            return Err(Answer::Lost { id, why: why.to_owned() });
        };
        match self.spawn(launch) {
            Ok(child) => Ok(Started { folder: launch.folder.clone(), trace, child }),
            Err(refusal) => {
                let at = Timestamp::now();
                // Should the line not reach the file, a later driver is in doubt, which is the safe side.
                drop(trace.append(&Entry::NotStarted { refusal: refusal.clone(), at }));
                Err(not_started(refusal))
            }
        }
    }

    /// Waits for the end of the command and records it, which gives the answer for the driver. The lock is held until
    /// then.
    pub(crate) fn see_out(&self, id: CommandId, started: Started) -> (Answer, Option<Recorded>) {
        let Started { folder, trace, child } = started;
        // The command runs, and its end matters more than this line: without it a later driver that finds the
        // supervisor dead as well cannot name the process.
        if let Ok(process) = Process::of(Pid::from_child(&child)) {
            drop(trace.append(&Entry::Started { process, at: Timestamp::now() }));
        }
        match self.wait(child) {
            Ok(mut end) => {
                end.printed = Printed::measure(&folder, &self.masker).ok();
                let recorded = trace.append(&Entry::Ended(end.clone())).and_then(|()| trace.unlock());
                let unrecorded = recorded.err().map(|error| error.to_string());
                let printed = end.printed;
                (Answer::Ended { id, end, unrecorded }, Some(Recorded { folder, printed }))
            }
            // Nobody else reaps our children; if the system says otherwise, the driver must not take it for an end.
            Err(error) => (lost(id, &error), None),
        }
    }

    /// Starts the process, unless it was withdrawn meanwhile.
    fn spawn(&self, launch: &Launch) -> Result<Child, Refusal> {
        let mut command = command(launch).map_err(|error| not_possible(&launch.folder, &error))?;
        let mut phase = self.phase();
        if matches!(*phase, Phase::Withdrawn) {
            return Err(Refusal::new("it was stopped before it was started", true));
        }
        let child = command.spawn().map_err(|error| not_started(launch, &error))?;
        *phase = Phase::Running(Pid::from_child(&child));
        Ok(child)
    }

    /// Waits for the process to end and, when it is being stopped, for all the others of the command too.
    fn wait(&self, mut child: Child) -> io::Result<End> {
        let over = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        // Not reaped yet: until the phase has changed, a stop may still signal the group by its id.
        while let Err(error) = waitid(WaitId::Pid(Pid::from_child(&child)), over) {
            if error != rustix::io::Errno::INTR {
                return Err(error.into());
            }
        }
        let phase = std::mem::replace(&mut *self.phase(), Phase::Over);
        let (stopped, survivors) = match phase {
            Phase::Stopping(stopper) => (true, stopper.join().unwrap_or_default()),
            Phase::Pending | Phase::Withdrawn | Phase::Running(_) | Phase::Over => (false, Vec::new()),
        };
        let status = Status::of(child.wait()?);
        Ok(End { status, stopped, survivors, printed: None, at: Timestamp::now() })
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From here on the attempt is ours, or it never will be: its trace says more than that the driver which asks opened it,
/// or does not say that.
fn claim(launch: &Launch) -> io::Result<Option<Trace>> {
    let Some(trace) = Trace::find(&launch.folder)? else { return Err(io::ErrorKind::NotFound.into()) };
    if !trace.try_lock()? {
        return Ok(None);
    }
    let found = trace.entries()?;
    let ([Entry::Opened(opening)], false) = (found.entries.as_slice(), found.torn) else { return Ok(None) };
    if (&opening.command, opening.driver) != (&launch.command, launch.driver) {
        return Ok(None);
    }
    let Here { process, .. } = here()?;
    trace.append(&Entry::Claimed { supervisor: *process })?;
    Ok(Some(trace))
}

fn command(launch: &Launch) -> io::Result<Command> {
    let (program, args) = launch.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(args).envs(&launch.env).process_group(0);
    command.stdin(Stdio::null());
    command.stdout(output(&launch.folder, STDOUT)?).stderr(output(&launch.folder, STDERR)?);
    if let Some(cwd) = &launch.cwd {
        command.current_dir(cwd);
    }
    Ok(command)
}

/// Appending, so that a command that opens its own output anew does not write over what is there.
fn output(folder: &Path, name: &str) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join(name))
}

/// The attempt's folder is not usable: nothing was tried yet.
fn not_possible(folder: &Path, error: &io::Error) -> Refusal {
    let about = (!is_short_of_files(error)).then_some(Part::Folder);
    Refusal { about, why: format!("{}: {error}", folder.display()), may_pass: true }
}

fn not_started(launch: &Launch, error: &io::Error) -> Refusal {
    let (about, why) = match &launch.cwd {
        Some(cwd) if !cwd.is_dir() => (Part::Cwd, "is not there".to_owned()),
        Some(_) | None => (Part::Program, format!("could not be started: {error}")),
    };
    use io::ErrorKind::{OutOfMemory, ResourceBusy, WouldBlock};
    let short_of = matches!(error.kind(), OutOfMemory | ResourceBusy | WouldBlock);
    Refusal { about: Some(about), why, may_pass: short_of || is_short_of_files(error) }
}

fn lost(id: CommandId, error: &io::Error) -> Answer {
    Answer::Lost { id, why: format!("its end could not be awaited: {error}") }
}
