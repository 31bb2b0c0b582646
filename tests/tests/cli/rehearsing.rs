//! `lifeboat drill`

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;

const MIXED: &str = "
runbook: mixed
inputs:
  name: { type: string, default: it is }
steps:
  - { id: there, action: wait.for, with: { duration: 0s } }
  - { id: later, action: wait.for, with: { duration: 5s } }
  - { id: blind, action: command.run, with: { argv: [touch, touched] } }
  - { id: depends, action: command.run, with: { argv: [echo, '{{ steps.blind.stdout }}'] } }
";

#[test]
fn a_dry_run_shows_what_would_change_and_changes_nothing() {
    let sandbox = Sandbox::with("mixed.yaml", MIXED);
    assert_snapshot!(sandbox.run("drill mixed.yaml"), @r#"
    $ lifeboat drill mixed.yaml
    exit 0
    -- stdout
    [TIME] run [RUN 1] created: mixed (dry run), 4 steps, by tester
    [TIME] step there in place: 0s passed
    [TIME] step later would change: not waited → 5s later
    [TIME] step blind not rehearsed: `command.run` cannot look for its own effect; give the step a `check`
    [TIME] step depends not rehearsed: `steps.blind.stdout` is not known: step `blind` did not run (not_rehearsed)
    [TIME] run finished: succeeded after [ELAPSED]

    nothing in the way as far as it could be rehearsed after [ELAPSED]: mixed (dry run), [RUN 1]
    steps: 2 not rehearsed, 1 in place, 1 would change

    not rehearsed  blind    `command.run` cannot look for its own effect; give the step a `check`
    not rehearsed  depends  `steps.blind.stdout` is not known: step `blind` did not run (not_rehearsed)
    would change   later    not waited → 5s later
    in place       there    0s passed
    -- stderr
    next: lifeboat run [SANDBOX]/mixed.yaml -i 'name=it is'  does it
    "#);
    assert!(!sandbox.path("touched").exists());
}

#[test]
fn something_in_the_way_has_an_exit_code() {
    let blocked = "
runbook: blocked
steps:
  - { id: server, action: http.check, with: { url: 'http://127.0.0.1:1/' } }
";
    let answer = Sandbox::with("blocked.yaml", blocked).run("drill blocked.yaml");
    assert_eq!(answer.code, Some(13), "{answer}");
    assert!(answer.stdout.contains("not ready after"), "{answer}");
    assert!(answer.stderr.contains("next: lifeboat drill "), "{answer}");
}
