//! What a command printed is what it printed: never less, and never nothing because a file is gone.

use std::fs;

use lifeboat_action::{FailureKind, Observation, Recovery};
use serde_json::{Value, json};

use crate::support::{Bench, TestAttempt};

/// Runs a command that succeeds; its driver is taken to have died before it could record that.
async fn ran(bench: &Bench, step: &str, script: &str) -> TestAttempt {
    let attempt = bench.attempt(step);
    attempt.apply(json!({"script": script})).await.unwrap();
    attempt
}

async fn recovered(attempt: &TestAttempt) -> Recovery {
    attempt.recover(json!({"script": "what ran before"})).await
}

/// Why nobody knows what the attempt yields.
async fn doubt(attempt: &TestAttempt) -> String {
    match recovered(attempt).await {
        Recovery::Ended { result: Err(failure), evidence } if failure.kind == FailureKind::Unknown => {
            assert!(evidence.starts_with(&failure.message), "{evidence}");
            evidence
        }
        other => panic!("not in doubt: {other:?}"),
    }
}

async fn output(attempt: &TestAttempt, name: &str) -> Value {
    match recovered(attempt).await {
        Recovery::Ended { result: Ok(outcome), .. } => outcome.outputs[name].clone(),
        other => panic!("not a success: {other:?}"),
    }
}

#[tokio::test]
async fn a_success_whose_output_is_lost_is_in_doubt() {
    let bench = Bench::new();
    let words = "it exited with 0, but what it printed cannot be used: its";

    let attempt = ran(&bench, "missing", "echo db-b").await;
    fs::remove_file(attempt.folder().join("stdout")).unwrap();
    let why = doubt(&attempt).await;
    assert!(why.starts_with(&format!("{words} stdout cannot be read: No such file")), "{why}");
    assert!(why.contains("; its end was recorded by its supervisor at 20"), "{why}");

    for left in ["", "db"] {
        let attempt = ran(&bench, &format!("cut-to-{}", left.len()), "echo db-b >&2").await;
        fs::write(attempt.folder().join("stderr"), left).unwrap();
        let why = doubt(&attempt).await;
        let expected = format!("{words} stderr cannot be read: {} of 5 bytes are left", left.len());
        assert!(why.starts_with(&expected), "{why}");
    }
}

#[tokio::test]
async fn a_command_that_printed_nothing_has_nothing_to_lose() {
    let bench = Bench::new();
    let attempt = ran(&bench, "quiet", "true").await;
    for name in ["stdout", "stderr"] {
        fs::remove_file(attempt.folder().join(name)).unwrap();
    }
    assert_eq!(output(&attempt, "stdout").await, json!(""));
}

#[tokio::test]
async fn what_is_printed_after_the_end_is_not_the_commands() {
    let bench = Bench::new();
    let attempt = ran(&bench, "left", "echo db-b").await;
    fs::write(attempt.folder().join("stdout"), "db-b\nand a daemon goes on\n").unwrap();
    assert_eq!(output(&attempt, "stdout").await, json!("db-b"));
}

#[tokio::test]
async fn a_trace_that_does_not_tell_the_lengths_is_believed_as_far_as_there_are_files() {
    let bench = Bench::new();
    let attempt = ran(&bench, "older", "echo db-b").await;
    let trace = attempt.folder().join("supervision.jsonl");
    let text = fs::read_to_string(&trace).unwrap();
    let lengths = r#","printed":{"stdout":5,"stderr":0}"#;
    assert!(text.contains(lengths), "{text}");
    fs::write(trace, text.replace(lengths, "")).unwrap();
    assert_eq!(output(&attempt, "stdout").await, json!("db-b"));
    fs::remove_file(attempt.folder().join("stderr")).unwrap();
    assert!(doubt(&attempt).await.contains("its stderr cannot be read"));
}

#[tokio::test]
async fn output_that_is_gone_when_the_command_ends_is_lost_too() {
    let bench = Bench::new();
    let attempt = bench.attempt("tidy");
    let gone =
        |folder: String| json!({"script": "echo db-b; rm \"$FOLDER/stdout\"", "env": {"FOLDER": folder}});
    let failure = attempt.apply(gone(attempt.folder().display().to_string())).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert!(failure.message.starts_with("it exited with 0, but what it printed cannot be used"), "{failure}");

    let attempt = bench.attempt("look");
    let mut params = gone(attempt.folder().join("look-1").display().to_string());
    params["read_only"] = json!(true);
    let seen = attempt.observe(params).await;
    assert!(matches!(&seen, Observation::Unknown { why } if why.contains("cannot be used")), "{seen:?}");
}
