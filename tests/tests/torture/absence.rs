//! A trace, a folder or a volume that is missing, or was there once before: no command is taken for one that never began.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use lifeboat_tests::driving::PATIENCE;
use lifeboat_tests::wait::wait_until;

use crate::as_root::as_root;
use crate::bench::{Bench, copy_tree};
use crate::mount::Mount;
use crate::runbooks::WAITING;

/// The record by which the second step of [`WAITING`] is started: what began is killed after it.
const STARTED: &str = "after:3";

/// A command that takes its own folder away.
const SWEEPS: &str = r#"
runbook: sweeps
steps:
  - { id: before, action: command.run, with: { script: "echo before >>DIR/effects" } }
  - { id: sweeps, action: command.run, with: { script: "echo sweeps >>DIR/effects; rm -rf $LIFEBOAT_HOME/runs/$LIFEBOAT_RUN/WHAT" } }
  - { id: after, action: command.run, with: { script: "echo after >>DIR/effects" } }
"#;

#[test]
fn a_command_that_removes_its_own_trace_runs_once() {
    for what in ["steps/sweeps", "steps/sweeps/1/supervision.jsonl", "steps/sweeps/1/*", "steps"] {
        let bench = Bench::new(&SWEEPS.replace("WHAT", what));
        let ended = bench.new_run().run();
        if what.ends_with("jsonl") {
            // Its output is still there, and its driver was told how it ended.
            ended.assert_code(0);
            continue;
        }
        ended.assert_code(6);
        assert_eq!(bench.sandbox.status()["steps"][1]["state"], "in_doubt", "{what}");
        bench.resume().run().assert_code(6);
        assert_eq!(bench.effects(), ["before", "sweeps"], "{what}");
        bench.expect(0, &["mark-done", "sweeps", "--reason", "its line is there"]);
        bench.resume().run().assert_code(0);
        assert_eq!(bench.effects(), ["before", "sweeps", "after"], "{what}");
    }
}

/// A run whose second command has ended after its driver was killed.
fn orphaned() -> Bench {
    let bench = Bench::new(WAITING);
    let driving = bench.new_run().start();
    bench.wait_for("pid");
    bench.pid_in("pid");
    driving.kill();
    end(&bench);
    bench
}

/// Something that happens to a run's folder.
type Happens = fn(&Path);

/// Lets the command go on, and waits until nothing of it runs.
fn end(bench: &Bench) {
    fs::write(bench.path("go"), "").unwrap();
    wait_until("nothing runs", PATIENCE, || bench.clues(), || bench.processes().is_empty());
    assert_eq!(bench.effects(), ["before", "waits"]);
}

#[track_caller]
fn assert_in_doubt(bench: &Bench, clue: &str) {
    for _ in 0..2 {
        bench.resume().run().assert_code(6);
        assert_eq!(bench.sandbox.status()["steps"][1]["state"], "in_doubt", "{clue}");
    }
    assert_eq!(bench.effects(), ["before", "waits"], "{clue}");
}

#[test]
fn a_trace_that_was_lost_while_nobody_drove_leaves_a_doubt() {
    let happens: [(&str, Happens); 6] = [
        ("all steps are gone", |run| fs::remove_dir_all(run.join("steps")).unwrap()),
        ("the step is gone", |run| fs::remove_dir_all(run.join("steps/waits")).unwrap()),
        ("the folder was made anew", |run| {
            fs::remove_dir_all(run.join("steps/waits")).unwrap();
            fs::create_dir_all(run.join("steps/waits/1")).unwrap();
        }),
        ("the trace is gone", |run| {
            fs::remove_file(run.join("steps/waits/1/supervision.jsonl")).unwrap();
        }),
        ("the trace is empty", |run| fs::write(run.join("steps/waits/1/supervision.jsonl"), "").unwrap()),
        ("the folder is that of another step", |run| {
            fs::remove_dir_all(run.join("steps/waits")).unwrap();
            symlink(run.join("steps/before"), run.join("steps/waits")).unwrap();
        }),
    ];
    for (clue, happens) in happens {
        let bench = orphaned();
        happens(&bench.run_folder().unwrap());
        assert_in_doubt(&bench, clue);
    }
}

/// A run whose driver died when it had recorded that it starts the second command.
fn about_to_start() -> Bench {
    let bench = Bench::new(WAITING);
    assert!(bench.new_run().env("LIFEBOAT_CRASH_AT", STARTED).run().was_killed());
    assert_eq!(bench.effects(), ["before"]);
    assert_eq!(bench.sandbox.status()["steps"][1]["attempts"], 1);
    bench
}

#[test]
fn what_did_not_begin_is_started_by_a_resume() {
    let bench = about_to_start();
    fs::write(bench.path("go"), "").unwrap();
    bench.resume().run().assert_code(0);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
}

#[test]
fn a_run_that_was_restored_from_before_a_command_began_does_not_repeat_it() {
    for only_the_steps in [false, true] {
        let bench = about_to_start();
        let run = bench.run_folder().unwrap();
        let saved = bench.path("saved");
        copy_tree(&run, &saved);
        let driving = bench.resume().start();
        bench.wait_for("pid");
        bench.pid_in("pid");
        driving.kill();
        end(&bench);
        let restored = if only_the_steps { "steps" } else { "" };
        fs::remove_dir_all(run.join(restored)).unwrap();
        copy_tree(&saved.join(restored), &run.join(restored));
        assert_in_doubt(&bench, restored);
    }
}

#[test]
fn a_folder_of_steps_that_is_a_link_by_now_does_not_repeat_a_command() {
    let bench = about_to_start();
    let (steps, saved) = (bench.run_folder().unwrap().join("steps"), bench.path("saved"));
    copy_tree(&steps, &saved);
    let driving = bench.resume().start();
    bench.wait_for("pid");
    driving.kill();
    end(&bench);
    fs::remove_dir_all(&steps).unwrap();
    symlink(&saved, &steps).unwrap();
    assert_in_doubt(&bench, "a link to an older copy");
}

#[test]
fn a_volume_that_was_mounted_anew_proves_nothing() {
    as_root("absence::a_volume_that_was_mounted_anew_proves_nothing", mount_anew);
}

fn mount_anew() {
    let bench = Bench::new(WAITING);
    let home = bench.sandbox.home();
    fs::create_dir(&home).unwrap();
    let bind = || Mount::new(&home, &["--bind", home.to_str().unwrap()]);
    let first = bind();
    assert!(bench.new_run().env("LIFEBOAT_CRASH_AT", STARTED).run().was_killed());
    drop(first);
    let _second = bind();
    fs::write(bench.path("go"), "").unwrap();
    bench.resume().run().assert_code(6);
    assert_eq!(bench.sandbox.status()["steps"][1]["state"], "in_doubt");
    assert_eq!(bench.effects(), ["before"]);
}
