//! `postgres.fence`.

use lifeboat_action::{FailureKind, Observation};
use lifeboat_tests::scene::{Node, PostgresScene};
use serde_json::json;

use crate::bench::{Bench, SOON, blocked, fall_behind, fence_a, in_place, pending, promote_b};

const FENCE: &str = "postgres.fence";

#[test]
fn a_killed_primary_is_stopped() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.kill(Node::A);
    let (evidence, outputs) = in_place(bench.observe(FENCE, &fence_a(&scene, json!({"minimum": "stopped"}))));
    assert!(evidence.contains("is fenced (stopped)"), "{evidence}");
    assert_eq!((&outputs["proof"], &outputs["last_lsn"]), (&json!("stopped"), &json!(null)));
    assert_eq!(
        outputs["observed_by"].as_array().unwrap().len(),
        4,
        "three looks and the candidate: {outputs}"
    );
}

#[test]
fn a_primary_that_answers_is_made_read_only_and_its_sessions_end() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let params = fence_a(&scene, json!({}));
    let (before, after) = pending(bench.observe(FENCE, &params));
    assert!(before.starts_with("primary, accepting writes"), "{before}");
    assert_eq!(after, "read-only, its client sessions ended");
    assert_eq!(scene.sql(Node::A, "show default_transaction_read_only"), "off", "looking changes nothing");

    let fenced = bench.apply(FENCE, &params).unwrap();
    assert_eq!(fenced.outputs["proof"], "read_only");
    assert!(fenced.warnings[0].contains("asks for a read-write transaction"), "{:?}", fenced.warnings);
    assert!(scene.try_sql(Node::A, "create table t ()").unwrap_err().contains("read-only transaction"));
    scene.wait_until("the writer is refused", SOON, || !scene.writes_work());
    assert!(scene.lost_rows(Node::A).is_empty());
    let Observation::InPlace { warnings, .. } = bench.observe(FENCE, &params) else { panic!("it is fenced") };
    assert_eq!(warnings, fenced.warnings, "a proof is as weak when it is found in place");
    bench.apply(FENCE, &params).expect("fencing again is as good as once");

    let undone = bench.undo(FENCE, &params, &fenced).unwrap();
    assert!(undone.evidence.ends_with("accepts writes again"), "{}", undone.evidence);
    scene.wait_until("clients write again", SOON, || scene.writes_work());
}

#[test]
fn a_fence_is_not_lifted_once_the_candidate_has_taken_over() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let params = fence_a(&scene, json!({}));
    let fenced = bench.apply(FENCE, &params).unwrap();
    bench.apply("postgres.promote", &promote_b(&scene, &fenced, json!({}))).unwrap();
    let failure = bench.undo(FENCE, &params, &fenced).unwrap_err();
    assert!(failure.message.contains("would give two primaries"), "{failure}");
    assert_eq!(scene.sql(Node::A, "show default_transaction_read_only"), "on");
}

#[test]
fn a_session_that_chose_to_write_is_ended() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let port = scene.port(Node::A);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let client = runtime.block_on(async {
        let settings = format!("host=127.0.0.1 port={port} user=postgres");
        let (client, connection) = tokio_postgres::connect(&settings, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
            .batch_execute("set default_transaction_read_only = off; begin; create table t ()")
            .await
            .unwrap();
        client
    });
    bench.apply(FENCE, &fence_a(&scene, json!({}))).unwrap();
    runtime.block_on(client.batch_execute("commit")).expect_err("its session has ended");
    assert_eq!(scene.sql(Node::A, "select to_regclass('t')"), "");
}

#[test]
fn a_role_that_would_write_in_spite_of_it_stops_the_fencing() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.sql(Node::A, "create role stubborn login");
    scene.sql(Node::A, "alter role stubborn set default_transaction_read_only = off");
    let failure = bench.apply(FENCE, &fence_a(&scene, json!({}))).unwrap_err();
    assert!(failure.message.contains("switched off for stubborn in every database"), "{failure}");
    assert_eq!(scene.sql(Node::A, "show default_transaction_read_only"), "off");
}

