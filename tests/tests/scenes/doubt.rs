//! A change in doubt whose `check` cannot look: nobody knows, so nothing is repeated.

use lifeboat_tests::cli::Sandbox;
use lifeboat_tests::journal::Journal;
use lifeboat_tests::scene::{Node, PostgresScene};

/// Writes one row, and looks for it.
fn runbook(scene: &PostgresScene) -> String {
    let server = format!("host: 127.0.0.1, port: {}, connect_timeout: 500ms", scene.port(Node::A));
    format!(
        "runbook: once
steps:
  - id: write
    action: postgres.query
    with: {{ {server}, sql: insert into done values (1), write: true }}
    check:
      action: postgres.query
      with: {{ {server}, sql: select count(*) from done, expect: {{ value: 1 }} }}
"
    )
}

/// Lifeboat dies when the row is committed and before that is recorded; then the server is out of reach.
#[test]
fn while_the_server_is_silent_the_change_is_neither_repeated_nor_taken_for_done() {
    let scene = PostgresScene::start();
    scene.sql(Node::A, "create table done (n int)");
    let sandbox = Sandbox::with("once.yaml", &runbook(&scene));
    let killed = sandbox.lifeboat(["run", "once.yaml", "--yes"]).env("LIFEBOAT_CRASH_AT", "before:3").run();
    assert_eq!(killed.code, None, "{killed}");

    scene.freeze(Node::A);
    let asked = sandbox.run("resume");
    assert_eq!(asked.code, Some(6), "{asked}");
    let journal = Journal::of(&sandbox.run("journal").stdout);
    let doubt = journal.about("doubt_resolved", "write").next().expect("the step was in doubt");
    assert_eq!((&doubt["rule"], &doubt["resolution"]), (&"on_unknown".into(), &"ask".into()));
    assert!(doubt["evidence"].as_str().is_some_and(|seen| seen.contains("does not answer")), "{doubt}");

    scene.thaw(Node::A);
    let resumed = sandbox.run("resume");
    assert_eq!(resumed.code, Some(0), "{resumed}");
    assert_eq!(scene.sql(Node::A, "select count(*) from done"), "1");
    let journal = Journal::of(&sandbox.run("journal").stdout);
    assert_eq!(journal.about("step_started", "write").count(), 1);
}
