//! Many commands at once.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lifeboat_action::{Failure, FailureKind, Outcome};
use lifeboat_command::SupervisorProgram;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::{Bench, HELPER, told};

type Running = Vec<JoinHandle<Result<Outcome, Failure>>>;

/// So many commands that say that they are there, wait for the gate to open, and then carry the script out.
fn crowd(bench: &Bench, size: usize, script: &str) -> (Running, PathBuf, PathBuf) {
    let (here, gate) = (bench.fifo("here"), bench.fifo("gate"));
    let script = format!("printf x > \"$1\"; exec 3< \"$2\"; {script}");
    let running = (0..size).map(|number| {
        let attempt = bench.attempt(&format!("s{number}"));
        let params = json!({"argv": ["sh", "-c", script, "sh", here, gate, number.to_string()]});
        tokio::spawn(async move { attempt.apply(params).await })
    });
    (running.collect(), here, gate)
}

/// Waits until that many are there, and opens the gate. Both pipes stay open as long as the files.
async fn open(here: PathBuf, gate: PathBuf, size: usize) -> Vec<File> {
    let mut files = told_by(here, size).await;
    files.push(opened(&gate));
    files
}

/// Waits until that many are there.
async fn told_by(here: PathBuf, size: usize) -> Vec<File> {
    let all_here = tokio::task::spawn_blocking(move || {
        let mut here = opened(&here);
        here.read_exact(&mut vec![0; size]).unwrap();
        vec![here]
    });
    all_here.await.unwrap()
}

/// A pipe, open for both, so that it does not end between two writers, and nobody waits for another.
fn opened(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

fn children(process: i32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
    let children = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("children"));
    let all: String = threads.filter_map(|thread| children(thread).ok()).collect();
    all.split_whitespace().map(str::to_owned).collect()
}

fn has_limit(process: &str, files: u64) -> bool {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()) == Some(files.to_string().as_str())
}

/// A supervisor that is started with a limit on open files.
fn limited(ulimit: &str) -> Bench {
    let script = format!("{ulimit} && exec {HELPER} supervise");
    Bench::with_program(SupervisorProgram { program: "sh".into(), args: vec!["-c".to_owned(), script] })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_commands_run_at_once() {
    let bench = Bench::new();
    let (running, here, gate) = crowd(&bench, 200, "echo \"$3\"");
    let gate = open(here, gate, 200).await;
    for (number, command) in running.into_iter().enumerate() {
        let outcome = command.await.unwrap().unwrap();
        assert_eq!(outcome.outputs["stdout"], json!(number.to_string()));
    }
    drop(gate);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_limit_on_open_files_is_raised_for_the_supervisor_and_kept_for_its_commands() {
    let bench = limited("ulimit -Sn 100");
    let (running, here, gate) = crowd(&bench, 150, "ulimit -Sn");
    let (first, mut all_here) = (bench.attempt("s0"), told_by(here, 150).await);
    // It is given back right after the start, of which a command may have told already.
    let deadline = Instant::now() + Duration::from_secs(60);
    while !children(first.supervisor()).iter().all(|child| has_limit(child, 100)) {
        assert!(Instant::now() < deadline, "not every command has its limit back");
        tokio::task::yield_now().await;
    }
    all_here.push(opened(&gate));
    for command in running {
        assert_eq!(command.await.unwrap().unwrap().outputs["stdout"], json!("100"));
    }
    drop(all_here);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_room_for_its_files_waits_for_it() {
    // Room for five.
    let bench = limited("ulimit -n 60");
    let (mut running, here, gate) = crowd(&bench, 40, "true");
    let gate = open(here, gate, 5).await;
    while let Some(command) = running.pop() {
        command.await.unwrap().unwrap();
    }
    drop(gate);
}

#[tokio::test]
async fn what_waits_for_room_can_be_stopped() {
    // Room for one.
    let bench = limited("ulimit -n 44");
    let first = bench.attempt("first");
    let (here, stop_first) = (bench.fifo("here"), first.cancel.clone());
    let params = json!({"script": "echo here > $HERE; exec sleep 1000", "env": {"HERE": here}});
    let first = tokio::spawn(async move { first.apply(params).await });
    told(&here).await;

    let second = bench.attempt("second");
    let marker = bench.path("marker");
    let (params, stop) = (json!({"argv": ["touch", marker]}), second.cancel.clone());
    let second = tokio::spawn(async move { second.apply(params).await });
    tokio::task::yield_now().await;
    stop.cancel();
    let failure = second.await.unwrap().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient);
    assert_eq!(failure.message, "it was stopped before it was started");
    assert!(!marker.exists() && !first.is_finished());
    stop_first.cancel();
    first.await.unwrap().unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_finds_no_file_to_look_with_does_not_take_that_for_the_end() {
    const FILES: usize = 140;
    let bench = limited(&format!("ulimit -n {FILES}"));
    let started = async |step: &str, processes: usize, kill_after: &str| {
        let (attempt, here) = (Arc::new(bench.attempt(step)), bench.fifo(step));
        let script = "trap '' TERM; for i in $(seq $MANY); do sleep 1000 & done; echo here > $HERE; wait";
        let env = json!({"HERE": here, "MANY": processes.to_string()});
        let params = json!({"script": script, "env": env, "kill_after": kill_after});
        let applying = Arc::clone(&attempt);
        let command = tokio::spawn(async move { applying.apply(params).await });
        told(&here).await;
        (attempt, command)
    };
    let (many, stopping_many) = started("many", FILES, "1s").await;
    let (few, stopping_few) = started("few", 1, "1ms").await;
    many.cancel.cancel();
    let open_files = format!("/proc/{}/fd", many.supervisor());
    while std::fs::read_dir(&open_files).unwrap().count() < FILES {
        tokio::task::yield_now().await;
    }
    few.cancel.cancel();
    for (attempt, command) in [(few, stopping_few), (many, stopping_many)] {
        let failure = command.await.unwrap().unwrap_err();
        assert!(failure.message.starts_with("it was told to stop and "), "{failure}");
        assert_eq!(attempt.processes(), [0; 0]);
    }
}
