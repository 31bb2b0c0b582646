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
    exit 3
    -- stderr
    error[check_writes]: `check` must only look, and `command.run` can change something
     --> mixed.yaml:6:82
      |
    6 |   - { id: there, action: wait.for, with: { duration: 0s } }
      |                                                                                  ^^^^^^^^^^^

    error: 1 problem in mixed.yaml; nothing was started
    hint: once it is mended, `lifeboat check mixed.yaml` checks it
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
