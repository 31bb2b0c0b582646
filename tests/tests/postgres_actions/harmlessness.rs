//! A dry run carries a statement out on its author's word, and in a read-only transaction all the same.

use lifeboat_tests::cli::Sandbox;
use lifeboat_tests::scene::{Node, PostgresScene, Role};
use serde_json::{Value, json};

use crate::bench::SOON;

/// A runbook of these steps; `ON` stands for a login at the standby.
fn sandbox(scene: &PostgresScene, steps: &str) -> Sandbox {
    let login = format!("host: 127.0.0.1, port: {}", scene.port(Node::B));
    Sandbox::with("dry.yaml", &format!("runbook: dry\nsteps:\n{}", steps.replace("ON", &login)))
}

/// A scene whose standby writes every statement to its log.
fn talkative() -> PostgresScene {
    let scene = PostgresScene::start();
    scene.sql(Node::A, "alter role postgres set log_statement = 'all'");
    let logs = || scene.try_sql(Node::B, "show log_statement").is_ok_and(|setting| setting == "all");
    scene.wait_until("the standby logs statements", SOON, logs);
    scene
}

const PROMOTES: &str = "
  - { id: promotes, action: postgres.query, with: { ON, sql: select pg_promote() } }
  - id: checked
    action: command.run
    with: { argv: ['false'] }
    check: { action: postgres.query, with: { ON, sql: select pg_promote() } }
  - { id: templated, action: postgres.query, with: { ON, sql: select pg_promote(), looks: \"{{ eq mode 'dry_run' }}\" } }
  - { id: looks, action: postgres.query, with: { ON, sql: select pg_is_in_recovery() as seen, looks: true } }
";

#[test]
fn a_drill_does_not_promote_on_nobodys_word() {
    let scene = talkative();
    let sandbox = sandbox(&scene, PROMOTES);
    let drill = sandbox.run("drill dry.yaml --json");
    drill.assert_code(0);
    let ended = drill.json_lines().into_iter().filter(|event| event["type"] == "step_finished");
    let states: Vec<Value> = ended.map(|event| json!([event["step"], event["state"]])).collect();
    let not = |step: &str| json!([step, "not_rehearsed"]);
    let expected = [not("promotes"), not("checked"), not("templated"), json!(["looks", "in_place"])];
    assert_eq!(states, expected, "{drill}");

    assert_eq!((scene.role(Node::B), scene.promotions(Node::B)), (Role::Standby, 0));
    let log = std::fs::read_to_string(scene.folder().join("b.log")).expect("the standby has a log");
    assert!(log.contains("pg_is_in_recovery() as seen"), "it logs what it is asked:\n{log}");
    assert!(!log.contains("pg_promote"), "it was asked to promote itself:\n{log}");
}

#[test]
fn the_authors_word_does_not_let_a_drill_write() {
    let scene = PostgresScene::start();
    let steps =
        "  - { id: lies, action: postgres.query, with: { ON, sql: create table t (), looks: true } }\n";
    let steps = steps.replace("ON", &format!("host: 127.0.0.1, port: {}", scene.port(Node::A)));
    let drill = sandbox(&scene, &steps).run("drill dry.yaml");
    drill.assert_code(13);
    assert!(drill.stdout.contains("25006"), "{drill}");
    assert_eq!(scene.sql(Node::A, "select to_regclass('t')"), "");
}
