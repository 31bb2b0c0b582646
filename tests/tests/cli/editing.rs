//! A runbook that is edited while its run is stopped.

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;
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

#[test]
fn a_runbook_that_is_gone_stops_nothing() {
    let sandbox = Sandbox::with("edited.yaml", RUNBOOK);
    assert_eq!(sandbox.run("run edited.yaml --yes").code, Some(4));
    std::fs::remove_file(sandbox.path("edited.yaml")).expect("the file is there");
    assert_eq!(sandbox.run("skip one --reason no").code, Some(0));
    assert_eq!(sandbox.run("resume").code, Some(0));
}
