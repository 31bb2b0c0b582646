//! No room, and no right to write.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::as_root::as_root;
use crate::bench::Bench;
use crate::mount::{Mount, mount};
use crate::runbooks::WAITING;

/// What a reader can still do.
#[track_caller]
fn assert_readable(bench: &Bench, state: &str) {
    assert_eq!(bench.sandbox.status()["state"], state);
    assert!(bench.expect(0, &["runs", "--json"]).stdout.contains(state));
    bench.expect(0, &["journal"]);
    bench.expect(0, &["journal", "--verify"]);
}

/// The record that starts the last step needs more room than is left in any page.
fn with_a_large_record() -> String {
    let padding = "x".repeat(8192);
    WAITING.replace(
        "echo after >>DIR/effects\"",
        &format!("echo after >>DIR/effects\", env: {{ PADDING: {padding} }}"),
    )
}

#[test]
fn a_full_disk_stops_the_run_before_the_next_effect() {
    as_root("disk::a_full_disk_stops_the_run_before_the_next_effect", fill_the_disk);
}

fn fill_the_disk() {
    let bench = Bench::new(&with_a_large_record());
    fs::create_dir(bench.sandbox.home()).unwrap();
    let _small = Mount::new(&bench.sandbox.home(), &["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs"]);
    let driving = bench.new_run().start_loud(&bench.path("said"));
    bench.wait_for("pid");
    let filler = bench.sandbox.home().join("filler");
    let mut file = OpenOptions::new().append(true).create(true).open(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    // Open, it would keep the room when it is removed.
    drop(file);
    fs::write(bench.path("go"), "").unwrap();
    assert_eq!(driving.code(), Some(8), "{}", bench.clues());
    let said = fs::read_to_string(bench.path("said")).unwrap();
    assert!(said.contains("No space left on device") && said.contains("lifeboat resume run_"), "{said}");
    assert_eq!(bench.effects(), ["before", "waits"]);
    assert_readable(&bench, "stopped");
    let other = bench.new_run();
    other.run().assert_code(8);
    bench.resume().run().assert_code(8);
    assert_eq!(bench.effects(), ["before", "waits"]);

    fs::remove_file(filler).unwrap();
    bench.resume().run().assert_code(0);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
    assert_eq!(bench.journal().breaches(), [""; 0]);
    assert_eq!(bench.expect(0, &["runs", "--json"]).stdout.lines().count(), 1);
}

/// Small steps, of which the first fills the disk: what finds no room then is a record, a folder or a file, depending on
/// how much is left in a page.
fn filling(steps: usize) -> String {
    let mut text = "runbook: filling\nsteps:\n".to_owned();
    text.push_str("  - { id: fills, action: command.run, with: { script: \"cat /dev/zero >$LIFEBOAT_HOME/filler || echo fills >>DIR/effects\" } }\n");
    let step = |id: &str| {
        format!("  - {{ id: {id}, action: command.run, with: {{ script: \"echo {id} >>DIR/effects\" }} }}\n")
    };
    text.extend((0..steps).map(|number| step(&format!("s{number}"))));
    text.push_str(&format!("finally:\n{}", step("last")));
    text
}

#[test]
fn a_full_disk_is_no_failure_of_a_step() {
    as_root("disk::a_full_disk_is_no_failure_of_a_step", || {
        [1, 5, 12, 20, 30, 41].into_iter().for_each(no_room_for);
    });
}

fn no_room_for(steps: usize) {
    let bench = Bench::new(&filling(steps));
    fs::create_dir(bench.sandbox.home()).unwrap();
    let _small = Mount::new(&bench.sandbox.home(), &["-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs"]);
    let ended = bench.new_run().run();
    assert_eq!(ended.code, Some(8), "{steps} steps: {ended}");
    assert_eq!(bench.effects(), ["fills"], "{steps} steps");
    fs::remove_file(bench.sandbox.home().join("filler")).unwrap();
    bench.resume().run().assert_code(0);
    let all = (0..steps).map(|number| format!("s{number}"));
    let all: Vec<_> = ["fills".to_owned()].into_iter().chain(all).chain(["last".to_owned()]).collect();
    assert_eq!(bench.effects(), all, "{steps} steps");
}

#[test]
fn a_read_only_home_can_be_read_and_nothing_more() {
    let bench = Bench::new(WAITING);
    bench.create_only();
    fs::write(bench.path("go"), "").unwrap();
    let home = bench.sandbox.home();
    let locked = Locked::new(&home);
    assert_readable(&bench, "stopped");
    for command in [bench.resume(), bench.new_run(), bench.command(&["cancel", "--reason", "why not"])] {
        let ended = command.run();
        ended.assert_code(8);
    }
    assert_eq!(bench.effects(), [""; 0]);
    drop(locked);
    bench.resume().run().assert_code(0);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
}

/// A folder that cannot be written to. Permissions do not stop root, a mount does.
enum Locked {
    Mounted { _mount: Mount },
    Forbidden(PathBuf),
}

impl Locked {
    fn new(folder: &Path) -> Self {
        if geteuid().is_root() {
            let mounted = Mount::new(folder, &["--bind", folder.to_str().unwrap()]);
            mount(&["-o", "remount,bind,ro"], folder);
            return Self::Mounted { _mount: mounted };
        }
        permit(folder, "a-w");
        Self::Forbidden(folder.to_owned())
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if let Self::Forbidden(folder) = self {
            permit(folder, "u+w");
        }
    }
}

fn permit(folder: &Path, mode: &str) {
    assert!(Command::new("chmod").args(["-R", mode]).arg(folder).status().unwrap().success());
}
