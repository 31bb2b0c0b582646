//! All processes of a command, and how they are made to end.
//!
//! A process belongs to a command if it is in the command's process group, descends from it, or carries the command's
//! mark in the environment it was started with. The mark is what finds a daemon that left group, session and parents.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, kill_process_group, pidfd_open, pidfd_send_signal};

use crate::place::Mark;
use crate::process::{Stat, is_short_of_files};

/// How long killed processes may take to vanish. Longer takes only one that is stuck inside the kernel.
const DYING: Duration = Duration::from_secs(5);

/// How long a process is waited for before the others are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// How long those who look for processes wait for files that others have open.
const NO_FILES: Duration = Duration::from_millis(10);

/// One look at all processes.
#[derive(Debug)]
struct Look {
    /// Nothing was missed for want of files to open.
    is_whole: bool,
}

/// The processes of one command.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// The command's first process, which leads its group, where it is known and not reaped.
    pub(crate) leader: Option<Pid>,
    pub(crate) mark: Mark,
}

/// A process that was a member of the tree when it was looked at.
#[derive(Debug)]
struct Member {
    stat: Stat,
    /// Names this very process, also after its id is used again.
    handle: OwnedFd,
}

impl Tree {
    /// Asks all processes to end, and after `grace` kills those that have not. Returns when none is left, with the ids
    /// of those that could not even be killed.
    ///
    /// The caller knows that the leader's id is still the leader's.
    pub(crate) fn stop(&self, grace: Duration) -> Vec<i32> {
        let deadline = Instant::now() + grace;
        let mut asked = Vec::new();
        // Fails when the whole group is over, which is what is wanted.
        let _ = self.leader.map(|leader| kill_process_group(leader, Signal::TERM));
        loop {
            let members = self.members();
            if members.is_empty() {
                return Vec::new();
            }
            if !wait_until(&members, &mut asked, self.leader, deadline) {
                break;
            }
        }
        self.kill()
    }

    fn kill(&self) -> Vec<i32> {
        let deadline = Instant::now() + DYING;
        // All at once: one after another, a script would go on with its next line when its child is gone.
        let _ = self.leader.map(|leader| kill_process_group(leader, Signal::KILL));
        loop {
            let members = self.members();
            if members.is_empty() || Instant::now() >= deadline {
                return members.iter().map(|member| member.stat.pid).collect();
            }
            for member in &members {
                let _ = pidfd_send_signal(&member.handle, Signal::KILL);
            }
            wait_for_all(&members, deadline);
        }
    }

    /// Returns when the first process is over; all of them, where the first is not known.
    pub(crate) fn outlast(&self) {
        let awaited =
            |member: &Member| self.leader.is_none_or(|leader| leader.as_raw_pid() == member.stat.pid);
        loop {
            let mut members = self.members();
            members.retain(awaited);
            if members.is_empty() {
                return;
            }
            wait_for_all(&members, Instant::now() + LOOK_AGAIN);
        }
    }

    /// The ids of all processes that are not over.
    pub(crate) fn alive(&self) -> Vec<i32> {
        self.members().iter().map(|member| member.stat.pid).collect()
    }

    /// The members; all of them, unless there are no more files to open. Then those that are seen are enough to go on
    /// with, but seeing none does not mean that none is left: others who look are waited for, to close their files.
    fn members(&self) -> Vec<Member> {
        loop {
            let mut look = Look { is_whole: true };
            let members = self.seen(&mut look);
            if look.is_whole || !members.is_empty() {
                return members;
            }
            thread::sleep(NO_FILES);
        }
    }

    fn seen(&self, look: &mut Look) -> Vec<Member> {
        let me = getpid().as_raw_pid();
        let all = look.processes();
        let others = all.values().filter(|stat| stat.pid != me && !stat.is_over());
        let owned =
            others.filter_map(|stat| if self.owns(stat, &all, look) { look.handle(stat) } else { None });
        owned.collect()
    }

    fn owns(&self, stat: &Stat, all: &HashMap<i32, Stat>, look: &mut Look) -> bool {
        let led_by = |leader: i32| stat.group == leader || descends(stat, leader, all);
        self.leader.map(Pid::as_raw_pid).is_some_and(led_by) || self.has_mark(stat.pid, look)
    }

    /// Another user's environment cannot be read; such a process could not be signalled either.
    fn has_mark(&self, pid: i32, look: &mut Look) -> bool {
        let environment = look.found(fs::read(format!("/proc/{pid}/environ"))).unwrap_or_default();
        let has =
            |entry: &String| environment.split(|byte| *byte == 0).any(|found| found == entry.as_bytes());
        self.mark.iter().all(has)
    }
}

impl Look {
    /// What is there, and ours to see.
    fn found<T>(&mut self, result: io::Result<T>) -> Option<T> {
        self.is_whole &= !result.as_ref().is_err_and(is_short_of_files);
        result.ok()
    }

    fn processes(&mut self) -> HashMap<i32, Stat> {
        let entries = self.found(fs::read_dir("/proc")).into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid| Some((pid, self.found(Stat::read(pid))?))).collect()
    }

    /// None when the process is gone, or its id is another's by now.
    fn handle(&mut self, stat: &Stat) -> Option<Member> {
        let handle = pidfd_open(Pid::from_raw(stat.pid)?, PidfdFlags::empty());
        let handle = self.found(handle.map_err(io::Error::from))?;
        let now = self.found(Stat::read(stat.pid))?;
        (now.start_time == stat.start_time).then_some(Member { stat: now, handle })
    }
}

fn descends(stat: &Stat, ancestor: i32, all: &HashMap<i32, Stat>) -> bool {
    if stat.pid == ancestor {
        return true;
    }
    // The walk is as long as there are processes at most: ids used again while reading could make a ring.
    let parents = std::iter::successors(Some(stat), |stat| all.get(&stat.parent)).take(all.len());
    parents.skip(1).any(|parent| parent.pid == ancestor)
}

/// Signals the members outside the leader's group that were not asked before, and waits until all are over. False when
/// the deadline has passed.
fn wait_until(members: &[Member], asked: &mut Vec<i32>, leader: Option<Pid>, deadline: Instant) -> bool {
    for member in members {
        let is_new = !asked.contains(&member.stat.pid);
        if is_new && Some(member.stat.group) != leader.map(Pid::as_raw_pid) {
            let _ = pidfd_send_signal(&member.handle, Signal::TERM);
        }
        asked.extend(is_new.then_some(member.stat.pid));
    }
    wait_for_all(members, deadline)
}

/// Waits until all are over. False when the deadline has passed before.
fn wait_for_all(members: &[Member], deadline: Instant) -> bool {
    members.iter().all(|member| {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&member.handle, PollFlags::IN)], timeout.as_ref()) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    })
}
