//! A dry run asks an action without parameters whose values are not known, if the action says that it may.

use lifeboat_engine::{Drive, Store};
use lifeboat_model::outcome::Without;
use lifeboat_model::record::Mode;
use lifeboat_model::{Observation, RecordBody, StepState};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};
use serde_json::{Value, json};

use crate::{run, simulate, summary};

/// A first step that would change something, so that its output is not known, and a second one.
fn text(second: &str) -> String {
    format!(
        "runbook: later\nsteps:\n  - {{ id: change, action: fake.set, with: {{ name: a, value: x }} }}\n  - {second}\n"
    )
}

const WITHOUT: &str = "{ id: late, action: fake.late, with: { name: b, value: '{{ steps.change.value }}' } }";
const WHY: &str = "`steps.change.value` is not known: step `change` did not run (pending)";

/// A dry run, and the record of the step that was rehearsed last: what was seen, with what and without what.
fn rehearse(world: &World, text: &str) -> (Drive, Observation, Value, Without) {
    let (registry, store) = (world.registry(), MemoryStore::new());
    let plan = plan(&registry, text);
    let driving = Driving { mode: Mode::DryRun, ..Driving::with(registry) };
    let drive = simulate(driving.create(&store, &samples::run(1), plan)).unwrap();
    let records = store.load(&samples::run(1)).unwrap().records;
    let last = records.into_iter().rev().find_map(|record| match record.body {
        RecordBody::StepRehearsed { observation, with, without, .. } => Some((observation, with, without)),
        _ => None,
    });
    let (observation, with, without) = last.expect("steps were rehearsed");
    (drive, observation, with, without)
}

#[test]
fn the_action_is_asked_and_told_what_is_not_known_and_the_record_says_so() {
    let world = World::default();
    let (drive, observation, with, without) = rehearse(&world, &text(WITHOUT));
    assert_eq!(summary(&drive).1, ["change pending", "late pending"]);
    let Observation::Pending { change } = observation else { panic!("{observation:?}") };
    assert_eq!(change.after, format!("set to who knows what: {WHY}"));
    assert_eq!(with, json!({"name": "b", "value": null}));
    assert_eq!(without, Without::from([("value".to_owned(), WHY.to_owned())]));
    assert_eq!(world.applied(), [""; 0]);
}

#[test]
fn a_step_that_only_looks_is_asked_so_too() {
    let world = World::default();
    let prepare = "runbook: p\nsteps:\n  - { id: p, action: fake.set, with: { name: b, value: y } }\n";
    assert_eq!(summary(&run(&world, prepare)).0, Some("succeeded"));
    let get = "{ id: get, action: fake.get, with: { name: b, value: '{{ steps.change.value }}' } }";
    let (drive, observation, _, without) = rehearse(&world, &text(get));
    assert_eq!(summary(&drive).1, ["change pending", "get in_place"]);
    let Observation::InPlace { evidence, .. } = observation else { panic!("{observation:?}") };
    assert_eq!(evidence, format!("b is y, right or wrong: {WHY}"));
    assert!(without.contains_key("value"));
}

#[test]
fn what_is_known_is_given() {
    let known = WITHOUT.replace("{{ steps.change.value }}", "{{ run.id }}");
    let (_, observation, _, without) = rehearse(&World::default(), &text(&known));
    let Observation::Pending { change } = observation else { panic!("{observation:?}") };
    assert_eq!((change.after, without), (samples::run(1).to_string(), Without::new()));
}

#[test]
fn where_anything_else_is_unknown_it_is_not_asked() {
    let also = [
        WITHOUT.replace("name: b", "name: '{{ steps.change.value }}'"),
        WITHOUT.replace("{ id: late,", "{ id: late, when: \"{{ eq steps.change.value 'x' }}\","),
        // The check would be asked, not the action.
        WITHOUT.replace("{ id: late,", "{ id: late, check: { action: fake.get, with: { name: b } },"),
        WITHOUT.replace("fake.late", "fake.set"),
    ];
    for second in also {
        let world = World::default();
        let (drive, observation, _, without) = rehearse(&world, &text(&second));
        assert_eq!(summary(&drive).1[1], "late not_rehearsed", "{second}");
        let Observation::Unknown { why } = observation else { panic!("{observation:?}") };
        assert!(why.contains(WHY), "{why}");
        assert_eq!((world.observed(), without), (vec!["change".to_owned()], Without::new()), "{second}");
    }
}

#[test]
fn a_live_run_never_goes_without() {
    let text = text(WITHOUT).replace(
        "{ id: change, action: fake.set, with: { name: a, value: x }",
        "{ id: change, on_failure: continue, action: fake.set, with: { name: a, value: x, fails: 1 }",
    );
    let world = World::default();
    let drive = run(&world, &text);
    assert_eq!(summary(&drive).1, ["change failed", "late failed"]);
    let at = drive.state.indices().last().unwrap();
    let StepState::Failed { failure } = drive.state.step(at) else { panic!("{:?}", drive.state.step(at)) };
    assert!(failure.message.starts_with("cannot start: `steps.change.value` is not known"), "{failure}");
    assert_eq!(world.observed(), ["change"]);
}

#[test]
fn an_author_has_to_write_it_all_the_same() {
    let text = text("{ id: late, action: fake.late, with: { name: b } }");
    let source = lifeboat_model::Source::new("test.yaml", text);
    let problems = lifeboat_model::check_source(source, &World::default().registry()).unwrap_err();
    assert!(format!("{problems:?}").contains("`value` is missing"), "{problems:?}");
}
