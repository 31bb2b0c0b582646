//! `postgres.check`.

use lifeboat_action::Observation;
use lifeboat_tests::scene::{Node, Options, PostgresScene};
use serde_json::json;

use crate::bench::{Bench, SOON, blocked, following, in_place, on, pending, unknown};

const CHECK: &str = "postgres.check";

#[test]
fn roles_are_told_apart() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let check = |node, expect: &str| bench.observe(CHECK, &on(&scene, node, json!({"expect": expect})));
    for expect in ["up", "primary", "writable"] {
        let (evidence, outputs) = in_place(check(Node::A, expect));
        assert!(evidence.contains("primary, accepting writes, timeline 1"), "{evidence}");
        assert_eq!((&outputs["role"], &outputs["timeline"]), (&json!("primary"), &json!(1)));
    }
    let (_, outputs) = in_place(check(Node::B, "standby"));
    assert_eq!((&outputs["role"], &outputs["writable"]), (&json!("standby"), &json!(false)));
    assert!(blocked(check(Node::A, "standby")).contains("not in recovery"));
    assert!(blocked(check(Node::B, "primary")).contains("in recovery"));
    assert!(blocked(check(Node::B, "writable")).contains("in recovery"));
    let next_timeline = on(&scene, Node::A, json!({"min_timeline": 2}));
    assert!(blocked(bench.observe(CHECK, &next_timeline)).contains("has not reached 2"));
}

#[test]
fn a_primary_that_is_up_is_not_down_yet_and_a_killed_one_is() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let front = format!("127.0.0.1:{}", scene.front_port());
    let down =
        on(&scene, Node::A, json!({"expect": "down", "observers": 3, "every": "20ms", "via": [front]}));
    let (before, after) = pending(bench.observe(CHECK, &down));
    assert!(before.starts_with("primary, accepting writes"), "{before}");
    assert_eq!(after, "down");
    scene.kill(Node::A);
    let (evidence, outputs) = in_place(bench.observe(CHECK, &down));
    assert!(evidence.contains("is down (refused), seen by 4 look(s)"), "{evidence}");
    assert_eq!(outputs["down_as"], "refused");
    assert!(outputs["down_since"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
}

#[test]
fn a_frozen_server_is_silent_and_the_look_is_bounded() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.freeze(Node::A);
    let quick = json!({"expect": "down", "connect_timeout": "200ms", "every": "10ms"});
    let (_, outputs) = in_place(bench.observe(CHECK, &on(&scene, Node::A, quick)));
    assert_eq!(outputs["down_as"], "silent");
    let up = on(&scene, Node::A, json!({"connect_timeout": "200ms"}));
    assert!(unknown(bench.observe(CHECK, &up)).contains("does not answer within 200ms"));
}

#[test]
fn a_server_out_of_reach_was_not_looked_at() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let primary = on(&scene, Node::B, json!({"expect": "primary"}));
    assert!(blocked(bench.observe(CHECK, &primary)).contains("in recovery"), "it is in reach");
    scene.kill(Node::B);
    for expect in ["up", "primary", "standby", "writable"] {
        let why = unknown(bench.observe(CHECK, &on(&scene, Node::B, json!({"expect": expect}))));
        assert!(why.contains("refuses connections"), "{why}");
    }
    let why = unknown(bench.observe(CHECK, &json!({"host": "db.invalid", "expect": "primary"})));
    assert!(why.contains("does not resolve"), "{why}");
    bench.cancellation().cancel();
    let why = unknown(bench.observe(CHECK, &on(&scene, Node::A, json!({"expect": "standby"}))));
    assert!(why.contains("cancelled"), "{why}");
}

#[test]
fn a_server_that_answers_that_it_is_full_is_up() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.sql(Node::A, "create role crowd login connection limit 0");
    let as_crowd = |expect: &str| on(&scene, Node::A, json!({"user": "crowd", "expect": expect}));
    let why = unknown(bench.observe(CHECK, &as_crowd("up")));
    assert!(why.contains("answers, but is not serving") && why.contains("53300"), "{why}");
    let (before, _) = pending(bench.observe(CHECK, &as_crowd("down")));
    assert!(before.contains("not serving"), "{before}");
}

#[test]
fn a_name_that_does_not_resolve_says_nothing_about_the_server() {
    let bench = Bench::new();
    let why = unknown(bench.observe(CHECK, &json!({"host": "db.invalid", "expect": "down"})));
    assert!(why.contains("does not resolve"), "{why}");
}

#[test]
fn a_primary_whose_commits_hang_is_not_writable() {
    let scene = PostgresScene::start_with(Options { synchronous: true, ..Options::default() });
    let bench = Bench::new();
    let writable = on(&scene, Node::A, json!({"expect": "writable"}));
    in_place(bench.observe(CHECK, &writable));
    scene.kill(Node::B);
    scene.wait_until("a loses its standby", SOON, || {
        scene.try_sql(Node::A, "select count(*) from pg_stat_replication").is_ok_and(|count| count == "0")
    });
    assert!(blocked(bench.observe(CHECK, &writable)).contains("wait for a synchronous standby"));
    in_place(bench.observe(CHECK, &on(&scene, Node::A, json!({"expect": "primary"}))));
}

#[test]
fn a_standby_that_falls_behind_is_seen_to() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let near = on(&scene, Node::B, json!({"expect": "standby", "max_lag": "500ms"}));
    scene.wait_until("the standby is close", SOON, || {
        matches!(bench.observe(CHECK, &near), Observation::InPlace { .. })
    });
    crate::bench::fall_behind(&scene, 1.0);
    let why = blocked(bench.observe(CHECK, &near));
    assert!(why.contains("may be missing") && why.contains("`max_lag` is 500ms"), "{why}");
}

#[test]
fn lag_is_judged_as_of_the_moment_the_primary_was_gone() {
    let (scene, bench) = (following(), Bench::new());
    scene.kill(Node::A);
    let down = on(&scene, Node::A, json!({"expect": "down", "observers": 1}));
    let (_, gone) = in_place(bench.observe(CHECK, &down));
    let standby = |more| {
        let mut params = on(&scene, Node::B, json!({"expect": "standby", "max_lag": "2s"}));
        params["down_since"] = more;
        bench.observe(CHECK, &params)
    };
    // As of now it lacks more and more, though nobody writes.
    let now = scene.wait_until("two seconds have gone by", SOON, || match standby(json!(null)) {
        Observation::Blocked { why } => Some(why),
        _ => None,
    });
    assert!(now.contains("as of now"), "{now}");
    let (evidence, outputs) = in_place(standby(gone["down_since"].clone()));
    assert!(evidence.contains("behind as of 2"), "{evidence}");
    assert!(outputs["lag_seconds"].as_f64().unwrap() < 2.0, "{outputs}");
    let later = gone["down_since"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let later = later + jiff::SignedDuration::from_hours(1);
    blocked(standby(json!(later)));
}

#[test]
fn what_a_standby_lacked_when_the_primary_was_gone_is_not_excused() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    crate::bench::fall_behind(&scene, 2.0);
    scene.kill(Node::A);
    let down = on(&scene, Node::A, json!({"expect": "down", "observers": 1}));
    let (_, gone) = in_place(bench.observe(CHECK, &down));
    let standby = json!({"expect": "standby", "max_lag": "1s", "down_since": gone["down_since"]});
    let why = blocked(bench.observe(CHECK, &on(&scene, Node::B, standby)));
    assert!(why.contains("`max_lag` is 1s"), "{why}");
}
