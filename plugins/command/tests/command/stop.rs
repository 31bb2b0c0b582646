//! A command that is told to stop is over afterwards, with everything it started.

use lifeboat_action::{Failure, FailureKind, Observation, Outcome};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Bench, gone, is_alive, kill, told};

/// Runs the script until it has told something, cancels it, and gives what it told and what came of it.
async fn stopped(script: &str, extra: &[(&str, Value)]) -> (String, Result<Outcome, Failure>) {
    let bench = Bench::new();
    let here = bench.fifo("here");
    let attempt = bench.attempt("step");
    let mut params = json!({"script": script, "env": {"HERE": here}});
    params
        .as_object_mut()
        .unwrap()
        .extend(extra.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let cancel = attempt.cancel.clone();
    let command = tokio::spawn(async move { attempt.apply(params).await });
    let told = told(&here).await;
    cancel.cancel();
    (told, command.await.unwrap())
}

/// Long enough for every test that does not want it to pass.
fn patient() -> (&'static str, Value) {
    ("kill_after", json!("10m"))
}

#[tokio::test]
async fn sigterm_comes_first_and_the_effect_is_unknown() {
    let (_, result) = stopped("echo here > $HERE; sleep 1000", &[patient()]).await;
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert_eq!(failure.message, "it was told to stop and was killed by SIGTERM");
}

#[tokio::test]
async fn a_command_that_answers_sigterm_with_success_may_have_done_half_of_it() {
    // No child: one that is just being started may lose the signal between fork and exec.
    let script = "trap 'echo tidied; exit 0' TERM; echo here > $HERE; while :; do :; done";
    let (_, result) = stopped(script, &[patient()]).await;
    let failure = result.unwrap_err();
    assert_eq!((failure.kind, failure.tail.as_deref()), (FailureKind::Unknown, Some("tidied")));
    assert_eq!(failure.message, "it was told to stop and exited with 0");
}

#[tokio::test]
async fn a_command_that_ignores_sigterm_is_killed_after_the_grace() {
    let script = "trap '' TERM; echo $$ > $HERE; while :; do sleep 1000; done";
    let (pid, result) = stopped(script, &[("kill_after", json!("20ms"))]).await;
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert_eq!(failure.message, "it was told to stop and was killed by SIGKILL");
    assert!(!is_alive(pid.parse().unwrap()));
}

#[tokio::test]
async fn a_child_in_its_own_session_that_ignores_sigterm_is_killed_too() {
    let script = "setsid sh -c 'trap \"\" TERM; echo $$ > $HERE; while :; do sleep 1000; done' & wait";
    let (pid, result) = stopped(script, &[("kill_after", json!("20ms"))]).await;
    assert_eq!(result.unwrap_err().message, "it was told to stop and was killed by SIGTERM");
    assert!(!is_alive(pid.parse().unwrap()));
}

#[tokio::test]
async fn a_daemon_whose_parents_are_gone_is_found_by_its_environment() {
    // The daemon is in a session of its own and its parent, the subshell, is over.
    let script = "(setsid sleep 1000 & echo $! > $HERE.pid); cat $HERE.pid > $HERE; exec sleep 1000";
    let (pid, result) = stopped(script, &[patient()]).await;
    assert_eq!(result.unwrap_err().kind, FailureKind::Unknown);
    gone(pid.parse().unwrap()).await;
    assert!(!is_alive(pid.parse().unwrap()));
}

#[tokio::test]
async fn one_that_was_cancelled_before_is_never_started() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    attempt.cancel.cancel();
    let failure = attempt.apply(json!({"argv": ["touch", bench.path("marker")]})).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient);
    assert!(!bench.path("marker").exists());
}

/// Of a step: its command, and what looks for its effect.
fn look_that_hangs(bench: &Bench) -> Value {
    let script = "echo $LIFEBOAT_LOOK $$ > $LOOKING; exec sleep 1000";
    let (name, grace) = patient();
    json!({"script": script, "env": {"LOOKING": bench.fifo("looking")}, "read_only": true, name: grace})
}

#[tokio::test]
async fn stopping_a_look_leaves_alone_what_the_command_left_running() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let script = "setsid sleep 1000 < /dev/null > /dev/null 2>&1 & echo $!";
    let outcome = attempt.apply(json!({"script": script})).await.unwrap();
    let service = outcome.outputs["json"].as_i64().unwrap().try_into().unwrap();

    let params = look_that_hangs(&bench);
    let cancel = attempt.cancel.clone();
    let look = tokio::spawn(async move { attempt.observe(params).await });
    assert!(told(&bench.path("looking")).await.starts_with("1 "));
    cancel.cancel();
    let seen = look.await.unwrap();
    assert!(matches!(&seen, Observation::Unknown { why } if why.contains("told to stop")), "{seen:?}");
    assert!(is_alive(service), "it is not the look's to stop");
    kill(service);
}

#[tokio::test]
async fn stopping_a_command_leaves_its_running_look_alone() {
    let bench = Bench::new();
    // The same attempt, and two who can be told to stop.
    let (looking, applying) = (bench.attempt("step"), bench.attempt("step"));
    let stop_look = looking.cancel.clone();
    let params = look_that_hangs(&bench);
    let look = tokio::spawn(async move { looking.observe(params).await });
    let told_by_look = told(&bench.path("looking")).await;
    let pid = told_by_look.strip_prefix("1 ").unwrap().parse().unwrap();

    let here = bench.fifo("here");
    let (name, grace) = patient();
    let params = json!({"script": "echo here > $HERE; exec sleep 1000", "env": {"HERE": here}, name: grace});
    let stop = applying.cancel.clone();
    let command = tokio::spawn(async move { applying.apply(params).await });
    told(&here).await;
    stop.cancel();
    assert_eq!(command.await.unwrap().unwrap_err().kind, FailureKind::Unknown);
    assert!(is_alive(pid), "it is not the command's to stop");
    stop_look.cancel();
    look.await.unwrap();
}

#[tokio::test]
async fn a_supervisor_that_does_not_read_holds_up_nobody_else() {
    let bench = Bench::new();
    let first = bench.attempt("first");
    first.apply(json!({"argv": ["true"]})).await.unwrap();
    let supervisor = Pid::from_raw(first.supervisor()).unwrap();
    kill_process(supervisor, Signal::STOP).unwrap();
    let attempt = bench.attempt("large");
    // Much more than a pipe takes.
    let script = format!("echo done #{}", "x".repeat(100 * 1024));
    let large = tokio::spawn(async move { attempt.apply(json!({"script": script})).await });
    // With one thread for all, this is reached only if the request waits elsewhere.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!large.is_finished());
    kill_process(supervisor, Signal::CONT).unwrap();
    assert_eq!(large.await.unwrap().unwrap().outputs["stdout"], json!("done"));
}
