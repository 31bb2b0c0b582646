//! `postgres.promote`.

use lifeboat_action::{FailureKind, Outcome};
use lifeboat_tests::scene::{Node, PostgresScene, Role};
use serde_json::{Value, json};

use crate::bench::{Bench, SOON, blocked, fall_behind, fence_a, in_place, on, pending, promote_b};
use crate::proxy::{self, Spoil};

const PROMOTE: &str = "postgres.promote";

fn fence(bench: &Bench, scene: &PostgresScene, more: Value) -> Outcome {
    bench.apply("postgres.fence", &fence_a(scene, more)).unwrap()
}

/// A scene whose primary was killed and fenced.
fn fenced() -> (PostgresScene, Bench, Outcome) {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.kill(Node::A);
    let fenced = fence(&bench, &scene, json!({"max_lag": "1m"}));
    (scene, bench, fenced)
}

#[test]
fn a_standby_becomes_the_primary_once() {
    let (scene, bench, fenced) = fenced();
    let params = promote_b(&scene, &fenced, json!({"max_lag": "1m"}));
    let (before, after) = pending(bench.observe(PROMOTE, &params));
    assert!(before.starts_with("standby, timeline 1"), "{before}");
    assert_eq!(after, "primary, accepting writes, timeline 2");
    assert_eq!(scene.role(Node::B), Role::Standby, "looking promotes nobody");

    let promoted = bench.apply(PROMOTE, &params).unwrap();
    assert_eq!(promoted.outputs["timeline"], 2);
    assert!(promoted.warnings.is_empty(), "{:?}", promoted.warnings);
    scene.sql(Node::B, "create table t ()");

    let (_, outputs) = in_place(bench.observe(PROMOTE, &params));
    assert_eq!(outputs["timeline"], 2);
    assert_eq!(bench.apply(PROMOTE, &params).unwrap().outputs["timeline"], 2);
    assert_eq!((scene.timeline(Node::B), scene.promotions(Node::B)), (2, 1));
}

#[test]
fn nothing_is_lost_when_the_old_primary_was_fenced_alive() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let fenced = fence(&bench, &scene, json!({}));
    let promoted = bench.apply(PROMOTE, &promote_b(&scene, &fenced, json!({"max_lag": "0s"}))).unwrap();
    assert_eq!((&promoted.outputs["lag_bytes"], &promoted.outputs["lag_seconds"]), (&json!(0), &json!(0.0)));
    assert!(scene.lost_rows(Node::B).is_empty());
}

#[test]
fn what_was_received_counts_though_replay_is_paused() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.pause_replay(Node::B);
    let replayed = scene.replayed(Node::B);
    scene.wait_until("log piles up", SOON, || scene.received(Node::B) > replayed);
    let fenced = fence(&bench, &scene, json!({"max_lag": "1m"}));
    let promoted = bench.apply(PROMOTE, &promote_b(&scene, &fenced, json!({"max_lag": "0s"}))).unwrap();
    assert!(promoted.warnings[0].contains("replay was paused"), "{:?}", promoted.warnings);
    assert!(scene.lost_rows(Node::B).is_empty());
}

#[test]
fn an_error_for_an_answer_is_not_taken_for_a_failure() {
    for spoil in [Spoil::Error, Spoil::Cut] {
        let (scene, bench, fenced) = fenced();
        let port = proxy::start(scene.port(Node::B), spoil);
        let params = promote_b(&scene, &fenced, json!({"port": port, "max_lag": "1m"}));
        let promoted = bench.apply(PROMOTE, &params).unwrap_or_else(|failure| panic!("{spoil:?}: {failure}"));
        assert_eq!(promoted.outputs["timeline"], 2);
        assert_eq!((scene.role(Node::B), scene.promotions(Node::B)), (Role::Primary, 1));
    }
}

#[test]
fn a_time_limit_of_the_role_does_not_get_in_the_way() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.sql(Node::A, "create role hasty login superuser");
    scene.sql(Node::A, "alter role hasty set statement_timeout = '1ms'");
    let exists = "select count(*) from pg_db_role_setting";
    scene.wait_until("b knows the role", SOON, || {
        scene.try_sql(Node::B, exists).is_ok_and(|count| count == "1")
    });
    scene.kill(Node::A);
    let fenced = fence(&bench, &scene, json!({"user": "hasty", "max_lag": "1m"}));
    let params = promote_b(&scene, &fenced, json!({"user": "hasty", "max_lag": "1m"}));
    assert_eq!(bench.apply(PROMOTE, &params).unwrap().outputs["timeline"], 2);
}

