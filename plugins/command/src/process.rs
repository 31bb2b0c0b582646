//! Naming a process so that nobody else is taken for it: ids are used again, so a process is its id and the moment
//! at which it started, on a machine that was not restarted since.

use std::fs;
use std::io::{self, Read as _};
use std::sync::OnceLock;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

/// A process on this boot of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// In clock ticks since the machine was started, as in `/proc/PID/stat`.
    pub(crate) start_time: u64,
}

impl Process {
    /// The process that has this id now; a zombie has it too.
    pub(crate) fn of(pid: Pid) -> io::Result<Self> {
        let stat = Stat::read(pid.as_raw_pid())?;
        Ok(Self { pid: stat.pid, start_time: stat.start_time })
    }

    /// Whether it is running. A zombie is not: its work is over.
    pub(crate) fn is_alive(self) -> bool {
        Stat::read(self.pid).is_ok_and(|stat| stat.start_time == self.start_time && !stat.is_over())
    }
}

/// What `/proc/PID/stat` tells, as far as it is needed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: i32,
    state: char,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) start_time: u64,
}

impl Stat {
    /// Of the process that has this id now.
    pub(crate) fn read(pid: i32) -> io::Result<Self> {
        // One line of some 50 numbers, read at once: it has no length that could be asked for.
        let mut text = Vec::with_capacity(2048);
        fs::File::open(format!("/proc/{pid}/stat"))?.read_to_end(&mut text)?;
        Self::parse(pid, &String::from_utf8_lossy(&text))
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat: unexpected content")))
    }

    /// The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    fn parse(pid: i32, text: &str) -> Option<Self> {
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        let start_time = fields.nth(16)?.parse().ok()?;
        Some(Self { pid, state, parent, group, start_time })
    }

    /// Whether it has ended and only waits to be reaped.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// Whether this process, or the system, has no more files to open. The error has no kind of its own.
pub(crate) fn is_short_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// This process, and the machine that it runs on.
#[derive(Debug)]
pub(crate) struct Here {
    /// The id of this boot of this machine.
    pub(crate) boot: String,
    pub(crate) process: Process,
}

/// This process.
pub(crate) fn here() -> io::Result<&'static Here> {
    static HERE: OnceLock<Here> = OnceLock::new();
    if let Some(here) = HERE.get() {
        return Ok(here);
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned();
    let process = Process::of(rustix::process::getpid())?;
    Ok(HERE.get_or_init(|| Here { boot, process }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_confuse() {
        let text = "42 (a) b (c)) S 7 41 40 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2 3";
        let expected = Stat { pid: 42, state: 'S', parent: 7, group: 41, start_time: 98765 };
        assert_eq!(Stat::parse(42, text), Some(expected));
        assert_eq!(Stat::parse(42, "42 (cut) S 7"), None);
    }

    #[test]
    fn this_process_is_alive_and_an_impostor_is_not() {
        let me = here().unwrap().process;
        assert!(me.is_alive());
        assert!(!Process { start_time: me.start_time + 1, ..me }.is_alive());
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = Pid::from_child(&child);
        let process = Process::of(pid).unwrap();
        let over = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(rustix::process::WaitId::Pid(pid), over).unwrap();
        assert!(Process::of(pid).is_ok() && !process.is_alive());
        assert!(child.wait().unwrap().success());
        assert!(!process.is_alive());
    }
}
