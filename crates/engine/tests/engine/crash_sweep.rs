//! The machine dies after every record in turn, and a second process takes over: the run ends as it would have, and
//! nothing that was finished is done again.

use std::collections::BTreeMap;

use lifeboat_engine::{Left, Store};
use lifeboat_model::record::Verdict;
use lifeboat_model::{Plan, RecordBody, Seq};
use lifeboat_testkit::runs::{plan, statuses};
use lifeboat_testkit::{Crash, CrashStore, Driving, MemoryStore, World, samples};
use proptest::prelude::*;

use crate::simulate;

/// How a run ended, as far as it may not depend on crashes.
#[derive(Debug, PartialEq)]
struct Ending {
    left: Left,
    steps: Vec<(String, &'static str)>,
    values: BTreeMap<String, String>,
    applied: BTreeMap<String, usize>,
}

impl Ending {
    fn of(world: &World, left: Left, state: &lifeboat_model::RunState) -> Self {
        let mut applied = BTreeMap::new();
        for step in world.applied() {
            *applied.entry(step).or_default() += 1;
        }
        // A step that was found in place after a crash was done by this run all the same.
        let word = |status| if status == "in_place" { "succeeded" } else { status };
        let steps = statuses(state).into_iter().map(|(step, status)| (step, word(status))).collect();
        Self { left, steps, values: world.values(), applied }
    }
}

fn uninterrupted(text: &str) -> (Ending, u64) {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(&registry, text);
    let drive = simulate(Driving::with(registry).create(&store, &samples::run(1), plan)).unwrap();
    (Ending::of(&world, drive.left, &drive.state), drive.state.seq().0)
}

/// Lets the machine die so, then resumes.
fn crashed(text: &str, crash: Crash) -> Ending {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan: Plan = plan(&registry, text);
    let dying = CrashStore::new(store.clone(), crash);
    let died = simulate(Driving::with(registry.clone()).create(&dying, &samples::run(1), plan));
    if let Ok(drive) = died {
        assert!(matches!(drive.left, Left::Finished(_)), "{drive:?}");
        return Ending::of(&world, drive.left, &drive.state);
    }
    let before = store.load(&samples::run(1)).unwrap().records;
    assert_eq!(before.len() as u64, crash.after.0);
    if let Some(RecordBody::RunFinished { verdict }) = before.last().map(|record| &record.body) {
        return Ending::of(&world, Left::Finished(*verdict), &store.load(&samples::run(1)).unwrap().state);
    }
    let drive = simulate(Driving::with(registry).resume(&store, &samples::run(1))).unwrap();
    every_doubt_is_resolved(&store);
    Ending::of(&world, drive.left, &drive.state)
}

fn every_doubt_is_resolved(store: &MemoryStore) {
    let records = store.load(&samples::run(1)).unwrap().records;
    let mut doubts: BTreeMap<String, bool> = BTreeMap::new();
    for record in &records {
        match &record.body {
            RecordBody::StepInDoubt { node, .. } => drop(doubts.insert(node.to_string(), true)),
            RecordBody::DoubtResolved { node, evidence, .. } => {
                assert!(!evidence.is_empty());
                doubts.insert(node.to_string(), false);
            }
            _ => {}
        }
    }
    assert!(doubts.values().all(|open| !open), "{doubts:?}");
}

fn sweep(text: &str) {
    let (expected, records) = uninterrupted(text);
    assert!(matches!(expected.left, Left::Finished(_)), "{expected:?}");
    for after in 1..=records {
        for answered in [false, true] {
            let crash = Crash { after: Seq(after), answered };
            assert_eq!(crashed(text, crash), expected, "{crash:?} of {records} records of {text}");
        }
    }
}

#[test]
fn a_sequence() {
    sweep(
        r#"
runbook: sequence
steps:
  - { id: one, action: fake.set, with: { name: a, value: "1" } }
  - { id: two, action: fake.set, with: { name: b, value: "{{ steps.one.value }}2", fails: 2 }, retry: { attempts: 3 } }
  - { id: three, action: fake.get, with: { name: b, value: "12" } }
  - { id: four, when: "{{ eq steps.two.value 'x' }}", action: fake.set, with: { name: c, value: x } }
  - { id: five, action: fake.set, with: { name: d, value: x, fails: 1, how: unknown_done } }
finally:
  - { id: last, action: fake.set, with: { name: e, value: x } }
"#,
    );
}

#[test]
fn blocks_and_needs() {
    sweep(
        r#"
runbook: wide
steps:
  - parallel: both
    steps:
      - { id: slow, action: fake.set, with: { name: a, value: x, millis: 50 } }
      - { id: quick, action: fake.set, with: { name: b, value: x, millis: 5 } }
      - { id: after-quick, needs: [quick], action: fake.set, with: { name: c, value: x, millis: 20 } }
  - { id: beside, needs: [], action: fake.set, with: { name: d, value: x, millis: 30 } }
  - { id: joined, needs: [both, beside], action: fake.set, with: { name: e, value: x } }
"#,
    );
}

#[test]
fn a_failure_and_its_ending() {
    sweep(
        r#"
runbook: failing
steps:
  - { id: one, on_failure: continue, action: fake.set, with: { name: a, value: x, fails: 1000 }, retry: { attempts: 2 } }
  - { id: two, action: fake.set, with: { name: b, value: x, fails: 1000, how: permanent } }
  - { id: three, action: fake.set, with: { name: c, value: x } }
finally:
  - { id: last, action: fake.set, with: { name: d, value: x } }
"#,
    );
}

/// A step of a random plan; `at` makes ids and names.
fn random_step(at: usize, needs: &[usize], dice: [u8; 4]) -> String {
    let fails = match dice[0] % 6 {
        0 => ", fails: 1, how: transient",
        1 => ", fails: 1, how: unknown_done",
        2 => ", fails: 1, how: unknown_not_done",
        // Only where it is tolerated: beside a failure that stops the run, how far the others come is a race.
        3 if dice[1].is_multiple_of(2) => ", fails: 1000, how: permanent",
        _ => "",
    };
    let tolerant = if dice[1].is_multiple_of(2) { "on_failure: continue, " } else { "" };
    let action = if dice[2].is_multiple_of(5) && fails.is_empty() { "fake.blind" } else { "fake.set" };
    let rerun = if action == "fake.blind" {
        format!("check: {{ action: fake.get, with: {{ name: n{at}, value: v }} }}, ")
    } else {
        String::new()
    };
    let needs: Vec<_> = needs.iter().map(|need| format!("s{need}")).collect();
    format!(
        "{{ id: s{at}, needs: [{}], {tolerant}{rerun}retry: {{ attempts: 3, delay: 10ms }}, action: {action}, with: {{ name: n{at}, value: v, millis: {}{fails} }} }}",
        needs.join(", "),
        dice[3] % 4 * 10,
    )
}

fn random_runbook() -> impl Strategy<Value = String> {
    let step = (any::<[u8; 4]>(), proptest::collection::vec(any::<proptest::sample::Index>(), 0..3));
    proptest::collection::vec(step, 1..6).prop_map(|steps| {
        let mut text = "runbook: random\nsteps:\n".to_owned();
        for (at, (dice, needs)) in steps.iter().enumerate() {
            let mut needs: Vec<_> =
                needs.iter().filter(|_| at > 0).map(|need| need.index(at.max(1))).collect();
            needs.sort_unstable();
            needs.dedup();
            text += &format!("  - {}\n", random_step(at, &needs, *dice));
        }
        text += "finally:\n  - { id: last, action: fake.set, with: { name: last, value: v } }\n";
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_plans(text in random_runbook()) {
        sweep(&text);
    }
}

#[test]
fn a_run_may_die_again_and_again() {
    let text = r#"
runbook: again
steps:
  - { id: one, action: fake.set, with: { name: a, value: x } }
  - { id: two, action: fake.set, with: { name: b, value: x } }
  - { id: three, action: fake.set, with: { name: c, value: x } }
"#;
    let (expected, _) = uninterrupted(text);
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(&registry, text);
    let crash = |after| CrashStore::new(store.clone(), Crash { after: Seq(after), answered: true });
    simulate(Driving::with(registry.clone()).create(&crash(2), &samples::run(1), plan)).unwrap_err();
    // Each drive gets a few records further than the one before: taking over costs up to four of them.
    for after in (2..).step_by(6) {
        match simulate(Driving::with(registry.clone()).resume(&crash(after), &samples::run(1))) {
            Err(_) => assert!(after < 100, "it never ends"),
            Ok(drive) => {
                assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
                assert_eq!(Ending::of(&world, drive.left, &drive.state), expected);
                return;
            }
        }
    }
}

const TRACED: &str = r#"
runbook: traced
steps:
  - { id: one, action: fake.traced, with: { name: boot, value: x } }
"#;

/// The machine on which the attempt of [`TRACED`] is said to have run when a driver takes it over, after the drivers
/// between died so.
fn said_to_have_run_on(crashes: &[Crash]) -> String {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(&registry, TRACED);
    let crash = Crash { after: Seq(2), answered: false };
    let dying = CrashStore::new(store.clone(), crash);
    simulate(Driving::with(registry.clone()).create(&dying, &samples::run(1), plan)).unwrap_err();
    for crash in crashes {
        let dying = CrashStore::new(store.clone(), *crash);
        simulate(Driving::with(registry.clone()).resume(&dying, &samples::run(1))).unwrap_err();
    }
    let drive = simulate(Driving::with(registry).resume(&store, &samples::run(1))).unwrap();
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    world.values()["boot"].clone()
}

#[test]
fn a_trace_is_looked_for_on_the_machine_of_the_driver_that_left_it() {
    assert_eq!(said_to_have_run_on(&[]), "boot-1");
    // A driver that died while taking over changes nothing about where the attempt began.
    assert_eq!(said_to_have_run_on(&[Crash { after: Seq(3), answered: false }]), "boot-1");
}
