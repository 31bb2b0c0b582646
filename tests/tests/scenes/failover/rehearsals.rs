//! A dry run tells what a run would meet, and changes nothing.

use lifeboat_tests::cli::Answer;
use lifeboat_tests::scene::{Node, PostgresScene};
use serde_json::Value;

use super::{Failover, SOON, assert_code};

/// Rehearses on a quiet service, proves that nothing changed, and returns what was said.
fn drill(failover: &Failover) -> Answer {
    let before = failover.scene.fingerprint();
    let ended = failover.sandbox.lifeboat(failover.words("drill", &[])).run();
    assert_eq!(failover.scene.fingerprint(), before, "a dry run changed something");
    let journal = failover.journal();
    assert!(journal.all("step_started").next().is_none(), "a dry run started a step");
    assert_eq!(failover.status()["mode"], "dry_run");
    ended
}

/// Insists on what was said of each step: its state, and words of what was seen.
#[track_caller]
fn assert_said(ended: &Answer, expected: &[(&str, &str, &str)]) {
    let said: Vec<Value> =
        ended.json_lines().into_iter().filter(|event| event["type"] == "step_finished").collect();
    let about = |step: &str| said.iter().find(|event| event["step"] == step);
    for (step, state, words) in expected {
        let event = about(step).unwrap_or_else(|| panic!("nothing was said of {step}\n{ended}"));
        assert_eq!(event["state"], *state, "{event}");
        assert!(seen(event).contains(words), "{step}: {words:?} is not in {event}");
    }
    assert_eq!(said.len(), expected.len(), "{ended}");
}

/// Insists that a step was found to be in the way, with words of why.
#[track_caller]
fn assert_blocked(ended: &Answer, step: &str, words: &str) {
    let said = ended.json_lines();
    let event = said
        .iter()
        .find(|event| event["type"] == "step_finished" && event["step"] == step)
        .expect("it was looked at");
    assert_eq!(event["state"], "failed", "{event}");
    assert!(seen(event).contains(words), "{words:?} is not in {event}");
}

/// What a dry run saw, as one text.
fn seen(event: &Value) -> String {
    match &event["change"] {
        Value::Object(change) => format!("{} → {}", word(&change["before"]), word(&change["after"])),
        _ => format!("{}{}", word(&event["evidence"]), word(&event["why"])),
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A service without clients whose primary is dead, as HAProxy knows too.
fn broken_and_quiet() -> Failover {
    let failover = Failover::broken();
    failover.scene.stop_writer();
    failover.wait_until_noticed();
    failover
}

#[test]
fn a_drill_of_the_healthy_service_shows_the_way() {
    let failover = Failover::healthy();
    failover.scene.quiesce();
    let ended = drill(&failover);
    assert_code(&ended, 0);
    assert_said(
        &ended,
        &[
            ("primary-is-down", "pending", "primary, accepting writes, timeline 1"),
            ("candidate", "in_place", "behind if the primary were gone now"),
            ("cut-off", "pending", "ready (UP), weight 1, no sessions → maint"),
            (
                "fence",
                "pending",
                "nothing is missing as of now → takes no writes (isolated); once every path is closed",
            ),
            ("promote", "pending", "behind as of now → primary, accepting writes, timeline 2"),
            ("repoint/load-balancer", "pending", "maint (MAINT), weight 1, no sessions → ready"),
            ("repoint/new-primary", "not_rehearsed", "it waits for `promote`, which did not run; now: "),
            ("verify", "not_rehearsed", "cannot look for its own effect"),
            ("still-cut-off", "pending", "ready (UP), weight 1, no sessions → maint"),
            ("front-is-new", "not_rehearsed", "`promote`"),
            ("old-primary", "pending", "primary, accepting writes, timeline 1"),
            ("roles", "in_place", "is a standby"),
        ],
    );
}

/// What a drill could not know is in its journal and in what it prints, beside what it saw.
#[test]
fn a_drill_of_the_healthy_service_says_what_it_did_not_know() {
    let failover = Failover::healthy();
    failover.scene.quiesce();
    drill(&failover);
    let journal = failover.journal();
    let about = |step| journal.about("step_rehearsed", step).next().expect("every step was rehearsed");
    for (step, unknown, from) in [
        ("candidate", "down_since", "step `primary-is-down` did not run"),
        ("fence", "down_since", "step `primary-is-down` did not run"),
        ("promote", "fence", "step `fence` did not run"),
    ] {
        let record = about(step);
        assert_eq!(record["with"][unknown], Value::Null, "{record}");
        assert!(word(&record["without"][unknown]).contains(from), "{record}");
    }
    assert_eq!(about("cut-off").get("without"), None, "it knew everything");
    let mut words = failover.words("drill", &[]);
    words.retain(|word| word != "--json");
    let said = failover.sandbox.lifeboat(words).run().stdout;
    assert!(said.contains("not known: `fence`") && said.contains("not known: `down_since`"), "{said}");
}

/// What would be in the way of a failover is found between incidents.
#[test]
fn a_drill_of_the_healthy_service_is_not_ready_with_a_standby_that_could_not_take_over() {
    let failover = Failover::healthy();
    failover.scene.quiesce();
    failover.scene.pause_replay(Node::B);
    let ended = drill(&failover);
    assert_code(&ended, 13);
    assert_blocked(&ended, "promote", "has its replay paused");

    // The standby of a copy of the cluster: only its log tells that it is none of ours.
    let copy = PostgresScene::start();
    let ahead = copy.sql(Node::A, "select pg_switch_wal()").parse().unwrap();
    copy.wait_until("the standby of the copy is ahead", SOON, || copy.replayed(Node::B) > ahead);
    let stray = format!("127.0.0.1:{}", copy.port(Node::B));
    let ended = failover.sandbox.lifeboat(failover.words("drill", &[("standby", &stray)])).run();
    assert_code(&ended, 13);
    assert_blocked(&ended, "fence", "is no standby of");
}

#[test]
fn a_drill_of_the_broken_service_shows_what_is_left_to_do() {
    let failover = broken_and_quiet();
    let ended = drill(&failover);
    assert_code(&ended, 0);
    assert_said(
        &ended,
        &[
            ("primary-is-down", "in_place", "is down (refused), seen by 3 look(s)"),
            ("candidate", "in_place", "receiving nothing"),
            ("cut-off", "pending", "ready (DOWN), weight 1, no sessions → maint"),
            ("fence", "in_place", "is fenced (stopped)"),
            ("promote", "pending", "behind → primary, accepting writes, timeline 2"),
            ("repoint/load-balancer", "pending", "maint (MAINT), weight 1, no sessions → ready"),
            ("repoint/new-primary", "not_rehearsed", "it waits for `promote`, which did not run; now: "),
            ("verify", "not_rehearsed", "cannot look for its own effect"),
            ("still-cut-off", "pending", "ready (DOWN), weight 1, no sessions → maint"),
            ("front-is-new", "not_rehearsed", "`promote`"),
            ("old-primary", "in_place", "is down (refused), seen by 1 look(s)"),
            ("roles", "in_place", "is a standby"),
        ],
    );
}

#[test]
fn a_drill_says_that_a_dead_standby_cannot_take_over() {
    let failover = broken_and_quiet();
    failover.scene.kill(Node::B);
    let ended = drill(&failover);
    assert_code(&ended, 13);
    assert_blocked(&ended, "candidate", "refuses connections");
}
