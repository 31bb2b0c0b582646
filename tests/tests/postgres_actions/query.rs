//! `postgres.query`.

use std::thread;
use std::time::{Duration, Instant};

use lifeboat_action::{FailureKind, Observation};
use lifeboat_tests::scene::{Node, Options, PostgresScene};
use serde_json::{Value, json};

use crate::bench::{Bench, SOON, blocked, in_place, on, unknown};

const QUERY: &str = "postgres.query";

#[test]
fn answers_keep_their_types() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let ask = |sql: &str, params: Value| {
        in_place(bench.observe(QUERY, &on(&scene, Node::B, json!({"sql": sql, "params": params})))).1
    };
    let sql = "select $1::int4 + 1 as n, $2::text as t, $3::jsonb as j, null as nothing, 1.50::numeric as d,
               '2026-11-23 18:00:00.5+00'::timestamptz as at, array[1, 2] as list, 'infinity'::float8 as f,
               '0/3000060'::pg_lsn as lsn, 12345678901234567890123::numeric > 1 as big";
    let answer = ask(sql, json!([41, "quote ' and \"", {"a": [1]}]));
    let row = json!({
        "n": 42, "t": "quote ' and \"", "j": {"a": [1]}, "nothing": null, "d": 1.5,
        "at": "2026-11-23T18:00:00.5Z", "list": [1, 2], "f": "inf", "lsn": "0/3000060", "big": true,
    });
    assert_eq!(answer["rows"], json!([row]));
    assert_eq!((&answer["value"], &answer["row_count"]), (&json!(42), &json!(1)));
    assert_eq!(ask("show server_encoding", json!([]))["value"], "UTF8");
    let any = "select count(*) from generate_series(1, 9) as n where n = any($1)";
    assert_eq!(ask(any, json!([[1, 2, 77]]))["value"], 2);
}

#[test]
fn long_answers_are_cut_and_say_so() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let many = json!({"sql": "select n from generate_series(1, 1000000) as n", "max_rows": 3});
    let (evidence, answer) = in_place(bench.observe(QUERY, &on(&scene, Node::A, many)));
    assert_eq!((&answer["row_count"], &answer["truncated"]), (&json!(3), &json!(true)));
    assert_eq!(evidence, "3 row(s) or more, first value 1");
}

#[test]
fn a_reading_statement_cannot_write() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let params = on(&scene, Node::A, json!({"sql": "create table t ()"}));
    assert!(unknown(bench.observe(QUERY, &params)).contains("25006"));
    let sneaky = on(&scene, Node::A, json!({"sql": "commit; create table t ()"}));
    unknown(bench.observe(QUERY, &sneaky));
    assert_eq!(scene.sql(Node::A, "select to_regclass('t')"), "");
}

#[test]
fn mistakes_are_named() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let why = |params: Value| unknown(bench.observe(QUERY, &on(&scene, Node::A, params)));
    assert!(why(json!({"sql": "selct 1"})).contains("42601"));
    assert!(why(json!({"sql": "select $1::int4"})).contains("takes 1 value(s), and `params` has 0"));
    assert!(why(json!({"sql": "select $1::int4", "params": ["x"]})).contains("22P02"));
    assert!(why(json!({"sql": "select '1s'::interval as i"})).contains("cast it, such as i::text"));
    let failure = bench.apply(QUERY, &on(&scene, Node::A, json!({"sql": "selct 1"}))).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Permanent);
}

#[test]
fn only_an_answer_says_that_it_is_not_so() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let look = |more: Value| bench.observe(QUERY, &on(&scene, Node::A, more));
    let missed = json!({"sql": "select 2", "expect": {"value": 1}});
    assert_eq!(blocked(look(missed.clone())), "expected the value 1, got 2");
    let slow = json!({"sql": "select pg_sleep(60)", "statement_timeout": "50ms", "expect": {"rows": 0}});
    assert!(unknown(look(slow)).contains("57014"));
    scene.kill(Node::A);
    assert!(unknown(look(missed)).contains("refuses connections"));
}

#[test]
fn a_writing_statement_is_committed_unless_it_does_not_meet_its_expectation() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let write = |more: Value| bench.apply(QUERY, &on(&scene, Node::A, more));
    scene.sql(Node::A, "create table t (n int)");
    let three = "insert into t select generate_series(1, 3) returning n";
    let done = write(json!({"sql": three, "write": true, "expect": {"rows": 3, "value": 1}})).unwrap();
    assert_eq!(done.outputs["row_count"], 3);
    let failure = write(json!({"sql": "delete from t", "write": true, "expect": {"rows": 1}})).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert_eq!(failure.message, "expected 1 row(s), got 3: it was rolled back");
    assert_eq!(scene.sql(Node::A, "select count(*) from t"), "3");
    let setting = json!({"sql": "alter system reset work_mem", "write": true});
    assert_eq!(write(setting).unwrap_err().kind, FailureKind::Permanent);
    write(json!({"sql": "alter system reset work_mem", "write": true, "transaction": false})).unwrap();
}

#[test]
fn a_writing_statement_is_not_observed() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let params = on(&scene, Node::A, json!({"sql": "create table t ()", "write": true}));
    assert!(matches!(bench.observe(QUERY, &params), Observation::Unknown { .. }));
    assert_eq!(scene.sql(Node::A, "select to_regclass('t')"), "");
}

#[test]
fn a_commit_without_an_answer_is_in_doubt() {
    let scene = PostgresScene::start_with(Options { synchronous: true, ..Options::default() });
    let bench = Bench::new();
    scene.sql(Node::A, "create table t (n int)");
    scene.stop_sender(Node::A);
    let insert = json!({"sql": "insert into t values (1)", "write": true, "statement_timeout": "500ms"});
    let failure = bench.apply(QUERY, &on(&scene, Node::A, insert)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert!(failure.message.contains("the commit was sent"), "{failure}");
}

#[test]
fn a_cancelled_query_ends_at_the_server_too() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let running = "select count(*) from pg_stat_activity \
                   where application_name = 'lifeboat run_00000000000000000000000000 step' and query like '%pg_sleep%'";
    let count = |expected: &str| scene.try_sql(Node::A, running).is_ok_and(|count| count == expected);
    let (started, cancel) = (Instant::now(), bench.cancellation());
    thread::scope(|scope| {
        scope.spawn(|| {
            scene.wait_until("the query runs", SOON, || count("1"));
            cancel.cancel();
        });
        let params = json!({"sql": "select pg_sleep(600)", "statement_timeout": "10m"});
        let why = unknown(bench.observe(QUERY, &on(&scene, Node::A, params)));
        assert!(why.contains("cancelled"), "{why}");
    });
    assert!(started.elapsed() < Duration::from_secs(60));
    scene.wait_until("the server has ended it", SOON, || count("0"));
}
