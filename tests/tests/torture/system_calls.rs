//! Killed at its every sync and rename, and told at each of them that it failed.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use lifeboat_tests::cli::Answer;
use serde_json::Value;

use crate::bench::{Bench, Uninterrupted, traced};
use crate::runbooks::{CHECKED, EVERYTHING};

/// More than any of these runs has.
const ENOUGH: u32 = 200;

const SYNCS: &str = "fsync,fdatasync";
const RENAMES: &str = "rename,renameat,renameat2";
const WRITES: &str = "write,writev,pwrite64";

/// Runs until a whole run passes that was not killed; the number of kills.
fn kill_at_every(calls: &str, runbook: &str) -> u32 {
    let expected = Uninterrupted::of(runbook);
    for number in 1..ENOUGH {
        let bench = Bench::new(runbook);
        let clue = format!("{calls} {number}");
        let inject = format!("inject={calls}:signal=KILL:when={number}");
        let ended = traced(&["-e".as_ref(), inject.as_ref()], bench.new_run()).run();
        if !ended.was_killed() {
            ended.assert_code(0);
            bench.assert_whole(&expected, &clue);
            return number - 1;
        }
        if bench.sandbox.lifeboat(["status"]).run().code == Some(2) {
            assert_eq!(bench.effects(), [""; 0], "{clue}: there is no run, and yet something was done");
            bench.new_run().run().assert_code(0);
            assert_eq!(bench.sorted_effects(), expected.effects, "{clue}");
            continue;
        }
        resume(&bench, &clue);
        bench.assert_whole(&expected, &clue);
    }
    panic!("{calls}: no end in sight");
}

/// A run that was killed over its last record may be over.
#[track_caller]
fn resume(bench: &Bench, clue: &str) {
    if bench.sandbox.status()["state"] != "finished" {
        let ended = bench.resume().run();
        assert_eq!(ended.code, Some(0), "{clue}: {ended}");
    }
}

#[test]
fn a_run_killed_at_any_sync_is_finished_by_a_resume() {
    let kills = kill_at_every(SYNCS, CHECKED);
    println!("{kills} kills");
    assert!(kills > 3, "the run costs a sync, and each of its three steps: {kills}");
}

#[test]
fn a_run_killed_at_any_rename_is_finished_by_a_resume() {
    // A run that takes a while gets checkpoints: sled renames its snapshots, and the store is renamed when it is whole.
    let a_while = "steps:\n  - { id: waits, action: wait.for, with: { duration: 300ms } }\n";
    let kills = kill_at_every(RENAMES, &CHECKED.replacen("steps:\n", a_while, 1));
    println!("{kills} kills");
    assert!(kills > 1, "checkpoints appear under their name when they are whole: {kills}");
}

/// Resumes a run that only just exists, and fails the journal's N-th call of one kind, for every N.
fn fail_the_journals_every(calls: &str, error: &str) -> u32 {
    let expected = Uninterrupted::of(EVERYTHING);
    for number in 1..ENOUGH {
        let bench = Bench::new(EVERYTHING);
        bench.create_only();
        let journal = bench.run_folder().unwrap().join("journal.jsonl");
        let clue = format!("{calls} {number} says {error}");
        let ended = inject(&bench, &journal, &format!("{calls}:error={error}:when={number}"));
        if ended.code == Some(0) {
            bench.assert_whole(&expected, &clue);
            return number - 1;
        }
        assert_eq!(ended.code, Some(8), "{clue}: {ended}");
        assert!(ended.stderr.contains("lifeboat resume run_"), "{clue}: no next command: {ended}");
        assert_nothing_unrecorded(&bench, &clue);
        resume(&bench, &clue);
        bench.assert_whole(&expected, &clue);
    }
    panic!("{calls}: no end in sight");
}

/// Resumes while calls on one file are tampered with.
fn inject(bench: &Bench, path: &Path, what: &str) -> Answer {
    let inject = format!("inject={what}");
    let options: [&OsStr; 4] = ["-P".as_ref(), path.as_os_str(), "-e".as_ref(), inject.as_ref()];
    traced(&options, bench.resume()).run()
}

