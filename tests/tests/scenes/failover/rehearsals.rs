//! A dry run tells what a run would meet, and changes nothing.

use lifeboat_tests::cli::Answer;
use lifeboat_tests::scene::Node;
use serde_json::Value;

use super::{Failover, assert_code};

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
            ("candidate", "in_place", "receiving from 127.0.0.1"),
            ("cut-off", "pending", "ready (UP), weight 1, no sessions → maint"),
            ("fence", "not_rehearsed", "step `primary-is-down` did not run"),
            ("promote", "not_rehearsed", "step `fence` did not run"),
            ("load-balancer", "pending", "maint (MAINT), weight 1, no sessions → ready"),
            ("new-primary", "not_rehearsed", "it waits for `promote`, which did not run; now: "),
            ("verify", "not_rehearsed", "cannot look for its own effect"),
            ("roles", "in_place", "is a standby"),
        ],
    );
}

#[test]
fn a_drill_of_the_broken_service_shows_what_is_left_to_do() {
    let failover = broken_and_quiet();
    let ended = drill(&failover);
    assert_code(&ended, 0);
    assert_said(
        &ended,
        &[
            ("primary-is-down", "in_place", "is down (refused), seen by 2 look(s)"),
            ("candidate", "in_place", "receiving nothing"),
            ("cut-off", "pending", "ready (DOWN), weight 1, no sessions → maint"),
            ("fence", "in_place", "is fenced (stopped)"),
            ("promote", "pending", "behind → primary, accepting writes, timeline 2"),
            ("load-balancer", "pending", "maint (MAINT), weight 1, no sessions → ready"),
            ("new-primary", "not_rehearsed", "it waits for `promote`, which did not run; now: "),
            ("verify", "not_rehearsed", "cannot look for its own effect"),
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
    let said = ended.json_lines();
    let candidate =
        said.iter().find(|event| event["step"] == "candidate").expect("the candidate was looked at");
    assert_eq!(candidate["state"], "failed");
    assert!(seen(candidate).contains("refuses connections"), "{candidate}");
}
