//! A `lifeboat` that was started and is left running.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

use crate::process::Process;
use crate::wait::wait_until;

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A started `lifeboat`. Dropped, it is killed.
#[derive(Debug)]
pub struct Driving {
    child: Child,
}

impl Driving {
    pub(crate) fn start(command: Command) -> Self {
        Self::start_into(command, Stdio::null(), Stdio::null())
    }

    /// Starts it with its output in these.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_into(mut command: Command, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Self {
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        Self { child: command.spawn().expect("lifeboat starts") }
    }

    pub(crate) fn start_loud(command: Command, path: &Path) -> Self {
        let file = File::create(path).expect("a file can be made");
        Self::start_into(command, file.try_clone().expect("a file can be shared"), file)
    }

    /// Its process id.
    ///
    /// # Panics
    /// Never on Linux.
    pub fn pid(&self) -> i32 {
        self.child.id().try_into().expect("process ids are small")
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        let process = Process::find(self.pid()).expect("lifeboat is alive");
        process.signal(signal).expect("lifeboat is alive");
    }

    /// Whether it ends by itself within that time.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn ends_within(&self, time: Duration) -> bool {
        let handle =
            pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()).expect("a child has a handle");
        let time = Timespec::try_from(time).expect("a short time");
        poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&time)).expect("a handle can be polled") > 0
    }

    /// SIGKILL, and its end.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("lifeboat can be killed");
        self.child.wait().expect("lifeboat ends");
    }

    /// Waits for its end; the exit code, or none when a signal ended it.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn code(mut self) -> Option<i32> {
        let child = &mut self.child;
        let ended = || child.try_wait().expect("lifeboat can be waited for");
        wait_until("lifeboat ends", PATIENCE, || "", ended).code()
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
