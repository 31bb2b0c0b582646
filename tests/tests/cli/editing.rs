//! A runbook that is edited while its run is stopped.

use std::fs;

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;
use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::json;

const RUNBOOK: &str = "\
runbook: edited
steps:
  - { id: one, action: command.run, with: { argv: ['false'] } }
  - { id: two, action: command.run, with: { argv: [echo, two] } }
";

#[test]
fn going_on_with_the_pinned_runbook_is_a_decision() {
    let sandbox = Sandbox::with("edited.yaml", RUNBOOK);
    assert_eq!(sandbox.run("run edited.yaml --yes").code, Some(4));
    sandbox.file("edited.yaml", RUNBOOK.replace("[echo, two]", "[echo, three]"));
    assert_eq!(sandbox.run("skip one --reason no").code, Some(0));
    assert_snapshot!(sandbox.run("resume"), @r#"
    $ lifeboat resume
    exit 6
    -- stderr
    the newest unfinished run is meant: [RUN 1]
    the runbook was edited since the run began; the run goes on as it was pinned
    --- [SANDBOX]/edited.yaml (pinned)
    +++ [SANDBOX]/edited.yaml (now)
    @@ -1,4 +1,4 @@
     runbook: edited
     steps:
       - { id: one, action: command.run, with: { argv: ['false'] } }
    -  - { id: two, action: command.run, with: { argv: [echo, two] } }
    +  - { id: two, action: command.run, with: { argv: [echo, three] } }
    next: lifeboat resume [RUN 1] --keep-pinned  goes on with the runbook as it was
    "#);
    assert_snapshot!(sandbox.run("resume --keep-pinned"), @r#"
    $ lifeboat resume --keep-pinned
    exit 0
    -- stdout
    [TIME] run keep-pinned by tester: with --keep-pinned
    [TIME] run resumed by tester
    [TIME] step two started
    [TIME] step two succeeded after [ELAPSED]: exited with 0
    [TIME] run finished: succeeded with deviations after [ELAPSED]

    succeeded with deviations after [ELAPSED]: edited (live), [RUN 1]
    steps: 1 succeeded, 1 skipped
    deviation: one skipped (tester): no
    deviation: went on with the pinned runbook although its file was edited (tester): with --keep-pinned
    -- stderr
    the newest unfinished run is meant: [RUN 1]
    the runbook was edited since the run began; the run goes on as it was pinned
    --- [SANDBOX]/edited.yaml (pinned)
    +++ [SANDBOX]/edited.yaml (now)
    @@ -1,4 +1,4 @@
     runbook: edited
     steps:
       - { id: one, action: command.run, with: { argv: ['false'] } }
    -  - { id: two, action: command.run, with: { argv: [echo, two] } }
    +  - { id: two, action: command.run, with: { argv: [echo, three] } }
    next: lifeboat status [RUN 1]  shows every step
    "#);
    let status = sandbox.run("status --json").json_lines().remove(0);
    assert_eq!(status["steps"][1]["outputs"]["stdout"], json!("two"));
}

/// A run that goes on at its next resume.
fn skipped() -> Sandbox {
    let sandbox = Sandbox::with("edited.yaml", RUNBOOK);
    assert_eq!(sandbox.run("run edited.yaml --yes").code, Some(4));
    assert_eq!(sandbox.run("skip one --reason no").code, Some(0));
    fs::remove_file(sandbox.path("edited.yaml")).expect("the file is there");
    sandbox
}

#[test]
fn a_runbook_that_is_gone_stops_nothing_and_is_missed() {
    let sandbox = skipped();
    let answer = sandbox.run("resume");
    assert_eq!(answer.code, Some(0), "{answer}");
    let path = sandbox.path("edited.yaml").display().to_string();
    let note = format!("note: the runbook {path} is not there any more; the run goes on as it was pinned");
    assert!(answer.stderr.contains(&note), "{answer}");
    assert!(!answer.stdout.contains("although its file was edited"), "{answer}");
}

#[test]
fn a_runbook_that_became_a_pipe_is_not_waited_for() {
    let sandbox = skipped();
    mkfifoat(CWD, sandbox.path("edited.yaml"), Mode::RUSR | Mode::WUSR).expect("a pipe can be made");
    let answer = sandbox.run("resume");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert!(answer.stderr.contains("edited.yaml is no regular file any more"), "{answer}");
}

#[test]
fn a_runbook_that_became_huge_differs_and_is_not_read() {
    let sandbox = skipped();
    let huge = fs::File::create(sandbox.path("edited.yaml")).expect("a file can be made");
    huge.set_len(1 << 40).expect("a file with a hole");
    let answer = sandbox.run("resume");
    assert_eq!(answer.code, Some(6), "{answer}");
    assert!(answer.stderr.contains("edited.yaml differs, and is too large to show"), "{answer}");
    assert_eq!(sandbox.run("resume --keep-pinned").code, Some(0));
}

#[test]
fn a_runbook_from_a_pipe_is_not_looked_for() {
    let sandbox = Sandbox::new();
    let answer = sandbox.lifeboat(["run", "/dev/stdin", "--yes"]).stdin(RUNBOOK).run();
    assert_eq!(answer.code, Some(4), "{answer}");
    assert_eq!(sandbox.run("skip one --reason no").code, Some(0));
    // What waits at its own stdin is no runbook.
    let answer = sandbox.lifeboat(["resume"]).stdin("something else").run();
    assert_eq!(answer.code, Some(0), "{answer}");
    assert!(!answer.stderr.contains("the runbook"), "{answer}");
    let answer = sandbox.lifeboat(["drill", "/dev/stdin"]).stdin(RUNBOOK).run();
    assert!(answer.stderr.contains("next: lifeboat run FILE"), "{answer}");
}