/// Every effect belongs to a step whose start is recorded.
#[track_caller]
fn assert_nothing_unrecorded(bench: &Bench, clue: &str) {
    let journal = bench.journal();
    for effect in bench.effects() {
        // What `uses` leaves is the output of another step.
        let step = if effect == "told" { "uses" } else { &effect };
        assert!(journal.about("step_started", step).next().is_some(), "{clue}: {step} was never started");
    }
}

#[test]
fn a_sync_of_the_journal_that_fails_stops_the_run_before_the_next_effect() {
    let failed = fail_the_journals_every(SYNCS, "EIO");
    println!("{failed} failed syncs");
    assert!(failed > 7, "there are eight steps that run: {failed}");
}

#[test]
fn a_write_to_the_journal_without_room_stops_the_run_before_the_next_effect() {
    let failed = fail_the_journals_every(WRITES, "ENOSPC");
    println!("{failed} failed writes");
    assert!(failed > 7, "there are eight steps that run: {failed}");
}

#[test]
fn a_run_whose_first_record_cannot_be_synced_does_not_exist() {
    let bench = Bench::new(CHECKED);
    let ended =
        traced(&["-e".as_ref(), format!("inject={SYNCS}:error=EIO:when=1").as_ref()], bench.new_run()).run();
    ended.assert_code(8);
    assert_eq!(bench.effects(), [""; 0]);
    assert_eq!(bench.expect(0, &["runs", "--json"]).stdout, "");
    bench.new_run().run().assert_code(0);
}

/// The trace of a step: its driver opens it, its supervisor claims it, and says that the command started and ended.
#[test]
fn a_supervisor_killed_at_any_line_it_writes_leaves_nothing_lost_or_repeated() {
    let expected = Uninterrupted::of(CHECKED);
    let mut kills = 0;
    // Of the first, the driver that is killed has already said that it starts.
    for step in ["two", "three"] {
        for lines in 1..=3 {
            let bench = Bench::new(CHECKED);
            bench.create_only();
            let clue = format!("{step} after {lines} lines");
            let trace = bench.run_folder().unwrap().join(format!("steps/{step}/1/supervision.jsonl"));
            // A write of the supervisor's own, or the lock before its first one: the driver writes, too.
            let call = if lines == 1 {
                "flock:signal=KILL:when=1"
            } else {
                &format!("{WRITES}:signal=KILL:when={lines}")
            };
            let ended = inject(&bench, &trace, call);
            let text = fs::read_to_string(&trace).unwrap();
            assert_eq!(text.lines().count(), lines, "{clue}: not killed: {text}");
            kills += 1;
            if lines == 1 {
                // The driver finds no claim, and dies over the lock, too.
                assert!(ended.was_killed(), "{clue}: {ended}");
                bench.resume().run().assert_code(0);
            } else {
                assert_eq!(ended.code, Some(0), "{clue}: {ended}");
            }
            assert_eq!(bench.sorted_effects(), expected.effects, "{clue}");
            assert_eq!(bench.sandbox.status()["verdict"], "succeeded", "{clue}");
        }
    }
    println!("{kills} supervisors killed");
}

#[test]
fn a_supervisor_that_cannot_record_an_end_says_so_in_the_outcome() {
    let bench = Bench::new(CHECKED);
    bench.create_only();
    let trace = bench.run_folder().unwrap().join("steps/two/1/supervision.jsonl");
    // The third line that it writes.
    inject(&bench, &trace, &format!("{WRITES}:error=ENOSPC:when=3")).assert_code(0);
    let warnings: Value = bench.journal().outcome("two").unwrap()["warnings"].clone();
    assert!(warnings.to_string().contains("could not be recorded"), "{warnings}");
    assert_eq!(bench.effects(), ["one", "two", "three"]);
}
