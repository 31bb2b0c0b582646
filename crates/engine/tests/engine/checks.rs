//! A step's `check`: what it says of the step's effect, and what its silence says.

use lifeboat_engine::{Drive, Left, Store};
use lifeboat_model::record::{Mode, Resolution, StopReason, Verdict};
use lifeboat_model::{RecordBody, Seq, StepState};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Crash, CrashStore, Driving, MemoryStore, World, samples};

use crate::{run, simulate, summary};

/// A step whose action cannot look, with a check that says "not so" or cannot look either.
fn text(check: &str, more: &str) -> String {
    format!(
        r#"
runbook: checked
steps:
  - id: one
    action: fake.blind
    with: {{ name: a, value: x }}
    check: {{ action: fake.get, with: {{ name: {check} }} }}
{more}"#
    )
}

const NEEDS_PERSON: Left = Left::Stopped(StopReason::NeedsPerson);

const NOT_SO: &str = "b";
const SO: &str = "a";
const CANNOT_LOOK: &str = "a, blind: true";

/// The driver dies when the step has started, before (or after) its action did anything; another one takes over.
fn after_a_crash(world: &World, text: &str, done: bool) -> (Drive, Vec<Resolution>) {
    let store = MemoryStore::new();
    let registry = world.registry();
    let plan = plan(&registry, text);
    let crash = Crash { after: Seq(2), answered: done };
    let dying = CrashStore::new(store.clone(), crash);
    simulate(Driving::with(registry.clone()).create(&dying, &samples::run(1), plan)).unwrap_err();
    let drive = simulate(Driving::with(registry).resume(&store, &samples::run(1))).unwrap();
    let records = store.load(&samples::run(1)).unwrap().records;
    let resolutions = records.into_iter().filter_map(|record| match record.body {
        RecordBody::DoubtResolved { resolution, .. } => Some(resolution),
        _ => None,
    });
    (drive, resolutions.collect())
}

#[test]
fn in_doubt_a_check_that_cannot_look_asks_and_one_that_sees_it_is_not_so_repeats() {
    let world = World::default();
    let (drive, resolutions) = after_a_crash(&world, &text(CANNOT_LOOK, ""), false);
    assert_eq!(drive.left, Left::Stopped(StopReason::NeedsPerson));
    assert_eq!((summary(&drive).1, resolutions), (vec!["one in_doubt".into()], vec![Resolution::Ask]));
    assert_eq!(world.applied(), [""; 0], "it is not done while nobody knows whether it was");

    let world = World::default();
    let (_, resolutions) = after_a_crash(&world, &text(NOT_SO, ""), false);
    assert_eq!(resolutions, [Resolution::Rerun]);
    assert_eq!(world.applied(), ["one"]);
}

#[test]
fn in_doubt_a_check_that_sees_it_is_so_is_enough() {
    let world = World::default();
    let (drive, _) = after_a_crash(&world, &text(SO, ""), true);
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    assert_eq!(world.applied(), ["one"], "once, by the driver that died");
}

#[test]
fn in_doubt_the_author_may_have_said_what_silence_means() {
    let rerun = text(CANNOT_LOOK, "    on_unknown: rerun\n");
    let (_, resolutions) = after_a_crash(&World::default(), &rerun, false);
    assert_eq!(resolutions.first(), Some(&Resolution::Rerun));
    let fail = text(CANNOT_LOOK, "    on_unknown: fail\n");
    let (drive, resolutions) = after_a_crash(&World::default(), &fail, false);
    assert!(matches!(resolutions.as_slice(), [Resolution::Failed(_)]), "{resolutions:?}");
    assert_eq!(drive.left, Left::Finished(Verdict::Failed));
}

#[test]
fn before_the_call_a_check_that_cannot_look_is_no_obstacle_and_after_it_no_success() {
    let world = World::default();
    let drive = run(&world, &text(CANNOT_LOOK, ""));
    assert_eq!(world.applied(), ["one"]);
    assert_eq!((drive.left, summary(&drive).1), (NEEDS_PERSON, vec!["one in_doubt".into()]));
    let at = drive.state.indices().next().unwrap();
    let StepState::InDoubt { cause, .. } = drive.state.step(at) else { panic!("{:?}", drive.state.step(at)) };
    assert_eq!(cause, "applied, but the check cannot tell: it is out of reach");
}

#[test]
fn after_the_call_a_check_that_cannot_look_looks_again_as_retry_says_and_applies_nothing_again() {
    let world = World::default();
    let drive = run(&world, &text(CANNOT_LOOK, "    retry: { attempts: 3, delay: 1m }\n"));
    assert_eq!((drive.left, summary(&drive).1), (NEEDS_PERSON, vec!["one in_doubt".into()]));
    assert_eq!(world.applied(), ["one"]);
    assert_eq!(world.observed().len(), 1 + 3, "before, and three times afterwards");
    let took = drive.state.updated_at().duration_since(drive.state.created_at());
    assert_eq!(took.as_secs(), 120);
}

/// An attempt that outlives its driver and succeeds, as its trace says, is looked at like any other.
#[test]
fn what_succeeded_without_its_driver_is_checked_all_the_same() {
    let traced = |check: &str, more: &str| text(check, more).replace("fake.blind", "fake.traced");
    // Its recovery sets `a`.
    let (drive, resolutions) = after_a_crash(&World::default(), &traced(SO, ""), false);
    assert!(matches!(resolutions.as_slice(), [Resolution::Done(_)]), "{resolutions:?}");
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    let output = drive.state.outputs(drive.state.indices().next().unwrap());
    assert!(output.is_some_and(|outputs| outputs.contains_key("value")), "the outputs are the attempt's own");

    let (drive, resolutions) = after_a_crash(&World::default(), &traced(NOT_SO, ""), false);
    let [Resolution::Failed(failure)] = resolutions.as_slice() else { panic!("{resolutions:?}") };
    assert_eq!(failure.message, "applied, but not in effect: b is unset");
    assert_eq!(drive.left, Left::Finished(Verdict::Failed));

    let (drive, resolutions) = after_a_crash(&World::default(), &traced(CANNOT_LOOK, ""), false);
    assert_eq!((drive.left, resolutions), (NEEDS_PERSON, vec![Resolution::Ask]));
}

#[test]
fn a_read_step_that_cannot_look_fails_live_and_is_in_the_way_of_a_dry_run() {
    let text = "
runbook: read
steps:
  - { id: one, action: fake.get, with: { name: a, blind: true }, retry: { attempts: 2 } }
";
    let world = World::default();
    assert_eq!(summary(&run(&world, text)).1, ["one failed"]);
    assert_eq!(world.observed(), ["one", "one"], "it is tried again");

    let registry = World::default().registry();
    let plan = plan(&registry, text);
    let driving = Driving { mode: Mode::DryRun, ..Driving::with(registry) };
    let drive = simulate(driving.create(&MemoryStore::new(), &samples::run(1), plan)).unwrap();
    assert_eq!((drive.left, summary(&drive).1), (Left::Finished(Verdict::Failed), vec!["one failed".into()]));
}
