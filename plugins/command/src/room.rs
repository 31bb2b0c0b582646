//! Room for commands. Each keeps a file open while it runs, and more while it is being stopped, and a process may have
//! only so many. So the limit is raised as far as it may be when it gets near, and beyond that a command waits for
//! another one to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// A command's trace; while it is stopped, the list of processes, one of its entries, and a handle.
const FILES_EACH: u64 = 4;

/// Pipes, what is open while a command is started, and while ends are put on the disk.
const FILES_BESIDES: u64 = 40;

/// How many commands may run at once.
#[derive(Debug)]
pub(crate) struct Room {
    /// What we were started with. Commands get the same.
    given: Rlimit,
    raised: AtomicBool,
    most: u64,
    taken: Mutex<u64>,
    changed: Condvar,
}

/// Room for one command, until it is dropped.
#[derive(Debug)]
pub(crate) struct Taken<'a>(&'a Room);

impl Room {
    /// For commands that are to have this limit on open files: our driver may have raised the one that it was started
    /// with, and we inherit that.
    pub(crate) fn new(files: Option<u64>) -> Self {
        let inherited = getrlimit(Resource::Nofile);
        let given = Rlimit { current: files.or(inherited.current), maximum: inherited.maximum };
        // Lowering it to what it was is always allowed.
        let _ = setrlimit(Resource::Nofile, given);
        Self::within(given)
    }

    fn within(given: Rlimit) -> Self {
        let files = given.maximum.unwrap_or(u64::MAX);
        let most = (files.saturating_sub(FILES_BESIDES) / FILES_EACH).max(1);
        let (raised, taken, changed) = Default::default();
        Self { given, raised, most, taken, changed }
    }

    /// Takes room for a command, if there is any.
    pub(crate) fn take(&self) -> Option<Taken<'_>> {
        self.take_of(&mut self.taken())
    }

    /// Waits until there is room for a command, or nobody wants it any more.
    pub(crate) fn wait(&self, is_wanted: impl Fn() -> bool) -> Option<Taken<'_>> {
        let full = |taken: &mut u64| *taken >= self.most && is_wanted();
        let waited = self.changed.wait_while(self.taken(), full);
        self.take_of(&mut waited.unwrap_or_else(PoisonError::into_inner))
    }

    fn take_of(&self, taken: &mut u64) -> Option<Taken<'_>> {
        if *taken >= self.most {
            return None;
        }
        *taken += 1;
        if self.given.current.is_some_and(|files| *taken * 2 * FILES_EACH > files) {
            self.make();
        }
        Some(Taken(self))
    }

    /// Somebody who waits may not want to any more.
    pub(crate) fn wake(&self) {
        drop(self.taken());
        self.changed.notify_all();
    }

    /// Raises the limit. Not before it is needed: a command sees the raised one in its first moment.
    pub(crate) fn make(&self) {
        if !self.raised.swap(true, Ordering::Relaxed) {
            let maximum = self.given.maximum;
            // Should it be refused, commands that find no room fail, and may be tried again.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        }
    }

    /// Gives a command that was just started the limit that we were started with: some programs count on a low one.
    pub(crate) fn restore(&self, command: Pid) {
        if self.raised.load(Ordering::Relaxed) {
            // It may be over already, or another user's by now.
            let _ = prlimit(Some(command), Resource::Nofile, self.given);
        }
    }

    fn taken(&self) -> MutexGuard<'_, u64> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.taken() -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(files: u64) -> Room {
        Room::within(Rlimit { current: Some(u64::MAX), maximum: Some(files) })
    }

    #[test]
    fn one_command_always_has_room_and_no_more_than_the_limit_allows() {
        assert_eq!(room(10).most, 1);
        let room = room(FILES_BESIDES + 2 * FILES_EACH);
        let (first, second) = (room.take(), room.take());
        assert!(first.is_some() && second.is_some() && room.take().is_none());
        drop(first);
        assert!(room.take().is_some());
        drop(second);
    }

    #[test]
    fn who_waits_gets_the_room_that_another_leaves_or_gives_up_when_not_wanted() {
        let room = room(10);
        let first = room.take().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| room.wait(|| true).is_some());
            drop(first);
            assert!(waiting.join().unwrap());
        });
        let _all = room.take().unwrap();
        let wanted = AtomicBool::new(true);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| room.wait(|| wanted.load(Ordering::Relaxed)).is_none());
            wanted.store(false, Ordering::Relaxed);
            room.wake();
            assert!(waiting.join().unwrap());
        });
    }
}
