//! Power cuts, simulated: every write and sync of a few drivers is recorded, the disk is rebuilt as it may look after a
//! cut at many points, and the store must open each of those disks with every acknowledged record in it.
//!
//! The model is simple: `fsync` and `fdatasync` make durable what was written to the file before, and its size; of the
//! rest anything may be there, down to single pages. Nothing that sled does without a sync counts as durable.

mod disk;
mod trace;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use self::disk::{Disk, Names, Policy, Random};
use self::trace::Event;
use crate::driver;

/// Records what two drivers do, one after the other, the second of which takes over from the first.
fn recorded(home: &Path) -> Vec<Event> {
    let trace = home.with_extension("trace");
    let calls = "trace=openat,write,pwrite64,writev,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,\
                 unlink,unlinkat,mkdir,mkdirat,lseek";
    let strace = [
        "strace",
        "-f",
        "-y",
        "-xx",
        "-s",
        "4000000",
        "-A",
        "-o",
        trace.to_str().expect("text"),
        "-e",
        calls,
    ];
    let strace = strace.map(str::to_owned);
    for records in [25, 50] {
        let said = driver::run(driver::command(&strace, home, records));
        assert!(said.done, "{said:?}: is strace installed?");
    }
    trace::read(&trace, home)
}

fn survive_cuts(names: Names) {
    let folder = TempDir::new().expect("a temporary folder");
    let home = folder.path().join("home");
    let events = recorded(&home);
    let mut random = Random::new(7);
    let (mut states, mut acked_states) = (0, 0);
    for _ in 0..60 {
        let cut = random.below(events.len() + 1);
        for policy in [Policy::Nothing, Policy::All, Policy::Prefix, Policy::Pages] {
            let disk = Disk::after(&events[..cut], names, &home);
            let cut_home = folder.path().join("cut");
            disk.write(&cut_home, policy, &mut random);
            driver::check(&cut_home, disk.acked());
            fs::remove_dir_all(&cut_home).expect("removed");
            states += 1;
            acked_states += usize::from(disk.acked() > 0);
        }
    }
    assert!(
        acked_states > states / 2,
        "only {acked_states} of {states} cuts came after an acknowledged record"
    );
}

#[test]
fn when_a_sync_of_a_file_also_keeps_names() {
    survive_cuts(Names::Journalled);
}

#[test]
fn when_names_are_kept_by_syncs_of_their_folder_alone() {
    survive_cuts(Names::Strict);
}

/// The method itself finds a store that does not sync: else the tests above could not fail.
#[test]
fn a_file_that_was_never_synced_is_found_missing() {
    let folder = TempDir::new().expect("a temporary folder");
    let home = folder.path().join("home");
    fs::create_dir(&home).expect("created");
    let trace = folder.path().join("trace");
    let script = "cd \"$1\" && printf one >synced && sync -d synced && printf two >unsynced";
    let calls = "trace=openat,write,fsync,fdatasync";
    let status = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", "100", "-o", trace.to_str().expect("text"), "-e", calls])
        .args(["sh", "-c", script, "sh", home.to_str().expect("text")])
        .stderr(Stdio::null())
        .status()
        .expect("strace");
    assert!(status.success());
    let disk = Disk::after(&trace::read(&trace, &home), Names::Journalled, &home);
    let kept = |policy| {
        let cut_home = folder.path().join("cut");
        disk.write(&cut_home, policy, &mut Random::new(1));
        let kept =
            ["synced", "unsynced"].map(|name| fs::read_to_string(cut_home.join(name)).unwrap_or_default());
        fs::remove_dir_all(&cut_home).expect("removed");
        kept
    };
    assert_eq!(kept(Policy::Nothing), ["one", ""]);
    assert_eq!(kept(Policy::All), ["one", "two"]);
}
