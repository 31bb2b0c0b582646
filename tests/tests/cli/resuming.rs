//! `lifeboat resume`, after a signal, after a crash, and while somebody else drives.

use std::process::Child;
use std::time::Duration;

use insta::assert_snapshot;
use lifeboat_tests::cli::{Answer, Sandbox, wait_until_said};
use lifeboat_tests::wait::wait_until;
use rustix::process::{Pid, Signal, kill_process};

/// The second step waits for the file `go`; each step leaves a line in `done`.
const WAITS: &str = "
runbook: waits
steps:
  - { id: before, action: command.run, with: { script: 'echo before >> done' } }
  - { id: middle, action: command.run, with: { script: 'touch started; until test -e go || ! test -e started; do sleep 0.02; done; echo middle >> done' } }
  - { id: after, action: command.run, with: { script: 'echo after >> done' } }
";

/// A run whose second step is going on.
fn started() -> (Sandbox, Child) {
    let sandbox = Sandbox::with("waits.yaml", WAITS);
    let child = sandbox.lifeboat(["run", "waits.yaml", "--yes"]).spawn();
    sandbox.wait_for("started");
    (sandbox, child)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("our child takes signals");
}

fn ended(sandbox: &Sandbox, child: Child) -> Answer {
    Answer::new(sandbox, "lifeboat run waits.yaml --yes", &child.wait_with_output().expect("it ends"))
}

fn done(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("done")).unwrap_or_default()
}

