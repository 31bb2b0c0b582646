//! Commands that outlive their driver, or their supervisor, or both.

use lifeboat_tests::wait::wait_until;
use rustix::process::Signal;
use serde_json::Value;

use crate::bench::Bench;
use crate::runbooks::WAITING;
use lifeboat_tests::driving::PATIENCE;

/// A run whose driver was killed while its second step ran.
fn orphaned(runbook: &str) -> Bench {
    let bench = Bench::new(runbook);
    let driving = bench.new_run().start();
    bench.wait_for("pid");
    bench.pid_in("pid");
    driving.kill();
    bench
}

fn let_go(bench: &Bench) {
    std::fs::write(bench.path("go"), "").unwrap();
}

fn assert_recovered(bench: &Bench) {
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
    let journal = bench.journal();
    assert_eq!(journal.breaches(), [""; 0]);
    assert_eq!(journal.verdict(), Some("succeeded"));
    let resolved: Vec<&Value> = journal.about("doubt_resolved", "waits").collect();
    assert_eq!(resolved.len(), 1);
    assert_eq!(resolved[0]["rule"], "recovered");
    assert!(resolved[0]["evidence"].as_str().unwrap().contains("recorded by its supervisor"), "{resolved:?}");
    assert_eq!(bench.sandbox.status()["steps"][1]["attempts"], 1);
}

#[test]
fn a_command_that_outlives_its_driver_is_adopted() {
    let bench = orphaned(WAITING);
    let command = bench.pid_in("pid");
    let resumed = bench.resume().start_loud(&bench.path("said"));
    let said = || std::fs::read_to_string(bench.path("said")).unwrap_or_default();
    let words = format!("still running as process {}", command.pid());
    wait_until(&words, PATIENCE, said, || said().contains(&words));
    assert!(command.is_alive());
    let_go(&bench);
    assert_eq!(resumed.code(), Some(0));
    assert_recovered(&bench);
}

#[test]
fn a_command_that_ended_while_nobody_drove_is_not_repeated() {
    let bench = orphaned(WAITING);
    let command = bench.pid_in("pid");
    let_go(&bench);
    wait_until("the command ends", PATIENCE, || bench.clues(), || !command.is_alive());
    bench.resume().run().assert_code(0);
    assert_recovered(&bench);
}

/// As [`orphaned`], with supervisor and command killed too, as by a machine that goes down.
fn in_doubt() -> Bench {
    let bench = orphaned(WAITING);
    let (supervisor, command) = (bench.supervisor_of("waits"), bench.pid_in("pid"));
    supervisor.signal(Signal::KILL).unwrap();
    command.signal(Signal::KILL).unwrap();
    wait_until("both are gone", PATIENCE, || "", || !supervisor.is_alive() && !command.is_alive());
    let ended = bench.command(&["resume"]).run();
    ended.assert_code(6);
    let run = bench.sandbox.status()["run"].as_str().unwrap().to_owned();
    for word in ["retry", "skip", "mark-done"] {
        let command = format!("lifeboat {word} {run} waits --reason WHY");
        assert!(ended.stderr.contains(&command), "`{command}` is missing: {ended}");
    }
    assert_eq!(bench.sandbox.status()["steps"][1]["state"], "in_doubt");
    // Asking again changes nothing.
    bench.resume().run().assert_code(6);
    assert_eq!(bench.effects(), ["before"]);
    bench
}

#[test]
fn a_person_may_retry_what_is_in_doubt() {
    let bench = in_doubt();
    let_go(&bench);
    bench.expect(0, &["retry", "waits", "--reason", "there is no such line"]);
    bench.resume().run().assert_code(0);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
    assert_eq!(bench.journal().verdict(), Some("succeeded"));
}

#[test]
fn a_person_may_overrule_what_is_in_doubt() {
    for (word, state) in [("skip", "skipped"), ("mark-done", "succeeded")] {
        let bench = in_doubt();
        let actor = format!("{word}-er");
        bench.expect(0, &[word, "waits", "--reason", "seen to", "--actor", &actor]);
        bench.command(&["resume", "--strict"]).run().assert_code(9);
        assert_eq!(bench.effects(), ["before", "after"]);
        let status = bench.sandbox.status();
        assert_eq!(status["verdict"], "succeeded_with_deviations");
        assert_eq!(status["steps"][1]["state"], state);
        let deviation = &status["deviations"][0];
        for (key, value) in [("step", "waits"), ("actor", &actor), ("reason", "seen to")] {
            assert_eq!(deviation[key], value, "{deviation}");
        }
    }
}

/// A second copy must not be started beside a command that still runs, whoever is left to watch it.
#[test]
fn a_command_that_outlives_its_supervisor_too_is_waited_for() {
    let checked = WAITING.replace(
        "kill_after: 200ms }",
        "kill_after: 200ms }\n    check: { action: command.run, with: { script: \"grep -qx waits DIR/effects\", read_only: true } }",
    );
    let bench = orphaned(&checked);
    let (supervisor, command) = (bench.supervisor_of("waits"), bench.pid_in("pid"));
    supervisor.signal(Signal::KILL).unwrap();
    wait_until("the supervisor is gone", PATIENCE, || "", || !supervisor.is_alive());
    let resumed = bench.resume().start_loud(&bench.path("said"));
    let said = || std::fs::read_to_string(bench.path("said")).unwrap_or_default();
    let words = format!("still running as process {}", command.pid());
    wait_until(&words, PATIENCE, said, || said().contains(&words));
    let_go(&bench);
    assert_eq!(resumed.code(), Some(0));
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
    let journal = bench.journal();
    assert_eq!(journal.breaches(), [""; 0]);
    assert_eq!(journal.about("doubt_resolved", "waits").next().unwrap()["rule"], "observed");
}
