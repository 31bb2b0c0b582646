//! Rehearsing between incidents: the primary lives, so nobody knows since when it is gone, and nothing is fenced.

use lifeboat_tests::scene::{Node, PostgresScene};
use serde_json::{Value, json};

use crate::bench::{Bench, SOON, blocked, fall_behind, fence_a, following, in_place, merge, on, pending};

/// Rehearses fencing `a` for `b`, of clients that come through HAProxy.
fn fence(scene: &PostgresScene, more: Value) -> Value {
    let front = format!("127.0.0.1:{}", scene.front_port());
    let mut params = fence_a(scene, json!({"minimum": "isolated", "paths": [front]}));
    merge(&mut params, more);
    params
}

fn rehearse_fence(scene: &PostgresScene, bench: &Bench, more: Value) -> lifeboat_action::Observation {
    bench.rehearse("postgres.fence", &fence(scene, more), "down_since")
}

fn rehearse_promotion(scene: &PostgresScene, bench: &Bench, more: Value) -> lifeboat_action::Observation {
    bench.rehearse("postgres.promote", &on(scene, Node::B, more), "fence")
}

/// Gives `a` and `b` a role.
fn create_role(scene: &PostgresScene, name: &str) {
    scene.sql(Node::A, &format!("create role {name} login"));
    let known = format!("select count(*) from pg_roles where rolname = '{name}'");
    scene.wait_until("b knows the role", SOON, || {
        scene.try_sql(Node::B, &known).is_ok_and(|count| count == "1")
    });
}

#[test]
fn fencing_shows_who_is_there_and_what_the_steps_before_must_bring_about() {
    let (scene, bench) = (following(), Bench::new());
    let (before, after) = pending(rehearse_fence(&scene, &bench, json!({})));
    let (b, front) = (scene.port(Node::B), scene.front_port());
    for said in [
        "primary, accepting writes, timeline 1".to_owned(),
        " client session(s)".to_owned(),
        format!("path 127.0.0.1:{front} leads to a primary of this cluster"),
        format!("127.0.0.1:{b} is a standby of this cluster and receives from it: "),
        " as of now".to_owned(),
    ] {
        assert!(before.contains(&said), "{said:?} is not in {before}");
    }
    assert_eq!(after, "takes no writes (isolated); once every path is closed");
    let (_, after) = pending(rehearse_fence(&scene, &bench, json!({"minimum": "stopped"})));
    assert_eq!(after, "takes no writes (stopped); once it is stopped");
    // A run that fences for real is as strict as ever.
    let why = blocked(bench.observe("postgres.fence", &fence(&scene, json!({}))));
    assert!(why.contains("close every path"), "{why}");
}

#[test]
fn fencing_says_which_rights_would_be_missing() {
    let (scene, bench) = (following(), Bench::new());
    create_role(&scene, "plain");
    let after = || pending(rehearse_fence(&scene, &bench, json!({"user": "plain"}))).1;
    assert!(
        after().contains("only if it is gone by then, because plain may not see the sessions"),
        "{}",
        after()
    );
    scene.sql(Node::A, "grant pg_read_all_stats, pg_signal_backend to plain");
    assert!(
        after().ends_with("because plain may not change the server's settings (alter system)"),
        "{}",
        after()
    );
    scene.sql(Node::A, "grant alter system on parameter default_transaction_read_only to plain");
    assert_eq!(after(), "takes no writes (isolated); once every path is closed");
    scene.sql(Node::A, "alter role plain set default_transaction_read_only = off");
    assert!(after().ends_with("is switched off for plain in every database"), "{}", after());
}

#[test]
fn fencing_is_blocked_by_the_standby_of_a_copy_and_by_lag() {
    let (scene, copy, bench) = (following(), following(), Bench::new());
    let known = "select system_identifier from pg_control_system()";
    assert_eq!(scene.sql(Node::A, known), copy.sql(Node::B, known), "only their logs tell them apart");
    let ahead = copy.sql(Node::A, "select pg_switch_wal()").parse().unwrap();
    copy.wait_until("the standby of the copy is ahead", SOON, || copy.replayed(Node::B) > ahead);
    let stray = json!({"candidate": {"host": "127.0.0.1", "port": copy.port(Node::B)}, "max_lag": "1h"});
    let why = blocked(rehearse_fence(&scene, &bench, stray));
    assert!(why.contains("is no standby of") && why.contains("it holds log up to"), "{why}");
    fall_behind(&scene, 1.0);
    let why = blocked(rehearse_fence(&scene, &bench, json!({"max_lag": "500ms"})));
    assert!(why.contains("have not arrived"), "{why}");
}

#[test]
fn a_primary_that_is_gone_all_the_same_is_fenced_also_without_the_moment() {
    let (scene, bench) = (following(), Bench::new());
    scene.kill(Node::A);
    let (evidence, _) = in_place(rehearse_fence(&scene, &bench, json!({})));
    assert!(evidence.contains("is fenced (stopped)"), "{evidence}");
}

#[test]
fn a_promotion_shows_the_standby_and_how_far_behind_it_is() {
    let (scene, bench) = (following(), Bench::new());
    let (before, after) = pending(rehearse_promotion(&scene, &bench, json!({})));
    assert!(before.starts_with("standby, timeline 1") && before.ends_with("behind as of now"), "{before}");
    assert_eq!(after, "primary, accepting writes, timeline 2");
    // A run never goes without the evidence.
    let why = blocked(bench.observe("postgres.promote", &on(&scene, Node::B, json!({}))));
    assert!(why.contains("`fence` is missing"), "{why}");
}

#[test]
fn a_promotion_is_blocked_by_what_would_be_in_its_way() {
    let (scene, bench) = (following(), Bench::new());
    create_role(&scene, "plain");
    let why = blocked(rehearse_promotion(&scene, &bench, json!({"user": "plain"})));
    assert!(why.contains("plain may not promote it: grant execute on pg_promote"), "{why}");
    scene.sql(Node::A, "grant execute on function pg_promote to plain");
    scene.wait_until("b knows of the right", SOON, || {
        let seen = rehearse_promotion(&scene, &bench, json!({"user": "plain"}));
        matches!(seen, lifeboat_action::Observation::Pending { .. })
    });
    scene.pause_replay(Node::B);
    let why = blocked(rehearse_promotion(&scene, &bench, json!({})));
    assert!(why.contains("has its replay paused"), "{why}");
    scene.resume_replay(Node::B);
    scene.kill(Node::A);
    scene.wait_until("b lacks too much", SOON, || {
        let seen = rehearse_promotion(&scene, &bench, json!({"max_lag": "500ms"}));
        matches!(seen, lifeboat_action::Observation::Blocked { why } if why.contains("too far behind as of now"))
    });
}

#[test]
fn lag_is_judged_as_if_the_primary_were_gone_now() {
    let (scene, bench) = (following(), Bench::new());
    let params = on(&scene, Node::B, json!({"expect": "standby", "max_lag": "10s"}));
    let (evidence, _) = in_place(bench.rehearse("postgres.check", &params, "down_since"));
    assert!(evidence.ends_with("behind if the primary were gone now"), "{evidence}");
    fall_behind(&scene, 1.0);
    let strict = on(&scene, Node::B, json!({"expect": "standby", "max_lag": "500ms"}));
    let why = blocked(bench.rehearse("postgres.check", &strict, "down_since"));
    assert!(why.contains("if the primary were gone now"), "{why}");
}
