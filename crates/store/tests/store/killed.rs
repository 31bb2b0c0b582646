//! Drivers that are killed anywhere: nothing acknowledged is lost, nothing else appears, the run goes on.

use std::path::Path;

use crate::driver::{self, Said};
use crate::home::Home;

/// Runs a driver under strace, which tampers with its `n`th call (in each thread) as `tamper` says.
fn tampered(home: &Path, calls: &str, n: u32, tamper: &str, only: &[&str], records: u64) -> Said {
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:{tamper}:when={n}"));
    let strace = [&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject], only].concat();
    let strace: Vec<_> = strace.into_iter().map(str::to_owned).collect();
    driver::run(driver::command(&strace, home, records))
}

/// Kills drivers at their first, second, … call of a kind, until one gets to its end.
fn sweep(calls: &str, prepare: impl Fn(&Path), records: u64) {
    for n in 1.. {
        let home = Home::new();
        prepare(home.0.path());
        let said = tampered(home.0.path(), calls, n, "signal=SIGKILL", &[], records);
        driver::check(home.0.path(), said.acked);
        if said.done {
            assert!(n > 1, "{calls} was never called: is strace installed?");
            return;
        }
        assert!(n < 200, "{calls}: no driver gets to its end");
    }
}

#[test]
fn at_any_sync_of_a_new_run() {
    sweep("fsync,fdatasync", |_| {}, 12);
}

#[test]
fn at_any_rename_of_a_new_run() {
    sweep("rename,renameat,renameat2", |_| {}, 12);
}

#[test]
fn at_any_write_of_a_new_run() {
    sweep("write,pwrite64,ftruncate,mkdir", |_| {}, 8);
}

#[test]
fn at_any_call_of_a_takeover() {
    let prepare = |home: &Path| assert!(driver::run(driver::command(&[], home, 10)).done);
    sweep("fsync,fdatasync,rename,renameat,renameat2,unlink,pwrite64,ftruncate", prepare, 16);
}

#[test]
fn again_and_again() {
    let home = Home::new();
    let (mut acked, mut random) = (0, 0x2545_f491_4f6c_dd1d_u64);
    for round in 0..40 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // One in four is killed at once: somewhere in its opening.
        let further = if round % 4 == 0 { 0 } else { random >> 59 };
        let said = driver::run_and_kill(driver::command(&[], home.0.path(), u64::MAX), acked + further);
        acked = acked.max(said.acked);
        if random >> 32 & 1 == 0 {
            driver::check(home.0.path(), acked);
        }
    }
    assert!(acked > 100, "only {acked} records were written");
    driver::check(home.0.path(), acked);
}

#[test]
fn a_failed_append_is_the_last_one() {
    for (calls, error) in
        [("fdatasync", "EIO"), ("fdatasync", "ENOSPC"), ("fsync", "EIO"), ("write", "ENOSPC")]
    {
        let mut failures = 0;
        for n in 1..10 {
            let home = Home::new();
            // The other writes are how the driver talks to us.
            let journal = home.journal(&driver::the_run());
            let only =
                if calls == "write" { ["-P", journal.to_str().expect("text")].to_vec() } else { Vec::new() };
            let said = tampered(home.0.path(), calls, n, &format!("error={error}"), &only, 12);
            assert!(said.done || said.failed.is_some() || said.acked == 0, "{calls} {n}: {said:?}");
            failures += u32::from(said.failed.is_some());
            driver::check(home.0.path(), said.acked);
        }
        assert!(failures > 0, "{calls} never failed");
    }
}

/// The limit cuts a write short in the middle, as a full disk does, and then refuses the rest.
#[test]
fn a_full_disk_leaves_no_torn_record() {
    for blocks in [30, 40, 41, 42, 43, 60] {
        let home = Home::new();
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let shell = ["sh", "-c", &script, "sh"].map(str::to_owned);
        let said = driver::run(driver::command(&shell, home.0.path(), 400));
        let why = said.failed.expect("the limit is met");
        assert!(why.contains("journal.jsonl") || said.acked == 0, "{why}");
        if said.acked > 0 {
            let loaded = Home::load(home.0.path(), &driver::the_run());
            assert_eq!((loaded.records.len() as u64, loaded.notes), (said.acked, Vec::new()));
        }
        driver::check(home.0.path(), said.acked);
    }
}

#[test]
fn a_read_only_home_is_readable_and_refuses_drivers() {
    let home = Home::new();
    assert!(driver::run(driver::command(&[], home.0.path(), 10)).done);
    let lock = home.folder(&driver::the_run()).join("lock");
    let only = ["-P", lock.to_str().expect("text")];
    let said = tampered(home.0.path(), "openat", 1, "error=EROFS", &only, 20);
    assert_eq!(said.failed, Some(format!("cannot open {}", lock.display())));
    assert_eq!(Home::load(home.0.path(), &driver::the_run()).records.len(), 10);
}

#[test]
fn of_two_processes_one_drives() {
    let home = Home::new();
    let run = home.run_of(1, 3);
    let claim = home.claim(&run);
    let said = driver::run(driver::command(&[], home.0.path(), 20));
    let why = said.failed.expect("locked");
    assert!(
        why.starts_with(&format!("{run} is driven by another process: pid 2 on test-host, since")),
        "{why}"
    );
    drop(claim);
}
