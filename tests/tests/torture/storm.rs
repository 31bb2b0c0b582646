//! SIGKILL at random moments: of whoever drives, and of whoever supervises commands.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use lifeboat_tests::driving::{Driving, PATIENCE};
use lifeboat_tests::wait::wait_until;
use rustix::process::Signal;
use serde_json::Value;

use crate::bench::{Bench, Uninterrupted, ids_and_states};
use crate::runbooks::storm;

const DRIVER_KILLS: u32 = 200;
const SUPERVISOR_KILLS: u32 = 30;

/// Beyond this many drivers the storm is called off: the run does not get on.
const DRIVERS: u32 = 3000;

/// Where a driver lives no longer than it takes to start, the run never ends; where it lives for seconds, it is over
/// too soon.
const LONGEST_LIFE: Duration = Duration::from_millis(60);

/// xorshift64: reproducible from its seed, and enough to spread moments.
struct Moments(u64);

impl Moments {
    /// From `LIFEBOAT_TEST_SEED`, or from the time; printed, so that a failure can be repeated.
    fn seeded() -> Self {
        let given = std::env::var("LIFEBOAT_TEST_SEED").ok().map(|text| text.parse().expect("a number"));
        let now = || u64::from(SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos()) | 1;
        let seed = given.unwrap_or_else(now);
        println!("LIFEBOAT_TEST_SEED={seed}");
        Self(seed)
    }

    fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn next(&mut self) -> Duration {
        LONGEST_LIFE.mul_f64((self.number() % 10_000) as f64 / 10_000.0)
    }
}

/// Who is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Struck {
    Driver,
    /// The driver lives on.
    Supervisors,
    Both,
}

/// What a storm has done so far.
#[derive(Debug, Default)]
struct Damage {
    drivers: u32,
    supervisors: u32,
    runs: u32,
    /// How often each rule settled a doubt; a person's word is one of them.
    rules: BTreeMap<String, u32>,
}

impl Damage {
    fn kill_supervisors(&mut self, bench: &Bench) {
        for supervisor in bench.supervisors() {
            supervisor.signal(Signal::KILL).unwrap();
            self.supervisors += 1;
        }
    }

    fn count_rules(&mut self, bench: &Bench) {
        let journal = bench.journal();
        let rules = journal.all("doubt_resolved").map(|data| data["rule"].as_str().unwrap());
        let words = journal.all("operator_decided").map(|_| "a person's word");
        for rule in rules.chain(words) {
            *self.rules.entry(rule.to_owned()).or_default() += 1;
        }
    }
}

/// Drives a run to its end through the storm.
fn weather(bench: &Bench, moments: &mut Moments, damage: &mut Damage, strike: impl Fn(u64) -> Struck) {
    bench.create_only();
    for _ in 0..DRIVERS {
        let driving = bench.resume().start();
        if !driving.ends_within(moments.next()) {
            let struck = strike(moments.number());
            if struck != Struck::Driver {
                damage.kill_supervisors(bench);
            }
            if struck != Struck::Supervisors || !driving.ends_within(moments.next()) {
                driving.kill();
                damage.drivers += 1;
                continue;
            }
        }
        if is_over(bench, driving) {
            damage.runs += 1;
            damage.count_rules(bench);
            return;
        }
    }
    panic!("no end in sight after {damage:?}: {}", bench.clues());
}

/// Whether the run is over, now that its driver has ended by itself; if a person is needed, they decide. A step whose
/// supervisor was killed under its living driver, before it took the command on, has failed.
#[track_caller]
fn is_over(bench: &Bench, driving: Driving) -> bool {
    let code = driving.code();
    let status = bench.sandbox.status();
    match code {
        // It may have been killed too late to leave anything to do: then there is no unfinished run.
        Some(0 | 2) => assert_eq!(status["state"], "finished", "{}", bench.clues()),
        Some(4 | 6) => decide(bench, &status),
        other => panic!("{other:?}: {}", bench.clues()),
    }
    matches!(code, Some(0 | 2))
}

/// What a careful person does about every step in doubt or failed: waits until nothing runs any more, and looks.
fn decide(bench: &Bench, status: &Value) {
    let idle = || bench.processes().is_empty();
    wait_until("nothing of the run runs", PATIENCE, || bench.clues(), idle);
    let effects = bench.effects();
    for (step, _) in ids_and_states(status).filter(|(_, state)| state == "in_doubt" || state == "failed") {
        let word = if effects.contains(&step) { "mark-done" } else { "retry" };
        bench.expect(0, &[word, &step, "--reason", "looked for its line"]);
    }
}

#[test]
fn nothing_is_lost_or_repeated_in_a_storm_of_kills() {
    let mut moments = Moments::seeded();
    let runbook = storm();
    let expected = Uninterrupted::of(&runbook);
    assert_eq!(expected.effects.len(), 30);
    let mut damage = Damage::default();
    while damage.drivers < DRIVER_KILLS {
        let bench = Bench::new(&runbook);
        weather(&bench, &mut moments, &mut damage, |_| Struck::Driver);
        bench.assert_whole(&expected, &format!("{damage:?}"));
    }
    println!("30 steps a run: {damage:?}");
    // A storm that never met a running command would prove nothing about them.
    assert!(damage.rules.get("recovered").is_some_and(|count| *count > 10), "{damage:?}");
}

/// Without its supervisor, nobody knows of some commands whether they ran: these are asked about. Yet every effect comes
/// about, and none oftener than the journal says that its step was begun, each time again by a recorded rule.
#[test]
fn nothing_is_lost_or_repeated_without_a_rule_when_supervisors_are_killed_too() {
    let mut moments = Moments::seeded();
    let runbook = storm();
    let expected = Uninterrupted::of(&runbook);
    let strike = |number: u64| match number % 4 {
        0 => Struck::Supervisors,
        1 => Struck::Both,
        _ => Struck::Driver,
    };
    let (mut damage, mut repeated) = (Damage::default(), 0);
    while damage.supervisors < SUPERVISOR_KILLS {
        let bench = Bench::new(&runbook);
        weather(&bench, &mut moments, &mut damage, strike);
        let journal = bench.journal();
        assert_eq!(journal.breaches(), [""; 0], "{damage:?}: {}", bench.clues());
        let effects = bench.effects();
        for step in &expected.effects {
            let (times, begun) = (
                effects.iter().filter(|effect| *effect == step).count(),
                journal.about("step_started", step).count(),
            );
            assert!((1..=begun).contains(&times), "{step}: {times} effects of {begun} attempts: {damage:?}");
            repeated += times - 1;
        }
    }
    println!("30 steps a run: {damage:?}; {repeated} effects came about again");
    // A storm in which nothing was left to look at, or to ask about, would prove nothing.
    for rule in ["recovered", "observed", "a person's word"] {
        assert!(damage.rules.contains_key(rule), "{rule}: {damage:?}");
    }
}
