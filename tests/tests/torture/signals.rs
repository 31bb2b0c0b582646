//! Ctrl-C once, twice, three times; SIGTERM; SIGHUP: on real processes, and on commands that will not listen.

use std::fs;

use lifeboat_tests::wait::wait_until;
use rustix::process::Signal;

use crate::bench::Bench;
use crate::runbooks::WAITING;
use lifeboat_tests::driving::{Driving, PATIENCE};

const FIRST: &str = "press Ctrl-C again";
const SECOND: &str = "press Ctrl-C once more";

/// The same step, deaf to SIGTERM: only SIGKILL ends it, after `GRACE`.
fn deaf(grace: &str) -> String {
    WAITING.replace("echo $$", "trap '' TERM; echo $$").replace("200ms", grace)
}

/// A run that waits in its second step, driven by this process.
fn waiting(bench: &Bench) -> Driving {
    let driving = bench.new_run().start_loud(&bench.path("said"));
    bench.wait_for("pid");
    driving
}

/// Sends a signal and waits until lifeboat says that it has met it: two that come at once would count as one.
#[track_caller]
fn interrupt(bench: &Bench, driving: &Driving, signal: Signal, answer: &str) {
    driving.signal(signal);
    let said = || fs::read_to_string(bench.path("said")).unwrap_or_default();
    wait_until(&format!("lifeboat says `{answer}`"), PATIENCE, said, || said().contains(answer));
}

fn let_go(bench: &Bench) {
    fs::write(bench.path("go"), "").unwrap();
}

/// What was stopped half-way is in doubt, and nobody can look for its effect: a person says that it may run again.
fn retried(bench: &Bench) {
    bench.resume().run().assert_code(6);
    let_go(bench);
    bench.expect(0, &["retry", "waits", "--reason", "it was stopped before its effect"]);
    bench.resume().run().assert_code(0);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
    assert_eq!(bench.journal().verdict(), Some("succeeded"));
}

#[test]
fn the_first_ctrl_c_lets_the_step_end() {
    let bench = Bench::new(WAITING);
    let driving = waiting(&bench);
    interrupt(&bench, &driving, Signal::INT, FIRST);
    let_go(&bench);
    assert_eq!(driving.code(), Some(5));
    assert_eq!(bench.effects(), ["before", "waits"]);
    assert_eq!(bench.sandbox.status()["reason"], "interrupted");
    bench.resume().run().assert_code(0);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
    assert_eq!(bench.journal().breaches(), [""; 0]);
}

#[test]
fn the_second_ctrl_c_stops_the_step() {
    let bench = Bench::new(WAITING);
    let driving = waiting(&bench);
    let command = bench.pid_in("pid");
    interrupt(&bench, &driving, Signal::INT, FIRST);
    interrupt(&bench, &driving, Signal::INT, SECOND);
    assert_eq!(driving.code(), Some(5));
    assert!(!command.is_alive());
    assert_eq!(bench.sandbox.status()["steps"][1]["state"], "in_doubt");
    retried(&bench);
}

#[test]
fn a_command_that_ignores_sigterm_is_killed_after_its_grace() {
    let bench = Bench::new(&deaf("200ms"));
    let driving = waiting(&bench);
    let command = bench.pid_in("pid");
    interrupt(&bench, &driving, Signal::INT, FIRST);
    interrupt(&bench, &driving, Signal::INT, SECOND);
    assert_eq!(driving.code(), Some(5));
    assert!(!command.is_alive());
    let cause = bench.journal().about("step_in_doubt", "waits").last().unwrap()["cause"].clone();
    assert!(cause.to_string().contains("SIGKILL"), "{cause}");
    retried(&bench);
}

#[test]
fn the_third_ctrl_c_leaves_at_once_and_the_command_is_adopted() {
    let bench = Bench::new(&deaf("1h"));
    let driving = waiting(&bench);
    let command = bench.pid_in("pid");
    interrupt(&bench, &driving, Signal::INT, FIRST);
    interrupt(&bench, &driving, Signal::INT, SECOND);
    driving.signal(Signal::INT);
    assert_eq!(driving.code(), Some(5));
    assert!(command.is_alive());
    assert_eq!(bench.sandbox.status()["steps"][1]["state"], "in_doubt");
    let resumed = bench.resume().start();
    let_go(&bench);
    // It came to its end; whether it had done everything by then, having been told to stop, is for a person to say.
    assert_eq!(resumed.code(), Some(6));
    assert_eq!(bench.effects(), ["before", "waits"]);
    bench.expect(0, &["mark-done", "waits", "--reason", "its effect is there"]);
    bench.resume().run().assert_code(0);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
}

#[test]
fn sigterm_stops_the_step() {
    let bench = Bench::new(WAITING);
    let driving = waiting(&bench);
    let command = bench.pid_in("pid");
    driving.signal(Signal::TERM);
    assert_eq!(driving.code(), Some(5));
    assert!(!command.is_alive());
    retried(&bench);
}

#[test]
fn sighup_changes_nothing() {
    let bench = Bench::new(WAITING);
    let driving = waiting(&bench);
    driving.signal(Signal::HUP);
    let_go(&bench);
    assert_eq!(driving.code(), Some(0));
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
}
