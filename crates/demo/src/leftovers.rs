//! Finds and ends the processes of a tour, whoever started them.
//!
//! A command that Lifeboat runs outlives it, on purpose. So does one that a tour is broken off over, and there is no
//! parent left to ask for it: but every process of the tour has the tour's own home in its environment.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The environment variable that tells a tour's processes from all others.
pub(crate) const MARK: &str = "LIFEBOAT_HOME";

/// How long ended processes may take to go.
const GOING: Duration = Duration::from_secs(5);

/// The ids of the living processes with this home, but for this one.
pub(crate) fn find(home: &Path) -> io::Result<Vec<Pid>> {
    let mark = [MARK.as_bytes(), b"=", OsStr::as_bytes(home.as_os_str())].concat();
    let own = rustix::process::getpid();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|pid| *pid != own && has(*pid, &mark)) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// Ends them, those that they start meanwhile as well.
pub(crate) fn end(home: &Path) -> io::Result<()> {
    let deadline = Instant::now() + GOING;
    loop {
        let found = find(home)?;
        if found.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("processes that do not end: {found:?}")));
        }
        for pid in found {
            kill(pid, home)?;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn kill(pid: Pid, home: &Path) -> io::Result<()> {
    let mark = [MARK.as_bytes(), b"=", OsStr::as_bytes(home.as_os_str())].concat();
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        handle => handle?,
    };
    // The handle keeps the id from being taken over between this look and the signal.
    if !has(pid, &mark) {
        return Ok(());
    }
    match pidfd_send_signal(handle, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the process lives and has this variable. Of another user's processes, and of those that have ended, the
/// environment cannot be read.
fn has(pid: Pid, variable: &[u8]) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == variable)
}
