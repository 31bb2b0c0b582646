//! Runs that came to where no driver of this version can go on: they are refused, at once and without a trace.

use std::time::Duration;

use lifeboat_engine::{EngineError, Store};
use lifeboat_model::record::{
    Decision, GateDecision, GuardEffect, Identity, OpenGate, Quorum, StepEnd, StopReason, ToldEnd, Vote,
};
use lifeboat_model::{
    Attempt, AttemptKey, Digest, Effort, Failure, NodePath, Outcome, RecordBody, Seq, StepId, Undriven,
};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};
use serde_json::{Map, json};

use crate::simulate;

const TEXT: &str = r#"
runbook: undriven
steps:
  - { id: one, action: fake.set, with: { name: a, value: x } }
  - { id: two, action: fake.set, with: { name: b, value: x } }
"#;

/// Longer than anything takes; the time is simulated.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

fn one() -> NodePath {
    NodePath::new("one").unwrap()
}

fn decided(node: Option<NodePath>, decision: Decision) -> RecordBody {
    RecordBody::OperatorDecided { node, decision, actor: "ada".to_owned(), reason: "so".to_owned() }
}

fn opened() -> RecordBody {
    let quorum = Quorum { count: 1, role: None, not_initiator: false };
    let question = "Go on?".to_owned();
    let gate = OpenGate { question, quorum, expires: None, shows: None, votes: Vec::new() };
    RecordBody::GateOpened { node: one(), gate }
}

fn voted(approves: bool) -> RecordBody {
    let by = Identity { name: "ben".to_owned(), roles: Vec::new(), proof: None };
    let vote = Vote { by, approves, reason: "so".to_owned(), saw: None, outputs: Map::new() };
    RecordBody::GateVoted { node: one(), vote }
}

fn gate_decided(decision: GateDecision) -> Vec<RecordBody> {
    vec![opened(), RecordBody::GateDecided { node: one(), decision, why: "ben".to_owned() }]
}

fn tripped(then: GuardEffect) -> Vec<RecordBody> {
    vec![RecordBody::GuardTripped {
        guard: StepId::new("serves").unwrap(),
        node: None,
        evidence: "it does not".to_owned(),
        then,
    }]
}

fn started(effort: Effort, attempt: u32) -> RecordBody {
    let key = AttemptKey::of(&samples::run(1), &one(), 1, effort);
    RecordBody::StepStarted { node: one(), effort, attempt: Attempt(attempt), key, with: json!({}) }
}

fn finished(attempt: u32, end: StepEnd) -> RecordBody {
    RecordBody::StepFinished { node: one(), attempt: Some(Attempt(attempt)), end }
}

/// A run that is rolled back after its first step, and more.
fn rolling_back(more: Vec<RecordBody>) -> Vec<RecordBody> {
    let done = finished(1, StepEnd::Succeeded(Outcome::default()));
    let before = [started(Effort::Apply, 1), done, decided(None, Decision::Rollback)];
    before.into_iter().chain(more).collect()
}

fn undone(end: StepEnd) -> Vec<RecordBody> {
    vec![started(Effort::Undo, 2), finished(2, end)]
}

/// Every record and every decision that has no driver, each as the newest of a journal; and those that leave nothing open.
fn journals() -> Vec<(Undriven, Vec<RecordBody>)> {
    let failed = StepEnd::Failed(Failure::permanent("no"));
    let edit = RecordBody::RunEdited {
        actor: "ada".to_owned(),
        reason: "so".to_owned(),
        digest: Digest::of(b"edited"),
        edit: json!({}),
    };
    let required = RecordBody::RequirementMet {
        node: one(),
        required: one(),
        seen_at: samples::at(1),
        evidence: "there".to_owned(),
    };
    vec![
        (Undriven::Gates, vec![opened()]),
        (Undriven::Gates, vec![opened(), voted(true)]),
        (Undriven::Gates, vec![opened(), voted(false)]),
        (Undriven::Gates, gate_decided(GateDecision::Approved)),
        (Undriven::Gates, gate_decided(GateDecision::Rejected)),
        (Undriven::Gates, gate_decided(GateDecision::Expired)),
        (Undriven::Gates, gate_decided(GateDecision::Withdrawn)),
        (Undriven::Guards, tripped(GuardEffect::Stop)),
        (Undriven::Guards, tripped(GuardEffect::Hold)),
        (Undriven::Guards, tripped(GuardEffect::Rollback)),
        (Undriven::Pause, vec![decided(None, Decision::Pause)]),
        (Undriven::Requirements, vec![required]),
        (Undriven::Requirements, vec![decided(Some(one()), Decision::Override)]),
        (Undriven::Locks, vec![RecordBody::LockTaken { name: "shop".to_owned() }]),
        (Undriven::Telling, vec![RecordBody::Told { entry: 0, about: Seq(1), end: ToldEnd::Delivered }]),
        (Undriven::Edits, vec![edit]),
        (Undriven::Rollback, vec![RecordBody::RollbackBegan { node: None, why: "so".to_owned() }]),
        (Undriven::Rollback, vec![decided(None, Decision::Rollback)]),
        (Undriven::Rollback, rolling_back(Vec::new())),
        (Undriven::Rollback, rolling_back(undone(StepEnd::Succeeded(Outcome::default())))),
        (Undriven::Rollback, rolling_back(undone(failed))),
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
    assert_let_alone(Undriven::Rollback, rolling_back(vec![started(Effort::Undo, 2)]));
}

#[test]
fn whose_driver_let_go() {
    for (undriven, mut bodies) in journals() {
        bodies.push(RecordBody::RunStopped { reason: StopReason::NeedsPerson });
        assert_let_alone(undriven, bodies);
    }
}
