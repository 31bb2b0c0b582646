//! Somebody dies half-way: the driver, the supervisor, or both.

use std::process::{Child, Command, Stdio};

use lifeboat_action::{Failure, FailureKind, Outcome, Recovery};
use serde_json::{Value, json};

use crate::support::{Bench, HELPER, TestAttempt, boot_id, gone, is_alive, kill, told};

/// A second process that drives the attempt.
fn drive(attempt: &TestAttempt, params: &Value) -> Child {
    let (run, folder) = (attempt.info.run.as_str(), attempt.folder());
    let mut command = Command::new(HELPER);
    command.arg("drive").arg(run).arg(folder).arg(params.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Kills a driver and waits until it is gone.
fn kill_driver(mut driver: Child) {
    driver.kill().unwrap();
    driver.wait().unwrap();
}

async fn write(fifo: std::path::PathBuf, text: &'static str) {
    tokio::task::spawn_blocking(move || std::fs::write(fifo, text).unwrap()).await.unwrap();
}

fn ended(recovery: Recovery) -> (Result<Outcome, Failure>, String) {
    match recovery {
        Recovery::Ended { result, evidence } => (result, evidence),
        other => panic!("not ended: {other:?}"),
    }
}

fn nothing(recovery: Recovery) -> String {
    match recovery {
        Recovery::Nothing { why } => why,
        other => panic!("something was found: {other:?}"),
    }
}

/// A command that tells its process id, waits to be let go, and exits with 0 after printing what let it go.
fn waits(bench: &Bench) -> Value {
    let (here, go) = (bench.fifo("here"), bench.fifo("go"));
    json!({"script": "echo $$ > \"$HERE\"; cat \"$GO\"", "env": {"HERE": here, "GO": go}, "kill_after": "10m"})
}

#[tokio::test]
async fn a_command_that_outlives_its_driver_is_waited_for() {
    let bench = Bench::new();
    let params = waits(&bench);
    let attempt = bench.attempt("step");
    let driver = drive(&attempt, &params);
    let pid = told(&bench.path("here")).await;
    attempt.named().await;
    kill_driver(driver);
    assert!(is_alive(pid.parse().unwrap()), "it does not care");

    let said = attempt.said.clone();
    let recovering = tokio::spawn(async move { attempt.recover(params).await });
    assert_eq!(said.first().await, format!("still running as process {pid}: waiting for it"));
    write(bench.path("go"), "went on").await;
    let (result, evidence) = ended(recovering.await.unwrap());
    assert_eq!(result.unwrap().outputs["stdout"], json!("went on"));
    assert!(evidence.starts_with("it exited with 0, recorded by its supervisor at 20"), "{evidence}");
}

#[tokio::test]
async fn the_end_of_a_command_that_ended_meanwhile_is_read() {
    let bench = Bench::new();
    let params = json!({"script": "echo $PPID > \"$HERE\"; cat \"$GO\"; exit 3",
        "env": {"HERE": bench.fifo("here"), "GO": bench.fifo("go")}});
    let attempt = bench.attempt("step");
    let driver = drive(&attempt, &params);
    let supervisor = told(&bench.path("here")).await;
    kill_driver(driver);
    write(bench.path("go"), "").await;
    gone(supervisor.parse().unwrap()).await;

    let (result, evidence) = ended(attempt.recover(params.clone()).await);
    assert_eq!((result.unwrap_err().message.as_str(), attempt.said.count()), ("exited with 3", 0));
    assert!(evidence.starts_with("it exited with 3, recorded"), "{evidence}");
    assert_eq!(ended(attempt.recover(params).await).1, evidence, "a second look tells the same");
}

#[tokio::test]
async fn a_command_that_was_adopted_can_be_stopped() {
    let bench = Bench::new();
    let params = waits(&bench);
    let attempt = bench.attempt("step");
    let driver = drive(&attempt, &params);
    let pid = told(&bench.path("here")).await;
    attempt.named().await;
    kill_driver(driver);

    let (said, cancel) = (attempt.said.clone(), attempt.cancel.clone());
    let recovering = tokio::spawn(async move { attempt.recover(params).await });
    said.first().await;
    cancel.cancel();
    let failure = ended(recovering.await.unwrap()).0.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert_eq!(failure.message, "it was told to stop and was killed by SIGTERM");
    assert!(!is_alive(pid.parse().unwrap()));
}

#[tokio::test]
async fn a_command_that_lost_its_supervisor_is_waited_for_and_in_doubt() {
    let bench = Bench::new();
    let params = waits(&bench);
    let attempt = bench.attempt("step");
    let applying = bench.attempt("step");
    let said = applying.said.clone();
    let applying = {
        let params = params.clone();
        tokio::spawn(async move { applying.apply(params).await })
    };
    let pid = told(&bench.path("here")).await;
    attempt.named().await;
    kill(attempt.supervisor());
    let words = format!("still running as process {pid}, without its supervisor: waiting for it");
    assert_eq!(said.first().await, words);

    kill_rest(&attempt).await;
    let ended = format!("(process {pid}) has ended since, and nobody recorded how");
    let failure = applying.await.unwrap().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert!(failure.message.contains("no supervisor is at work on the command any more"), "{failure}");
    let why = nothing(attempt.recover(params).await);
    assert!(why.contains(&ended), "{why}");

    // The next command gets a new supervisor.
    assert_eq!(
        bench.attempt("next").apply(json!({"argv": ["true"]})).await.unwrap().evidence,
        "exited with 0"
    );
}

/// Kills what carries the attempt's mark (the shell and its `cat`) and waits until it is gone.
async fn kill_rest(attempt: &TestAttempt) {
    for pid in attempt.processes() {
        kill(pid);
        gone(pid).await;
    }
}

#[tokio::test]
async fn an_attempt_that_nobody_took_on_never_began() {
    let bench = Bench::new();
    let params = json!({"argv": ["touch", bench.path("marker")]});
    let attempt = bench.attempt("step");
    attempt.open();
    for _ in 0..2 {
        let found = attempt.recover(params.clone()).await;
        assert!(matches!(found, Recovery::NotStarted { .. }), "{found:?}");
    }
    let late = attempt.apply_opened(params).await.unwrap_err();
    assert_eq!(late.kind, FailureKind::Unknown);
    assert!(late.message.contains("another process has decided what becomes of the attempt"), "{late}");
    assert!(!bench.path("marker").exists());
}

#[tokio::test]
async fn a_trace_that_cannot_be_read_settles_nothing() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    std::fs::create_dir_all(attempt.folder().join("supervision.jsonl")).unwrap();
    let found = attempt.recover(json!({"argv": ["true"]})).await;
    assert!(matches!(&found, Recovery::MayGoOn { why } if why.contains("cannot be read")), "{found:?}");
}

#[tokio::test]
async fn an_unclaimed_trace_proves_nothing_after_a_restart_of_the_machine() {
    let bench = Bench::new();
    for (step, boot) in [("other", Some("another boot".to_owned())), ("unknown", None)] {
        let mut attempt = bench.attempt(step);
        attempt.info.boot = boot;
        attempt.open();
        let why = nothing(attempt.recover(json!({"argv": ["true"]})).await);
        assert!(why.contains("restarted"), "{why}");
    }
}

#[tokio::test]
async fn a_trace_from_before_a_restart_is_in_doubt_unless_it_tells_the_end() {
    let bench = Bench::new();
    let claimed = r#"{"claimed":{"supervisor":{"pid":1,"start_time":1}}}"#;
    let started = r#"{"started":{"process":{"pid":1,"start_time":1},"at":"2026-01-01T00:00:00Z"}}"#;
    let with_code =
        |code| format!(r#"{{"ended":{{"status":{{"code":{code}}},"at":"2026-01-01T00:00:01Z"}}}}"#);
    let ended_line = with_code(0);
    let recovered = async |step: &str, trace: String| {
        let attempt = bench.attempt(step);
        attempt.open();
        let file = attempt.folder().join("supervision.jsonl");
        let opened = std::fs::read_to_string(&file).unwrap().replace(&boot_id(), "another boot");
        std::fs::write(file, opened + &trace).unwrap();
        attempt.recover(json!({"argv": ["true"]})).await
    };
    let torn = &ended_line[..ended_line.len() / 2];
    let why = nothing(recovered("torn", format!("{claimed}\n{started}\n{torn}")).await);
    assert!(why.contains("the machine was restarted"), "{why}");
    let (result, evidence) = ended(recovered("failed", format!("{claimed}\n{}\n", with_code(3))).await);
    assert_eq!(result.unwrap_err().message, "exited with 3");
    assert_eq!(evidence, "it exited with 3, recorded by its supervisor at 2026-01-01T00:00:01Z");
}

#[tokio::test]
async fn a_supervisor_that_is_asked_to_end_sees_its_commands_out() {
    use rustix::process::{Pid, Signal, kill_process};
    let bench = Bench::new();
    let params = waits(&bench);
    let attempt = bench.attempt("step");
    let driver = drive(&attempt, &params);
    let command = told(&bench.path("here")).await.parse().unwrap();
    attempt.named().await;
    kill_driver(driver);
    let supervisor = Pid::from_raw(attempt.supervisor()).unwrap();
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        kill_process(supervisor, signal).unwrap();
    }
    kill_process(Pid::from_raw(command).unwrap(), Signal::TERM).unwrap();
    gone(supervisor.as_raw_pid()).await;
    let (result, evidence) = ended(attempt.recover(params).await);
    assert_eq!(result.unwrap_err().message, "it was killed by SIGTERM, not by lifeboat");
    assert!(evidence.contains("its end was recorded by its supervisor"), "{evidence}");
    kill_rest(&attempt).await;
}

#[tokio::test]
async fn a_command_starts_with_the_default_for_signals_that_its_supervisor_outlasts() {
    let bench = Bench::new();
    let script = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status";
    let outcome = bench.attempt("step").apply(json!({"argv": ["sh", "-c", script]})).await.unwrap();
    let stdout = outcome.outputs["stdout"].as_str().unwrap();
    for line in stdout.lines() {
        let (_, mask) = line.split_once(":\t").unwrap();
        assert_eq!(u64::from_str_radix(mask, 16).unwrap() & 0b100_0000_0000_0011, 0, "{stdout}");
    }
}
