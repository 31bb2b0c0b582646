//! `postgres.fence`.

use lifeboat_action::{FailureKind, Observation};
use lifeboat_tests::scene::{Node, PostgresScene};
use serde_json::json;

use crate::bench::{
    Bench, SOON, blocked, fall_behind, fence_a, following, in_place, merge, on, pending, promote_b,
};
use crate::client::Client;

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
    let client = Client::open(scene.port(Node::A));
    client.execute("set default_transaction_read_only = off; begin; create table t ()").unwrap();
    bench.apply(FENCE, &fence_a(&scene, json!({}))).unwrap();
    client.execute("commit").expect_err("its session has ended");
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

/// A port on which nobody listens: to the observer the primary looks dead, as behind a firewall.
fn nobody() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn what_is_refused_here_and_heard_by_the_candidate_is_not_fenced() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    // Clients are cut off, as the step before the fencing does it: no path leads anywhere, and nothing is written.
    scene.haproxy().change("set server pg/a state maint");
    scene.haproxy().change("shutdown sessions server pg/a");
    scene.quiesce();
    let front = format!("127.0.0.1:{}", scene.front_port());
    for minimum in ["unreachable", "isolated", "stopped"] {
        let params = fence_a(&scene, json!({"port": nobody(), "minimum": minimum, "paths": [front]}));
        let why = blocked(bench.observe(FENCE, &params));
        assert!(why.contains("there is no proof") && why.contains("still receives from"), "{why}");
        let failure = bench.apply(FENCE, &params).unwrap_err();
        assert_eq!(failure.message, why, "what is heard stays the same");
    }
}

#[test]
fn an_open_path_to_a_primary_that_is_refused_here_is_no_proof_of_any_strength() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    // The candidate is cut off from the primary: only clients still get there.
    scene.sql(Node::B, "alter system set primary_conninfo = ''");
    scene.sql(Node::B, "select pg_reload_conf()");
    scene.wait_until("b receives nothing", SOON, || {
        scene.try_sql(Node::B, "select count(*) from pg_stat_wal_receiver").is_ok_and(|count| count == "0")
    });
    let front = format!("127.0.0.1:{}", scene.front_port());
    let params = fence_a(
        &scene,
        json!({"port": nobody(), "minimum": "unreachable", "paths": [front], "max_lag": "1h"}),
    );
    let why = blocked(bench.observe(FENCE, &params));
    assert!(
        why.contains("there is no proof") && why.contains("leads to a primary, accepting writes"),
        "{why}"
    );
}

#[test]
fn a_primary_whose_sessions_go_on_is_heard_by_the_candidate_and_is_not_gone() {
    let (scene, bench) = (following(), Bench::new());
    scene.haproxy().change("set server pg/a state maint");
    scene.haproxy().change("shutdown sessions server pg/a");
    scene.quiesce();
    let client = Client::open(scene.port(Node::A));
    // New connections get no answer, and those that are open go on.
    scene.freeze_postmaster(Node::A);
    let quick = json!({"connect_timeout": "200ms", "every": "10ms"});
    let mut down = on(&scene, Node::A, quick.clone());
    merge(&mut down, json!({"expect": "down"}));
    let (_, seen) = in_place(bench.observe("postgres.check", &down));
    assert_eq!(seen["down_as"], "silent");
    client.execute("insert into orders (n) values (1000000)").unwrap();
    scene.wait_until("b has the row", SOON, || scene.rows(Node::B).contains(&1_000_000));

    // Nothing is written any more, as after clients were cut off: the candidate remembers.
    let since = &seen["down_since"];
    let standby = on(&scene, Node::B, json!({"expect": "standby", "max_lag": "1h", "down_since": since}));
    let why = blocked(bench.observe("postgres.check", &standby));
    assert!(why.contains("still receives from") && why.contains("the log there grew at"), "{why}");
    let front = format!("127.0.0.1:{}", scene.front_port());
    let mut fence = fence_a(&scene, json!({"minimum": "isolated", "paths": [front], "down_since": since}));
    merge(&mut fence, quick);
    let why = blocked(bench.observe(FENCE, &fence));
    assert!(why.contains("still receives from") && why.contains("the log there grew at"), "{why}");
}

#[test]
fn a_candidate_whose_receiver_may_not_be_seen_is_no_witness_that_hears_nothing() {
    let (scene, bench) = (following(), Bench::new());
    scene.sql(Node::A, "create role plain login");
    scene.wait_until("b knows the role", SOON, || {
        scene
            .try_sql(Node::B, "select count(*) from pg_roles where rolname = 'plain'")
            .is_ok_and(|count| count == "1")
    });
    let params = fence_a(
        &scene,
        json!({"port": nobody(), "user": "plain", "minimum": "unreachable", "max_lag": "1h"}),
    );
    let why = blocked(bench.observe(FENCE, &params));
    assert!(why.contains("grant it pg_read_all_stats"), "{why}");
}

#[test]
fn the_moment_it_was_first_seen_down_is_when_lag_is_judged() {
    let (scene, bench) = (following(), Bench::new());
    scene.kill(Node::A);
    let down = on(&scene, Node::A, json!({"expect": "down", "observers": 1}));
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