#[test]
fn one_interrupt_lets_the_running_step_end() {
    let (sandbox, mut child) = started();
    signal(&child, Signal::INT);
    // Only when it said so has the signal arrived.
    wait_until_said(&mut child, "stopping:");
    sandbox.file("go", "");
    assert_snapshot!(ended(&sandbox, child), @r#"
    $ lifeboat run waits.yaml --yes
    exit 5
    -- stdout
    [TIME] run [RUN 1] created: waits (live), 3 steps, by tester
    [TIME] step before started
    [TIME] step before succeeded after [ELAPSED]: exited with 0
    [TIME] step middle started
    [TIME] step middle succeeded after [ELAPSED]: exited with 0
    [TIME] run stopped: interrupted

    interrupted after [ELAPSED]: waits (live), [RUN 1]
    steps: 2 succeeded, 1 pending
    -- stderr
     what runs is brought to its end, nothing new starts; press Ctrl-C again to cancel what runs
    next: lifeboat resume [RUN 1]  goes on
    "#);
    assert_snapshot!(sandbox.run("resume"), @r#"
    $ lifeboat resume
    exit 0
    -- stdout
    [TIME] run resumed by tester
    [TIME] step after started
    [TIME] step after succeeded after [ELAPSED]: exited with 0
    [TIME] run finished: succeeded after [ELAPSED]

    succeeded after [ELAPSED]: waits (live), [RUN 1]
    steps: 3 succeeded
    -- stderr
    the newest unfinished run is meant: [RUN 1]
    next: lifeboat status [RUN 1]  shows every step
    "#);
    assert_eq!(done(&sandbox), "before\nmiddle\nafter\n");
}

#[test]
fn a_terminated_run_cancels_what_runs_and_is_resumed() {
    let (sandbox, child) = started();
    signal(&child, Signal::TERM);
    let answer = ended(&sandbox, child);
    assert!(matches!(answer.code, Some(5 | 6)), "{answer}");
    assert_eq!(done(&sandbox), "before\n");
}

#[test]
fn a_hang_up_stops_nothing() {
    let (sandbox, child) = started();
    signal(&child, Signal::HUP);
    sandbox.file("go", "");
    let answer = ended(&sandbox, child);
    assert_eq!(answer.code, Some(0), "{answer}");
    assert_eq!(done(&sandbox), "before\nmiddle\nafter\n");
}

#[test]
fn a_killed_run_is_resumed_and_repeats_nothing() {
    let (sandbox, mut child) = started();
    child.kill().expect("our child can be killed");
    child.wait().expect("it ends");
    assert_snapshot!(sandbox.run("status"), @r#"
    $ lifeboat status
    exit 0
    -- stdout
    waits
    [RUN 1]  waits (live)  its driver is gone
    begun [TIME] by tester, last record 4 at [TIME]

    succeeded  before  [ELAPSED]  exited with 0
    in doubt   middle
    pending    after

    1 in doubt, 1 succeeded, 1 pending

    in doubt: middle (line 5, 1 attempt): its driver ended
    -- stderr
    the newest run is meant: [RUN 1]
    next: lifeboat resume [RUN 1]  goes on
    "#);
    assert_snapshot!(sandbox.run("skip middle --reason no"), @r#"
    $ lifeboat skip middle --reason no
    exit 2
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    error: step `middle` is running: it is neither in doubt nor stops the run
    hint: its driver is gone; `lifeboat resume [RUN 1]` looks at what it left first
    "#);
    sandbox.file("go", "");
    let answer = sandbox.run("resume");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert_eq!(done(&sandbox), "before\nmiddle\nafter\n");
}

#[test]
fn a_second_driver_is_told_who_holds_the_run() {
    let (sandbox, child) = started();
    assert_snapshot!(sandbox.run("resume"), @r#"
    $ lifeboat resume
    exit 7
    -- stderr
    the newest unfinished run is meant: [RUN 1]
    error: [RUN 1] is driven by another process: pid [PID] on [HOST], since [TIME]
    hint: `lifeboat status [RUN 1]` shows how far it is
    "#);
    assert_eq!(sandbox.run("cancel --reason no").code, Some(7));
    assert!(sandbox.run("status").stdout.contains("driven by pid"));
    assert!(sandbox.run("runs").stdout.contains("  running\n"));
    sandbox.file("go", "");
    assert_eq!(ended(&sandbox, child).code, Some(0));
}

#[test]
fn what_runs_is_shown_with_its_time() {
    let (sandbox, child) = started();
    assert_snapshot!(sandbox.run("status"), @r"
    $ lifeboat status
    exit 0
    -- stdout
    waits
    [RUN 1]  waits (live)  driven by pid [PID] on [HOST] since [TIME]
    begun [TIME] by tester, last record 4 at [TIME]

    succeeded  before  [ELAPSED]  exited with 0
    running  middle  [ELAPSED]
    pending    after

    1 running, 1 succeeded, 1 pending
    -- stderr
    the newest run is meant: [RUN 1]
    ");
    let steps = sandbox.run("status --json").json_lines().remove(0)["steps"].clone();
    assert!(steps[1]["started_at"].is_string() && steps[2].get("started_at").is_none(), "{steps}");
    sandbox.file("go", "");
    assert_eq!(ended(&sandbox, child).code, Some(0));
}

#[test]
fn a_step_that_waits_for_its_retry_says_until_when() {
    let flaky = "runbook: flaky\nsteps:\n  - { id: a, action: command.run, with: { argv: ['false'] }, retry: { attempts: 2, delay: 1h } }\n";
    let sandbox = Sandbox::with("flaky.yaml", flaky);
    let mut child = sandbox.lifeboat(["run", "flaky.yaml", "--yes"]).spawn();
    let status = || sandbox.run("status").stdout;
    let waits = || status().contains("retry at ");
    wait_until("the step waits", Duration::from_secs(30), status, waits);
    assert!(status().lines().any(|line| line.starts_with("running") && line.contains(": exited with 1")));
    let steps = sandbox.run("status --json").json_lines().remove(0)["steps"].clone();
    assert!(steps[0]["retry_at"].is_string() && steps[0]["state"] == "running", "{steps}");
    signal(&child, Signal::INT);
    assert_eq!(child.wait().expect("it ends").code(), Some(5));
}

#[test]
fn a_driver_whose_lock_file_was_removed_is_still_seen() {
    let (sandbox, child) = started();
    std::fs::remove_file(sandbox.only_run().join("lock")).expect("a lock file");
    let status = sandbox.run("status");
    assert!(status.stdout.contains(&format!("driven by pid {} on ", child.id())), "{status}");
    assert!(!status.stderr.contains("next:"), "{status}");
    assert!(sandbox.run("runs").stdout.contains("  running\n"));
    // The first of them makes a lock file anew, which must not name it.
    for _ in 0..2 {
        let refused = sandbox.run("resume");
        assert_eq!(refused.code, Some(7), "{refused}");
        let holder = format!("is driven by another process: pid {} on ", child.id());
        assert!(refused.stderr.contains(&holder), "{refused}");
    }
    sandbox.file("go", "");
    assert_eq!(ended(&sandbox, child).code, Some(0));
}

/// A run whose driver was killed; its command may end.
fn abandoned() -> Sandbox {
    let (sandbox, mut child) = started();
    child.kill().expect("our child can be killed");
    child.wait().expect("it ends");
    sandbox.file("go", "");
    sandbox
}

/// An interrupted run, and a newer one that failed.
fn two_runs() -> Sandbox {
    let sandbox = abandoned();
    let fails = "runbook: fails\nsteps:\n  - { id: a, action: command.run, with: { argv: ['false'] } }\n";
    sandbox.file("fails.yaml", fails);
    assert_eq!(sandbox.run("run fails.yaml --yes").code, Some(4));
    sandbox
}

#[test]
fn an_older_run_is_not_resumed_by_mistake() {
    let sandbox = two_runs();
    assert_snapshot!(sandbox.run("resume"), @r"
    $ lifeboat resume
    exit 2
    -- stderr
    the newest unfinished run is meant: [RUN 2]
    error: it is not the newest run: [RUN 1] is newer (failed)
    hint: name the run that is meant: `lifeboat resume [RUN 2]`; `lifeboat runs` lists all
    ");
    // The command that was under way comes to its end, and nothing follows it.
    assert!(!done(&sandbox).contains("after"), "{}", done(&sandbox));
    let older = sandbox.run("runs --json").json_lines()[1]["run"].as_str().expect("an id").to_owned();
    assert_eq!(sandbox.run(&format!("resume {older}")).code, Some(0));
    // Now the newest is meant, whatever became of it.
    assert_eq!(sandbox.run("resume").code, Some(4));
}

#[test]
fn a_newer_run_that_needs_nobody_is_not_in_the_way() {
    let sandbox = abandoned();
    let fine = "runbook: fine\nsteps:\n  - { id: a, action: wait.for, with: { duration: 0s } }\n";
    sandbox.file("fine.yaml", fine);
    assert_eq!(sandbox.run("run fine.yaml --yes").code, Some(0));
    assert_eq!(sandbox.run("drill fine.yaml").code, Some(0));
    assert_eq!(sandbox.run("resume").code, Some(0));
    assert!(done(&sandbox).contains("after"), "{}", done(&sandbox));
}

#[test]
fn there_may_be_nothing_to_resume() {
    let sandbox = Sandbox::with(
        "one.yaml",
        "runbook: one\nsteps:\n  - { id: a, action: wait.for, with: { duration: 0s } }\n",
    );
    assert_snapshot!(sandbox.run("resume"), @r#"
    $ lifeboat resume
    exit 2
    -- stderr
    error: there is no unfinished run
    hint: `lifeboat run FILE` starts one
    "#);
    assert_eq!(sandbox.run("run one.yaml --yes").code, Some(0));
    assert_snapshot!(sandbox.run("resume"), @r#"
    $ lifeboat resume
    exit 2
    -- stderr
    error: there is no unfinished run
    hint: `lifeboat status [RUN 1]` shows the newest
    "#);
    let run = sandbox.only_run();
    let id = run.file_name().and_then(|name| name.to_str()).expect("a run's id").to_owned();
    assert_snapshot!(sandbox.run(&format!("resume {id}")), @r#"
    $ lifeboat resume [RUN 1]
    exit 0
    -- stderr
    [RUN 1] is finished: succeeded
    next: lifeboat status [RUN 1]  shows every step
    "#);
}
