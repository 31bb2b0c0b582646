//! What a look warns of stays with the step, whatever the look was for.

use lifeboat_engine::Store as _;
use lifeboat_model::event::step_details;
use lifeboat_model::record::Mode;
use lifeboat_model::{Effect, NodeIndex};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, samples};
use serde_json::{Map, json};

use crate::scripted::{Look, Scripted};
use crate::simulate;

/// Drives one scripted step, and insists that it is told with its warning, and that the warning hides the secret.
#[track_caller]
fn assert_warned(mode: Mode, effect: Effect, script: &'static [Look]) {
    let text = "runbook: warned\nsteps:\n  - { id: one, action: test.scripted }\n";
    let (scripted, store) = (Scripted::new(effect, script), MemoryStore::new());
    let plan = plan(&scripted.registry(), text);
    let secrets = Map::from_iter([("observer".to_owned(), json!("hunter2"))]);
    let driving = Driving { mode, secrets, ..Driving::with(scripted.registry()) };
    let drive = simulate(driving.create(&store, &samples::run(1), plan)).unwrap();
    let details = step_details(&drive.state, NodeIndex(0));
    assert_eq!(details["evidence"], "on", "{details:?}");
    assert_eq!(details["warnings"], json!(["seen by ‹secret› alone"]), "{details:?}");
    drop(drive);
    let records = format!("{:?}", store.load(&samples::run(1)).unwrap().records);
    assert!(!records.contains("hunter2"), "{records}");
}

#[test]
fn before_anything_is_applied() {
    assert_warned(Mode::Live, Effect::Write, &[Look::Barely]);
}

#[test]
fn in_a_doubt() {
    assert_warned(Mode::Live, Effect::Write, &[Look::Pending, Look::Barely]);
}

#[test]
fn by_an_action_that_only_looks() {
    assert_warned(Mode::Live, Effect::Read, &[Look::Barely]);
}

#[test]
fn in_a_dry_run() {
    assert_warned(Mode::DryRun, Effect::Write, &[Look::Barely]);
    assert_warned(Mode::DryRun, Effect::Read, &[Look::Barely]);
}
