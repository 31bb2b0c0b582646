//! Kill points: the driver and the supervisor die at every moment of a request. Whatever recovery says must be true.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use lifeboat_action::Recovery;
use serde_json::json;

use crate::support::{Bench, HELPER, TestAttempt, kill};

/// A supervisor whose driver is the test.
struct Supervisor {
    child: Child,
    requests: ChildStdin,
}

impl Supervisor {
    fn start() -> Self {
        let mut command = Command::new(HELPER);
        let mut child =
            command.arg("supervise").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "\"ready\"\n");
        let requests = child.stdin.take().unwrap();
        Self { child, requests }
    }

    /// The driver dies: the supervisor's requests end. Gives what ends when the supervisor has.
    fn orphan(self) -> Child {
        self.child
    }
}

/// The line a driver sends: a command that adds a line to the marker. Its trace is opened.
fn request(bench: &Bench, attempt: &TestAttempt) -> Vec<u8> {
    attempt.open();
    let opened = &attempt.trace()[0]["opened"];
    let start = json!({"start": {
        "id": 1, "folder": attempt.folder(), "argv": ["sh", "-c", "echo x >> \"$MARKER\""],
        "env": {"MARKER": marker(bench, attempt), "LIFEBOAT_KEY": attempt.info.key, "LIFEBOAT_ATTEMPT": "1", "LIFEBOAT_LOOK": "0"},
        "cwd": null, "secrets": [], "command": opened["command"], "driver": opened["driver"],
    }});
    format!("{start}\n").into_bytes()
}

fn marker(bench: &Bench, attempt: &TestAttempt) -> std::path::PathBuf {
    bench.path(&format!("marker-{}", attempt.info.step))
}

/// How often the command ran.
fn runs(bench: &Bench, attempt: &TestAttempt) -> usize {
    std::fs::read_to_string(marker(bench, attempt)).unwrap_or_default().lines().count()
}

/// Lets time pass without giving up the processor: moves the next thing to another moment of the supervisor's work.
fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Never says "not started" of a command that ran or still will, and never loses one while its supervisor lives.
fn is_true_with_supervisor(found: &Recovery, runs: usize) {
    match found {
        Recovery::Ended { result, .. } => assert_eq!((result.is_ok(), runs), (true, 1), "{found:?}"),
        Recovery::NotStarted { .. } => assert_eq!(runs, 0, "{found:?}"),
        Recovery::Nothing { .. } | Recovery::MayGoOn { .. } => {
            panic!("in doubt although the supervisor lived: {found:?}")
        }
    }
}

#[tokio::test]
async fn a_driver_that_dies_over_its_request_leaves_no_doubt() {
    let bench = Bench::new();
    let whole = request(&bench, &bench.attempt("whole")).len();
    let cuts = (0..whole).step_by(whole / 12).chain([whole - 1, whole]);
    for (number, cut) in cuts.enumerate() {
        let attempt = bench.attempt(&format!("s{number}"));
        let mut supervisor = Supervisor::start();
        let request = request(&bench, &attempt);
        let is_whole = cut == whole;
        let cut = if is_whole { request.len() } else { cut.min(request.len() - 1) };
        supervisor.requests.write_all(&request[..cut]).unwrap();
        assert!(supervisor.orphan().wait().unwrap().success());
        let found = attempt.recover(json!({"argv": ["true"]})).await;
        assert_eq!(matches!(found, Recovery::Ended { .. }), is_whole, "cut to {cut}: {found:?}");
        is_true_with_supervisor(&found, runs(&bench, &attempt));
    }
}

#[tokio::test]
async fn a_new_driver_that_comes_at_any_moment_is_told_the_truth() {
    let bench = Bench::new();
    let (mut began, mut never) = (0, 0);
    for number in 0..120 {
        let attempt = bench.attempt(&format!("s{number}"));
        let mut supervisor = Supervisor::start();
        supervisor.requests.write_all(&request(&bench, &attempt)).unwrap();
        let mut orphan = supervisor.orphan();
        spin(Duration::from_micros(10 * number));
        let found = attempt.recover(json!({"argv": ["true"]})).await;
        // Nothing of a request that was abandoned may come later.
        assert!(orphan.wait().unwrap().success());
        is_true_with_supervisor(&found, runs(&bench, &attempt));
        match found {
            Recovery::Ended { .. } => began += 1,
            _ => never += 1,
        }
    }
    assert_eq!(began + never, 120);
    assert!(began > 0, "no moment was late enough to mean anything");
}

#[tokio::test]
async fn a_supervisor_that_dies_at_any_moment_leaves_the_truth_or_a_doubt() {
    let bench = Bench::new();
    let mut kinds = [0; 3];
    for number in 0..120 {
        let attempt = bench.attempt(&format!("s{number}"));
        let mut supervisor = Supervisor::start();
        supervisor.requests.write_all(&request(&bench, &attempt)).unwrap();
        spin(Duration::from_micros(30 * number));
        kill(supervisor.child.id().try_into().unwrap());
        let mut dead = supervisor.orphan();
        dead.wait().unwrap();
        let found = attempt.recover(json!({"argv": ["true"]})).await;
        match &found {
            Recovery::Ended { result, .. } => {
                assert_eq!((result.is_ok(), runs(&bench, &attempt)), (true, 1));
                kinds[0] += 1;
            }
            Recovery::NotStarted { .. } => {
                assert_eq!(runs(&bench, &attempt), 0);
                kinds[1] += 1;
            }
            Recovery::MayGoOn { .. } => panic!("its trace can be read: {found:?}"),
            Recovery::Nothing { why } => {
                assert!(why.contains("no supervisor is at work on the command any more"), "{why}");
                kinds[2] += 1;
            }
        }
    }
    assert_eq!(kinds.iter().sum::<i32>(), 120);
    assert!(kinds[0] > 0 || kinds[2] > 0, "no moment was late enough to mean anything: {kinds:?}");
}