#[test]
fn a_frozen_primary_is_merely_unreachable_until_every_path_is_closed() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.freeze(Node::A);
    let quick = json!({"connect_timeout": "200ms"});
    let why = blocked(bench.observe(FENCE, &fence_a(&scene, quick)));
    assert!(why.contains("the proof is only `unreachable` and `read_only` is asked for"), "{why}");
    let accepted = json!({"connect_timeout": "200ms", "minimum": "unreachable"});
    let (_, outputs) = in_place(bench.observe(FENCE, &fence_a(&scene, accepted)));
    assert_eq!(outputs["proof"], "unreachable");

    scene.haproxy().change("set server pg/a state maint");
    let front = format!("127.0.0.1:{}", scene.front_port());
    let by_paths = json!({"connect_timeout": "200ms", "minimum": "isolated", "paths": [front]});
    let (_, outputs) = in_place(bench.observe(FENCE, &fence_a(&scene, by_paths)));
    assert_eq!(outputs["proof"], "isolated");
}

#[test]
fn an_open_path_is_no_isolation() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let front = format!("127.0.0.1:{}", scene.front_port());
    let why =
        blocked(bench.observe(FENCE, &fence_a(&scene, json!({"minimum": "isolated", "paths": [front]}))));
    assert!(why.contains("leads to a primary, accepting writes"), "{why}");
}

#[test]
fn nothing_is_touched_without_a_candidate() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.kill(Node::B);
    let params = fence_a(&scene, json!({}));
    assert!(blocked(bench.observe(FENCE, &params)).contains("the candidate"));
    let failure = bench.apply(FENCE, &params).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient);
    assert!(
        failure.message.ends_with("refuses connections: nothing listens there: nothing was touched"),
        "{failure}"
    );
    let acked = scene.ledger().acked().len();
    scene.wait_until("clients go on writing", SOON, || scene.ledger().acked().len() > acked);
}

#[test]
fn a_candidate_that_is_far_behind_is_refused_before_anything_is_touched() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    fall_behind(&scene, 2.0);
    let strict = fence_a(&scene, json!({"max_lag": "1s"}));
    let failure = bench.apply(FENCE, &strict).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient, "it may catch up");
    assert!(failure.message.contains("bytes of the old primary's log have not arrived"), "{failure}");
    assert_eq!(scene.sql(Node::A, "show default_transaction_read_only"), "off");
    scene.kill(Node::A);
    let why = blocked(bench.observe(FENCE, &strict));
    assert!(why.contains("last position is not known"), "{why}");
    let (_, outputs) = in_place(bench.observe(FENCE, &fence_a(&scene, json!({"max_lag": "1h"}))));
    assert!(outputs["candidate_lag_seconds"].as_f64().unwrap() > 1.9, "{outputs}");
}

#[test]
fn what_is_refused_here_and_heard_by_the_candidate_is_not_fenced() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    // Nobody listens there: to this observer the primary looks dead, as behind a firewall.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let params = fence_a(&scene, json!({"port": nobody, "minimum": "unreachable", "every": "300ms"}));
    let why = blocked(bench.observe(FENCE, &params));
    assert!(why.contains("there is no proof") && why.contains("still receives from"), "{why}");
}

#[test]
fn the_moment_it_was_first_seen_down_is_when_lag_is_judged() {
    let (scene, bench) = (crate::bench::following(), Bench::new());
    scene.kill(Node::A);
    let down = crate::bench::on(&scene, Node::A, json!({"expect": "down", "observers": 1}));
    let (_, seen) = in_place(bench.observe("postgres.check", &down));
    let params = fence_a(&scene, json!({"down_since": seen["down_since"]}));
    let (_, outputs) = in_place(bench.observe(FENCE, &params));
    assert_eq!(outputs["evidence"]["lag_at"], seen["down_since"]);
}

#[test]
fn two_strangers_are_not_a_pair() {
    let (scene, other, bench) = (PostgresScene::start(), PostgresScene::start(), Bench::new());
    let stranger = json!({"candidate": {"host": "127.0.0.1", "port": other.port(Node::A)}});
    assert!(blocked(bench.observe(FENCE, &fence_a(&scene, stranger))).contains("is no standby"));
}
