//! `lifeboat demo` holds its promises, and leaves nothing behind however it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lifeboat_tests::process::Process;
use lifeboat_tests::programs::built;
use lifeboat_tests::wait::wait_until;
use rustix::process::Signal;
use tempfile::TempDir;

/// How long what was killed may take to go.
const GOING: Duration = Duration::from_secs(10);

fn demo(temp: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(built("lifeboat"));
    command.arg("demo").args(args).env("TMPDIR", temp.path()).stdin(Stdio::null());
    // Runs of the person who tests are nothing to the demo.
    command.env("HOME", temp.path()).env_remove("LIFEBOAT_HOME").env_remove("NO_COLOR");
    command
}

/// The living processes that were given this folder for temporary files.
fn alive(temp: &Path) -> Vec<i32> {
    let mark = [b"TMPDIR=", temp.as_os_str().as_bytes()].concat();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark)
    })
    .collect()
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn the_tour_proves_what_it_claims_and_leaves_nothing_behind() {
    let temp = TempDir::new().unwrap();
    let output = demo(&temp, &[]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}\n{told}{}", output.status, String::from_utf8_lossy(&output.stderr));
    assert_eq!(told.matches('✓').count(), 9, "{told}");
    assert_eq!(told.matches('✗').count(), 0, "{told}");
    for word in
        ["kill -9", "lifeboat drill", "lifeboat run", "lifeboat resume", "promote        done, by looking"]
    {
        assert!(told.contains(word), "`{word}` is missing:\n{told}");
    }
    for line in told.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
        assert!(!line.contains('\x1b'), "colour where there is no terminal: {line:?}");
    }
    assert_eq!(alive(temp.path()), Vec::<i32>::new());
    assert_eq!(entries(temp.path()), Vec::<String>::new());
}

#[test]
fn what_is_kept_can_be_looked_at() {
    let temp = TempDir::new().unwrap();
    let output = demo(&temp, &["--keep"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let [kept] = entries(temp.path()).try_into().unwrap();
    let home = temp.path().join(kept).join("home");
    let verified =
        Command::new(built("lifeboat")).args(["journal", "--verify", "--home"]).arg(home).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    assert_eq!(alive(temp.path()), Vec::<i32>::new());
}

/// Ctrl-C while nobody drives the run: its script goes on under a supervisor that the tour did not start.
#[test]
fn an_interrupted_tour_leaves_nothing_behind() {
    let temp = TempDir::new().unwrap();
    let mut tour = demo(&temp, &[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let supervised = until_nobody_drives(&mut tour, temp.path());
    Process::find(tour.id() as i32).unwrap().signal(Signal::INT).unwrap();
    assert_eq!(tour.wait().unwrap().code(), Some(5));
    wait_until("the script is gone", GOING, || "", || !supervised.is_alive());
    assert_eq!(alive(temp.path()), Vec::<i32>::new());
    assert_eq!(entries(temp.path()), Vec::<String>::new());
}

/// Reads what the tour tells up to the driver's end; gives the script that outlived it.
fn until_nobody_drives(tour: &mut Child, temp: &Path) -> Process {
    let mut lines = BufReader::new(tour.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The second one is the driver's: the first is region east's.
    for _ in 0..2 {
        lines.find(|line| line.starts_with("  $ kill -9")).unwrap();
    }
    let [folder] = entries(temp).try_into().unwrap();
    let log = temp.join(folder).join("west/index.log");
    let first = fs::read_to_string(log).unwrap().lines().next().unwrap().to_owned();
    let pid = first.rsplit(' ').next().unwrap().parse().unwrap();
    // Keeps being read, so that the tour does not end over a broken pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Process::find(pid).unwrap()
}
