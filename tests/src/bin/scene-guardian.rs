//! Starts the servers of one scene and makes sure that none outlives it.
//!
//! `scene-guardian FOLDER` reads orders (one JSON line each) from its standard input, which only the test holds open. When
//! that ends, because the test is done, panicked or was killed, it kills everything that descends from it and removes
//! FOLDER. It is the parent of all servers and adopts their orphans, so "everything" needs no list that could be stale.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use lifeboat_tests::process::{Process, children_of};
use lifeboat_tests::scene::guardian::{Order, Reply};
use rustix::io::Errno;
use rustix::process::{Signal, WaitOptions, getpid, set_child_subreaper, setsid, wait};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: scene-guardian FOLDER")?;
    let folder = Path::new(&folder);
    // A Ctrl-C, or a test runner that kills the test's group, must not hit the one who tidies up. A group of its own is
    // not enough: if the test dies while a server is stopped, the kernel hangs up on a group that is left without a parent.
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    // Whatever ends the conversation, the servers go.
    let ended = obey(folder);
    kill_all()?;
    fs::remove_dir_all(folder)?;
    ended
}

fn obey(folder: &Path) -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lock().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
        let reply =
            start(&order, folder).map_or_else(|error| Reply::Refused(error.to_string()), Reply::Started);
        let mut out = io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&reply)?)?;
    }
    Ok(())
}

/// Starts a program in the background, its output going to the end of its log.
fn start(order: &Order, folder: &Path) -> io::Result<Process> {
    let [program, arguments @ ..] = order.words.as_slice() else {
        return Err(io::Error::other("an order without words"));
    };
    let log = OpenOptions::new().create(true).append(true).open(&order.log)?;
    let child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    i32::try_from(child.id())
        .ok()
        .and_then(Process::find)
        .ok_or_else(|| io::Error::other(format!("{program} ended at once")))
}

/// Kills every descendant. Those of a killed parent become our children and are found in the next round.
fn kill_all() -> io::Result<()> {
    loop {
        for child in children_of(getpid().as_raw_nonzero().get()) {
            child.signal_tree(Signal::KILL)?;
        }
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
