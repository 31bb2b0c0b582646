//! Attempts that may still be going on: whatever is decided about them, nothing begins beside them.

use std::ffi::OsStr;
use std::fs;

use lifeboat_tests::driving::{Driving, PATIENCE};
use lifeboat_tests::wait::wait_until;
use rustix::process::Signal;

use crate::bench::{Bench, traced};
use crate::runbooks::WAITING;

const SECRET: &str = r#"
runbook: secret
secrets: { word: { file: DIR/word } }
steps:
  - id: waits
    action: command.run
    with:
      script: "echo $$ >DIR/pid; until [ -e DIR/go ]; do sleep 0.01; done; echo waits >>DIR/effects"
      env: { WORD: "{{ secrets.word }}" }
finally:
  - { id: last, action: command.run, with: { script: "echo last >>DIR/effects" } }
"#;

/// Its first process ends when it is asked to, another one of its does not.
const STUBBORN: &str = r#"
runbook: stubborn
steps:
  - id: works
    action: command.run
    with:
      script: "echo begin >>DIR/effects; (trap '' TERM; until [ -e DIR/go ]; do sleep 0.01; done; echo end >>DIR/effects) & echo $$ >DIR/pid; wait"
      kill_after: 60s
    check: { action: command.run, with: { script: "test $(grep -c end DIR/effects) = 2", read_only: true } }
"#;

const STARTED: &str = r#"
runbook: started
steps:
  - id: works
    action: command.run
    with: { script: "echo begin >>DIR/effects; until [ -e DIR/go ]; do sleep 0.01; done; echo end >>DIR/effects" }
    check: { action: command.run, with: { argv: [grep, end, DIR/effects], read_only: true } }
"#;

/// A run whose driver was killed while its command ran.
fn orphaned(bench: &Bench) {
    let driving = bench.new_run().start();
    bench.wait_for("pid");
    bench.pid_in("pid");
    driving.kill();
}

fn wait_until_it_says(bench: &Bench, words: &str) {
    let said = || fs::read_to_string(bench.path("said")).unwrap_or_default();
    wait_until(words, PATIENCE, said, || said().contains(words));
}

/// A driver that goes on with the run, and waits for the command.
fn waiting(bench: &Bench) -> Driving {
    let resumed = bench.resume().start_loud(&bench.path("said"));
    wait_until_it_says(bench, "still running as process");
    resumed
}

fn let_go(bench: &Bench) {
    fs::write(bench.path("go"), "").unwrap();
}

#[test]
fn a_run_that_is_cancelled_without_its_secrets_waits_for_what_runs() {
    let bench = Bench::new(SECRET);
    fs::write(bench.path("word"), "hunter2").unwrap();
    orphaned(&bench);
    fs::remove_file(bench.path("word")).unwrap();
    let cancelled = bench.command(&["cancel", "--reason", "over"]).start_loud(&bench.path("said"));
    wait_until_it_says(&bench, "still running as process");
    let_go(&bench);
    assert_eq!(cancelled.code(), Some(12));
    assert_eq!(bench.effects(), ["waits", "last"]);
}

#[test]
fn a_stop_that_its_driver_died_over_is_carried_through() {
    let bench = Bench::new(STUBBORN);
    orphaned(&bench);
    let first = bench.pid_in("pid");
    let resumed = waiting(&bench);
    resumed.signal(Signal::TERM);
    wait_until("its first process ends", PATIENCE, || bench.clues(), || !first.is_alive());
    resumed.kill();

    let resumed = bench.resume().start_loud(&bench.path("said"));
    wait_until_it_says(&bench, "seeing to it that nothing of it is left");
    assert_eq!(bench.effects(), ["begin"]);
    let_go(&bench);
    assert_eq!(resumed.code(), Some(0));
    assert_eq!(bench.effects(), ["begin", "end", "begin", "end"]);
}

#[test]
fn nobody_decides_about_a_doubt_that_was_not_looked_into() {
    let bench = Bench::new(WAITING);
    orphaned(&bench);
    waiting(&bench).kill();
    for word in ["retry", "skip", "mark-done"] {
        let refused = bench.expect(2, &[word, "waits", "--reason", "now"]);
        assert!(refused.stderr.contains("was not looked at yet"), "{refused}");
        assert!(refused.stderr.contains("looks at what it left first"), "{refused}");
    }
    let_go(&bench);
    bench.resume().run().assert_code(0);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
}

#[test]
fn a_supervisor_that_dies_while_it_starts_a_command_leaves_one_copy_of_it() {
    let bench = Bench::new(STARTED);
    // Every new process takes a second to become its program.
    let options = ["-e", "trace=execve", "-e", "inject=execve:delay_enter=1000000:when=1"].map(OsStr::new);
    let driving = traced(&options, bench.new_run()).start_loud(&bench.path("said"));
    let attempt = || Some(bench.run_folder()?.join("steps/works/1/supervision.jsonl"));
    let claimed = || fs::read_to_string(attempt()?).ok().filter(|trace| trace.lines().count() == 2);
    let trace = wait_until("the command is claimed", PATIENCE, || bench.clues(), claimed);
    let supervisor = bench.supervisor_of("works");
    wait_until("its process is there", PATIENCE, || bench.clues(), || !supervisor.children().is_empty());
    supervisor.signal(Signal::KILL).unwrap();
    assert!(trace.contains("claimed"), "it was not started yet: {trace}");
    wait_until_it_says(&bench, "still running as process");
    wait_until("it has begun", PATIENCE, || bench.clues(), || bench.effects() == ["begin"]);
    let_go(&bench);
    assert_eq!(driving.code(), Some(0));
    assert_eq!(bench.effects(), ["begin", "end"]);
}

#[test]
fn files_that_were_lost_prove_nothing() {
    let bench = Bench::new(WAITING);
    orphaned(&bench);
    fs::remove_dir_all(bench.run_folder().unwrap().join("steps")).unwrap();
    let resumed = waiting(&bench);
    let_go(&bench);
    assert_eq!(resumed.code(), Some(6));
    bench.resume().run().assert_code(6);
    assert_eq!(bench.effects(), ["before", "waits"]);
}