#[test]
fn the_shortest_time_limit_leaves_no_doubt_about_what_happened() {
    let (scene, bench, fenced) = fenced();
    // With every look too slow it is settled only by the end of `wait`: no need to make that long.
    let params =
        promote_b(&scene, &fenced, json!({"statement_timeout": "1ms", "max_lag": "1m", "wait": "2s"}));
    // Any statement may be too slow for it: before the request nothing happened, after it the promotion did.
    let answer = bench.apply(PROMOTE, &params);
    scene.wait_until("the answer is true", SOON, || match &answer {
        Ok(_) => scene.role(Node::B) == Role::Primary,
        Err(failure) if failure.kind == FailureKind::Unknown => true,
        Err(_) => scene.role(Node::B) == Role::Standby && scene.promotions(Node::B) == 0,
    });
}

#[test]
fn no_evidence_no_promotion() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let failure = bench.apply(PROMOTE, &on(&scene, Node::B, json!({}))).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert!(failure.message.contains("`fence` is missing"), "{failure}");
    assert_eq!(scene.role(Node::B), Role::Standby);
}

#[test]
fn old_evidence_and_evidence_about_others_is_refused() {
    let (scene, bench, fenced) = fenced();
    let with = |field: &str, value: Value| {
        let mut params = promote_b(&scene, &fenced, json!({"max_lag": "1m"}));
        params["fence"][field] = value;
        params
    };
    let refusals = [
        (with("fenced_at", json!("2020-01-01T00:00:00Z")), "fence again"),
        (with("system_identifier", json!("1")), "another database cluster"),
        (with("host", json!(format!("127.0.0.1:{}", scene.port(Node::B)))), "is the server that was fenced"),
    ];
    for (params, expected) in refusals {
        assert!(blocked(bench.observe(PROMOTE, &params)).contains(expected));
        let failure = bench.apply(PROMOTE, &params).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permanent);
        assert!(
            failure.message.contains(expected) && failure.message.ends_with("nothing was touched"),
            "{failure}"
        );
    }
    assert_eq!(scene.role(Node::B), Role::Standby);
}

#[test]
fn a_standby_that_lacks_too_much_is_not_promoted() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    fall_behind(&scene, 2.0);
    scene.kill(Node::A);
    let fenced = fence(&bench, &scene, json!({"max_lag": "1h"}));
    let strict = promote_b(&scene, &fenced, json!({"max_lag": "1s"}));
    assert!(blocked(bench.observe(PROMOTE, &strict)).contains("is too far behind"));
    assert_eq!(bench.apply(PROMOTE, &strict).unwrap_err().kind, FailureKind::Permanent);
    assert_eq!((scene.role(Node::B), scene.promotions(Node::B)), (Role::Standby, 0));
    let accepted = promote_b(&scene, &fenced, json!({"max_lag": "1h"}));
    let promoted = bench.apply(PROMOTE, &accepted).unwrap();
    assert!(promoted.outputs["lag_seconds"].as_f64().unwrap() > 1.9, "{:?}", promoted.outputs);
    assert_eq!(promoted.outputs["lag_bytes"], json!(null));
    assert!(!scene.lost_rows(Node::B).is_empty());
}

#[test]
fn a_frozen_standby_is_not_waited_for() {
    let (scene, bench, fenced) = fenced();
    scene.freeze(Node::B);
    let params = promote_b(&scene, &fenced, json!({"connect_timeout": "200ms"}));
    assert!(blocked(bench.observe(PROMOTE, &params)).contains("does not answer"));
    assert_eq!(bench.apply(PROMOTE, &params).unwrap_err().kind, FailureKind::Transient);
}

#[test]
fn a_role_without_the_right_is_told_so() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.sql(Node::A, "create role plain login");
    scene.wait_until("b knows the role", SOON, || {
        scene
            .try_sql(Node::B, "select count(*) from pg_roles where rolname = 'plain'")
            .is_ok_and(|n| n == "1")
    });
    scene.kill(Node::A);
    let fenced = fence(&bench, &scene, json!({"max_lag": "1m"}));
    let params = promote_b(&scene, &fenced, json!({"user": "plain", "max_lag": "1m"}));
    let failure = bench.apply(PROMOTE, &params).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert!(
        failure.message.contains("refused to be promoted") && failure.message.contains("42501"),
        "{failure}"
    );
    assert_eq!(scene.role(Node::B), Role::Standby);
}

#[test]
fn commits_that_would_hang_are_warned_of() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.sql(Node::B, "alter system set synchronous_standby_names = 'a'");
    scene.sql(Node::B, "select pg_reload_conf()");
    scene.kill(Node::A);
    let fenced = fence(&bench, &scene, json!({"max_lag": "1m"}));
    let promoted = bench.apply(PROMOTE, &promote_b(&scene, &fenced, json!({"max_lag": "1m"}))).unwrap();
    assert!(promoted.warnings[0].contains("every commit will hang"), "{:?}", promoted.warnings);
}
