//! Attempts whose end nobody knows, within one drive; those of a dead driver are in the crash sweep.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lifeboat_engine::{Answer, Left, Person, Question, Store};
use lifeboat_model::record::{Decision, DoubtRule, StopReason, Verdict};
use lifeboat_model::{NodeIndex, RecordBody, StepState};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};
use serde_json::{Map, json};

use crate::{run, simulate, summary};

fn text(how: &str, attempts: u32) -> String {
    format!(
        r#"
runbook: doubt
steps:
  - id: one
    action: fake.set
    with: {{ name: a, value: x, fails: 1, how: {how} }}
    retry: {{ attempts: {attempts} }}
"#
    )
}

#[test]
fn what_was_done_after_all_is_not_done_again() {
    let world = World::default();
    assert_eq!(
        summary(&run(&world, &text("unknown_done", 1))),
        (Some("succeeded"), vec!["one succeeded".into()])
    );
    assert_eq!(world.applied(), ["one"]);
}

#[test]
fn what_was_not_done_is_tried_again_while_attempts_are_left() {
    let world = World::default();
    assert_eq!(
        summary(&run(&world, &text("unknown_not_done", 2))),
        (Some("succeeded"), vec!["one succeeded".into()])
    );
    assert_eq!(summary(&run(&World::default(), &text("unknown_not_done", 1))).0, Some("failed"));
}

#[test]
fn a_panic_is_a_doubt_too() {
    assert_eq!(summary(&run(&World::default(), &text("panic", 2))).0, Some("succeeded"));
}

const BLIND: &str = r#"
runbook: blind
steps:
  - { id: one, action: fake.blind, with: { name: a, value: x, fails: 1, how: unknown_done } }
  - { id: two, needs: [], action: fake.set, with: { name: b, value: x } }
"#;

#[test]
fn without_anybody_to_ask_the_run_waits_for_a_person() {
    let world = World::default();
    let drive = run(&world, BLIND);
    assert_eq!(drive.left, Left::Stopped(StopReason::NeedsPerson));
    assert_eq!(summary(&drive).1, ["one in_doubt", "two succeeded"]);
}

#[test]
fn the_policy_of_the_step_may_decide_instead() {
    let rerun = BLIND.replace("{ id: one,", "{ id: one, on_unknown: rerun, retry: { attempts: 2 },");
    assert_eq!(summary(&run(&World::default(), &rerun)).0, Some("succeeded"));
    let fail = BLIND.replace("{ id: one,", "{ id: one, on_unknown: fail,");
    let drive = run(&World::default(), &fail);
    assert_eq!(summary(&drive).0, Some("failed"));
    let StepState::Failed { failure } = drive.state.step(NodeIndex(0)) else { panic!("it failed") };
    let (cause, why) =
        failure.message.split_once("; cannot tell: ").expect("what happened, then what was seen");
    assert!(!cause.is_empty() && why.contains("cannot look"), "{failure}");
}

/// Answers every question with the same word.
#[derive(Debug)]
struct Says(Decision, &'static str);

impl Person for Says {
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Option<Answer>> + Send>> {
        assert_eq!(question.step.as_str(), "one");
        assert!(question.evidence.contains("cannot look"), "{question:?}");
        let answer = Answer { decision: self.0.clone(), actor: "ada".to_owned(), reason: self.1.to_owned() };
        Box::pin(std::future::ready(Some(answer)))
    }
}

#[test]
fn a_person_decides_with_the_evidence_in_view() {
    let expected = [
        (Decision::Retry, Verdict::Succeeded, "one succeeded"),
        (Decision::Skip, Verdict::SucceededWithDeviations, "one skipped"),
        (
            Decision::MarkDone { outputs: Default::default() },
            Verdict::SucceededWithDeviations,
            "one succeeded",
        ),
    ];
    for (decision, verdict, one) in expected {
        let world = World::default();
        let registry = world.registry();
        let plan = plan(&registry, BLIND);
        let driving = Driving { person: Arc::new(Says(decision, "I looked")), ..Driving::with(registry) };
        let drive = simulate(driving.create(&MemoryStore::new(), &samples::run(1), plan)).unwrap();
        assert_eq!(drive.left, Left::Finished(verdict));
        assert_eq!(summary(&drive).1[0], one);
    }
}

#[test]
fn the_rule_and_the_evidence_are_in_the_journal() {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(&registry, &text("unknown_done", 1));
    let drive = simulate(Driving::with(registry).create(&store, &samples::run(1), plan)).unwrap();
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    let records = store.load(&samples::run(1)).unwrap().records;
    let resolved = records.iter().find_map(|record| match &record.body {
        RecordBody::DoubtResolved { rule, evidence, .. } => Some((*rule, evidence.clone())),
        _ => None,
    });
    assert_eq!(resolved, Some((DoubtRule::Observed, "in place: a is x".to_owned())));
}

#[test]
fn a_secret_in_a_persons_word_is_masked() {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(&registry, BLIND);
    let outputs = Map::from_iter([("value".to_owned(), json!("hunter2"))]);
    let driving = Driving {
        person: Arc::new(Says(Decision::MarkDone { outputs }, "logged in with hunter2")),
        secrets: Map::from_iter([("password".to_owned(), json!("hunter2"))]),
        ..Driving::with(registry)
    };
    let drive = simulate(driving.create(&store, &samples::run(1), plan)).unwrap();
    assert_eq!(summary(&drive).1[0], "one succeeded");
    drop(drive);
    let records = format!("{:?}", store.load(&samples::run(1)).unwrap().records);
    assert!(records.contains("logged in with ‹secret›"), "{records}");
    assert!(!records.contains("hunter2"), "{records}");
}

const TRACED: &str = r#"
runbook: traced
steps:
  - { id: one, action: fake.traced, with: { name: a, value: x }, timeout: 2s, idempotent: true, on_unknown: rerun, retry: { attempts: 3 } }
"#;

#[test]
fn an_attempt_that_was_given_up_is_looked_for_before_anything_else_is_done() {
    let world = World::default();
    let drive = run(&world, TRACED);
    assert_eq!(summary(&drive), (Some("succeeded"), vec!["one succeeded".into()]));
    assert_eq!(drive.state.attempts(drive.state.indices().next().unwrap()), 1);
}

#[test]
fn an_attempt_that_may_still_go_on_is_never_repeated_beside_itself() {
    let drive = run(&World::default(), &TRACED.replace("value: x", "value: x, deaf: true"));
    assert_eq!(drive.left, Left::Stopped(StopReason::NeedsPerson));
    assert_eq!(summary(&drive).1, ["one in_doubt"]);
    let at = drive.state.indices().next().unwrap();
    let StepState::InDoubt { asked: Some(evidence), .. } = drive.state.step(at) else {
        panic!("{:?}", drive.state.step(at))
    };
    let expected =
        "it may still be going on: its time was over, so it was told to stop: looking took too long";
    assert_eq!(evidence, expected);
}

#[test]
fn an_action_is_given_the_time_it_needs_to_stop() {
    let cause = |stop: u32| {
        let slow = format!("value: x, millis: 9000000, stop_millis: {stop}");
        let text = BLIND.replacen("value: x, fails: 1, how: unknown_done", &slow, 1);
        let drive = run(&World::default(), &text.replacen("{ id: one,", "{ id: one, timeout: 1s,", 1));
        match drive.state.step(drive.state.indices().next().unwrap()) {
            StepState::InDoubt { cause, .. } => cause.to_owned(),
            other => panic!("{other:?}"),
        }
    };
    // A minute is more than every action is given.
    assert_eq!(cause(60_000), "timed out after 1s: stopped half-way");
}
