//! Runs that came to where no driver of this version can go on: they are refused, at once and without a trace.

use std::time::Duration;

use lifeboat_engine::{EngineError, Store};
use lifeboat_model::record::{Decision, GateDecision, GuardEffect, StepEnd, StopReason, UndoEnd};
use lifeboat_model::{Attempt, AttemptKey, Failure, Outcome, RecordBody, StepId, Undriven};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};
use serde_json::json;

use crate::simulate;

const TEXT: &str = r#"
runbook: undriven
steps:
  - { id: one, action: fake.set, with: { name: a, value: x } }
  - { id: two, action: fake.set, with: { name: b, value: x } }
"#;

/// Longer than anything takes; the time is simulated.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

fn one() -> StepId {
    StepId::new("one").unwrap()
}

fn decided(step: Option<StepId>, decision: Decision) -> RecordBody {
    RecordBody::OperatorDecided { step, decision, actor: "ada".to_owned(), reason: "so".to_owned() }
}

fn opened() -> RecordBody {
    RecordBody::GateOpened { step: one(), question: "Go on?".to_owned(), expires: None }
}

fn gate_decided(decision: GateDecision) -> Vec<RecordBody> {
    vec![opened(), RecordBody::GateDecided { step: one(), decision, why: "ben".to_owned() }]
}

fn tripped(then: GuardEffect) -> Vec<RecordBody> {
    vec![RecordBody::GuardTripped {
        guard: StepId::new("serves").unwrap(),
        evidence: "it does not".to_owned(),
        then,
    }]
}

/// A run that is rolled back after its first step, and more.
fn rolling_back(more: Vec<RecordBody>) -> Vec<RecordBody> {
    let (step, attempt) = (one(), Attempt::FIRST);
    let key = AttemptKey::of(&samples::run(1), &step);
    let end = StepEnd::Succeeded(Outcome::default());
    let before = [
        RecordBody::StepStarted { step: step.clone(), attempt, key, with: json!({}) },
        RecordBody::StepFinished { step, attempt: Some(attempt), end },
        decided(None, Decision::Rollback),
    ];
    before.into_iter().chain(more).collect()
}

fn undo_started() -> RecordBody {
    RecordBody::UndoStarted { step: one(), attempt: Attempt::FIRST }
}

fn undo_finished(end: UndoEnd) -> Vec<RecordBody> {
    vec![undo_started(), RecordBody::UndoFinished { step: one(), attempt: Attempt::FIRST, end }]
}

/// Every record and every decision that has no driver, each as the newest of a journal.
fn journals() -> Vec<(Undriven, Vec<RecordBody>)> {
    let undone = UndoEnd::Undone { evidence: "off again".to_owned() };
    vec![
        (Undriven::Gates, vec![opened()]),
        (Undriven::Gates, vec![opened(), decided(Some(one()), Decision::Approve)]),
        (Undriven::Gates, vec![opened(), decided(Some(one()), Decision::Reject)]),
        (Undriven::Gates, gate_decided(GateDecision::Approved)),
        (Undriven::Gates, gate_decided(GateDecision::Rejected)),
        (Undriven::Gates, gate_decided(GateDecision::Expired)),
        (Undriven::Guards, tripped(GuardEffect::Stop)),
        (Undriven::Guards, tripped(GuardEffect::Pause)),
        (Undriven::Guards, tripped(GuardEffect::Rollback)),
        (Undriven::Pause, vec![decided(None, Decision::Pause)]),
        (Undriven::Rollback, vec![decided(None, Decision::Rollback)]),
        (Undriven::Rollback, rolling_back(Vec::new())),
        (Undriven::Rollback, rolling_back(vec![undo_started()])),
        (Undriven::Rollback, rolling_back(undo_finished(undone))),
        (Undriven::Rollback, rolling_back(undo_finished(UndoEnd::Failed(Failure::permanent("no"))))),
    ]
}

#[track_caller]
fn assert_let_alone(undriven: Undriven, bodies: Vec<RecordBody>) {
    let (world, store, run) = (World::default(), MemoryStore::new(), samples::run(1));
    let first = samples::created(&run, plan(&world.registry(), TEXT));
    let drafts = [first].into_iter().chain(bodies.into_iter().map(|body| samples::draft(1, body)));
    drop(store.create(&run, &samples::driver(1), drafts.collect(), &|_| Ok(())).unwrap());
    let before = store.load(&run).unwrap().records;

    let resumed = Driving::with(world.registry()).resume(&store, &run);
    let ended = simulate(async { tokio::time::timeout(A_DAY, resumed).await });
    match ended.unwrap_or_else(|_| panic!("it hangs: {before:#?}")) {
        Err(EngineError::Undriven { undriven: found, .. }) => assert_eq!(found, undriven, "{before:#?}"),
        other => panic!("it is not refused: {other:?}: {before:#?}"),
    }
    assert_eq!(store.load(&run).unwrap().records, before);
    assert_eq!((world.applied(), world.observed()), (Vec::new(), Vec::new()), "{before:#?}");
}

#[test]
fn whose_driver_died() {
    for (undriven, bodies) in journals() {
        assert_let_alone(undriven, bodies);
    }
}

#[test]
fn whose_driver_let_go() {
    for (undriven, mut bodies) in journals() {
        bodies.push(RecordBody::RunStopped { reason: StopReason::NeedsPerson });
        assert_let_alone(undriven, bodies);
    }
}
