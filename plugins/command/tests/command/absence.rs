//! Whatever is missing is no proof that a command never began.

use std::fs;
use std::path::Path;

use lifeboat_action::{Attempt, FailureKind, Recovery};
use serde_json::json;

use crate::support::{Bench, TestAttempt, is_alive, kill};

const TRACE: &str = "supervision.jsonl";

/// Something that happens to an attempt's folder, in the folder of its step.
type Happens = fn(step: &Path, attempt: &Path);

fn copy_back(step: &Path, attempt: &Path) {
    fs::rename(attempt, step.join("gone")).unwrap();
    fs::create_dir(attempt).unwrap();
    fs::copy(step.join("gone").join(TRACE), attempt.join(TRACE)).unwrap();
}

const ALL: [(&str, Happens); 9] = [
    ("its folder is gone", |_, attempt| fs::remove_dir_all(attempt).unwrap()),
    ("the folder of its step is gone", |step, _| fs::remove_dir_all(step).unwrap()),
    ("a file is in the place of its folder", |_, attempt| {
        fs::remove_dir_all(attempt).unwrap();
        fs::write(attempt, "").unwrap();
    }),
    ("its folder was made anew", |_, attempt| {
        fs::remove_dir_all(attempt).unwrap();
        fs::create_dir(attempt).unwrap();
    }),
    ("its trace is gone", |_, attempt| fs::remove_file(attempt.join(TRACE)).unwrap()),
    ("its trace was emptied", |_, attempt| fs::write(attempt.join(TRACE), "").unwrap()),
    ("its folder was restored from a copy", copy_back),
    ("its trace is torn", |_, attempt| {
        let mut text = fs::read(attempt.join(TRACE)).unwrap();
        text.extend(br#"{"claimed":{"su"#);
        fs::write(attempt.join(TRACE), text).unwrap();
    }),
    ("its output is there", |_, attempt| fs::write(attempt.join("stdout"), "").unwrap()),
];

async fn assert_in_doubt(attempt: &TestAttempt, what: &str) {
    let before = files(attempt.folder().parent().unwrap().parent().unwrap());
    for _ in 0..2 {
        let found = attempt.recover(json!({"argv": ["true"]})).await;
        assert!(matches!(found, Recovery::Nothing { .. }), "{what}: {found:?}");
    }
    let after = files(attempt.folder().parent().unwrap().parent().unwrap());
    assert_eq!(before, after, "{what}: looking makes nothing");
}

/// The paths of all files and folders in a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut all: Vec<_> = entries.flat_map(|path| [vec![path.clone()], files(&path)].concat()).collect();
    all.sort();
    all
}

#[tokio::test]
async fn a_trace_that_is_not_as_its_driver_opened_it_leaves_a_doubt_and_starts_nothing() {
    let bench = Bench::new();
    for (number, (what, happens)) in ALL.into_iter().enumerate() {
        let attempt = bench.attempt(&format!("s{number}"));
        attempt.open();
        happens(attempt.folder().parent().unwrap(), attempt.folder());
        assert_in_doubt(&attempt, what).await;
        // A request that was still under way comes too late.
        let marker = bench.path("marker");
        let late = attempt.apply_opened(json!({"argv": ["touch", marker]})).await;
        assert!(late.is_err() && !marker.exists(), "{what}: {late:?}");
    }
}

#[tokio::test]
async fn a_command_that_ran_is_in_doubt_whatever_became_of_its_trace() {
    let bench = Bench::new();
    for (number, (what, happens)) in ALL.into_iter().enumerate() {
        if what.ends_with("torn") || what.ends_with("is there") || what.ends_with("a copy") {
            // Its end can be read there.
            continue;
        }
        let attempt = bench.attempt(&format!("s{number}"));
        attempt.apply(json!({"argv": ["true"]})).await.unwrap();
        happens(attempt.folder().parent().unwrap(), attempt.folder());
        assert_in_doubt(&attempt, what).await;
    }
}

#[tokio::test]
async fn the_trace_of_another_attempt_tells_nothing() {
    let bench = Bench::new();
    let other = bench.attempt("other");
    other.apply(json!({"argv": ["true"]})).await.unwrap();
    let attempt = bench.attempt("step");
    attempt.open();
    fs::remove_dir_all(attempt.folder()).unwrap();
    std::os::unix::fs::symlink(other.folder(), attempt.folder()).unwrap();
    let found = attempt.recover(json!({"argv": ["true"]})).await;
    let Recovery::Nothing { why } = &found else { panic!("{found:?}") };
    assert!(why.contains("that of attempt 1") && why.contains("/other"), "{why}");

    let mut second = bench.attempt("other");
    second.info.attempt = Attempt(2);
    assert_in_doubt(&second, "the same folder").await;
}

#[tokio::test]
async fn a_command_that_removes_its_own_trace_is_in_doubt_and_not_waited_for_longer_than_it_ran() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let script = "rm -rf \"$FOLDER\"; setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >\"$PID\"";
    let (folder, pid) = (attempt.folder(), bench.path("pid"));
    let params = json!({"script": script, "env": {"FOLDER": folder, "PID": pid}});
    let failure = attempt.apply(params.clone()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown, "{failure}");
    let service = fs::read_to_string(bench.path("pid")).unwrap().trim().parse().unwrap();
    let found = attempt.recover(params).await;
    let Recovery::Ended { result: Err(failure), evidence } = &found else { panic!("{found:?}") };
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert!(evidence.starts_with("its supervisor said that it exited with 0"), "{evidence}");
    assert!(evidence.contains("is gone"), "{evidence}");
    assert!(is_alive(service), "what it left running is its own affair");
    kill(service);
}

#[tokio::test]
async fn an_attempt_without_a_trace_is_not_started() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let failure = attempt.apply_opened(json!({"argv": ["touch", bench.path("marker")]})).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient, "{failure}");
    assert!(!bench.path("marker").exists() && !attempt.folder().exists());
}

#[tokio::test]
async fn an_attempt_that_was_never_recorded_can_be_started_by_a_later_driver() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    attempt.open();
    // Of an earlier driver.
    let file = attempt.folder().join(TRACE);
    let text = fs::read_to_string(&file).unwrap();
    let me = format!("\"pid\":{}", std::process::id());
    assert!(text.contains(&me), "{text}");
    fs::write(&file, text.replace(&me, "\"pid\":1")).unwrap();
    let late = attempt.apply_opened(json!({"argv": ["true"]})).await.unwrap_err();
    assert_eq!(late.kind, FailureKind::Unknown, "it is not this driver's: {late}");
    attempt.apply(json!({"argv": ["true"]})).await.unwrap();
}
