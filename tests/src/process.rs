//! A process named by pid and start time, so that a reused pid is never signalled.

use std::fs;
use std::io;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// One process of this machine, for as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Process {
    pid: i32,
    /// Clock ticks after boot, field 22 of `/proc/PID/stat`.
    started: u64,
}

/// What `/proc/PID/stat` says of a process.
struct Stat {
    state: char,
    parent: i32,
    started: u64,
}

impl Process {
    /// The process that has `pid` now; `None` when there is none, or only its zombie.
    pub fn find(pid: i32) -> Option<Self> {
        let stat = stat_of(pid)?;
        stat.lives().then_some(Self { pid, started: stat.started })
    }

    /// The process that was given `pid` at that moment after boot, in clock ticks; `None` when it is gone.
    pub fn known(pid: i32, started: u64) -> Option<Self> {
        Self::find(pid).filter(|process| process.started == started)
    }

    /// Its pid.
    pub fn pid(self) -> i32 {
        self.pid
    }

    /// Whether it still runs; a zombie does not.
    pub fn is_alive(self) -> bool {
        Self::find(self.pid) == Some(self)
    }

    /// Sends `signal`; a process that is gone already is no error.
    ///
    /// # Errors
    /// When the system refuses, as it does for another user's process.
    pub fn signal(self, signal: Signal) -> io::Result<()> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(()) };
        let send = || {
            let handle = pidfd_open(pid, PidfdFlags::empty())?;
            // The handle keeps the pid from being taken over between this look and the signal.
            if self.is_alive() { pidfd_send_signal(handle, signal) } else { Ok(()) }
        };
        // How a kernel refuses to name a process that is just going differs from version to version.
        match send() {
            Err(error) if self.is_alive() => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Sends `signal` to it and all its descendants, parents first.
    ///
    /// Each is stopped for the look at its children, so that none is born unseen. (PostgreSQL's processes each
    /// lead a session of their own: a signal to the process group would miss them.)
    ///
    /// # Errors
    /// When the system refuses one of the signals.
    pub fn signal_tree(self, signal: Signal) -> io::Result<()> {
        let mut tree = vec![self];
        let mut seen = 0;
        while let Some(process) = tree.get(seen).copied() {
            process.signal(Signal::STOP)?;
            tree.extend(process.children());
            seen += 1;
        }
        tree.into_iter().try_for_each(|process| process.signal(signal))
    }

    /// Its living children.
    pub fn children(self) -> Vec<Self> {
        children_of(self.pid)
    }
}

/// The living children of the process with this pid.
pub fn children_of(parent: i32) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((pid, stat_of(pid)?)))
        .filter(|(_, stat)| stat.parent == parent && stat.lives())
        .map(|(pid, stat)| Process { pid, started: stat.started })
        .collect()
}

impl Stat {
    fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }
}

fn stat_of(pid: i32) -> Option<Stat> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything, brackets included: the fields start after the last one.
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Stat { state, parent, started })
}
