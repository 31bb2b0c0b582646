//! Attempts that are proven never to have begun: repeated at no cost, but not without end; and their traces.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lifeboat_action::{
    Action, ActionContext, ActionName, ActionSpec, Attempt, CallInfo, Effect, Failure, Observation, Observe,
    Outcome, ParamProblem, Recovery, Registry,
};
use lifeboat_engine::{Draft, Left, Store};
use lifeboat_model::RecordBody;
use lifeboat_model::record::{Decision, StopReason};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Crash, CrashStore, Driving, MemoryStore, samples};
use serde_json::{Value, json};

use crate::simulate;

const TEXT: &str = "runbook: reluctant\nsteps:\n  - { id: one, action: test.reluctant }\n";

/// So many attempts in a row that never began are made before a person is asked.
const MOST: u32 = 6;

/// An attempt, and how many records the run had before, if it was there.
type Noted = (Attempt, Option<usize>);

/// `test.reluctant`: no attempt of it ever begins, and none knows that before it is looked for.
#[derive(Debug, Clone)]
struct Reluctant {
    spec: ActionSpec,
    /// The attempts whose traces were opened.
    opened: Arc<Mutex<Vec<Noted>>>,
    store: MemoryStore,
}

impl Reluctant {
    fn new() -> Self {
        let spec = ActionSpec {
            name: ActionName::new("test.reluctant").unwrap(),
            summary: "Never begins".to_owned(),
            effect: Effect::Write,
            idempotent: false,
            observable: false,
            recoverable: true,
            rehearsed_without: Vec::new(),
            vouched_by: None,
            params: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            outputs: json!({"type": "object", "properties": {}}),
        };
        Self { spec, opened: Arc::default(), store: MemoryStore::new() }
    }

    fn driving(&self) -> Driving {
        let mut registry = Registry::new();
        registry.add("test", "1", Arc::new(self.clone()));
        Driving::with(registry)
    }

    fn opened(&self) -> Vec<Noted> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The attempts that were recorded as started.
    fn started(&self) -> Vec<Noted> {
        let records = self.store.load(&samples::run(1)).unwrap().records;
        let start = |(before, record): (usize, &lifeboat_model::Record)| match &record.body {
            RecordBody::StepStarted { attempt, .. } => Some((*attempt, Some(before))),
            _ => None,
        };
        records.iter().enumerate().filter_map(start).collect()
    }

    fn create(&self) -> Left {
        let driving = self.driving();
        let plan = plan(&driving.registry, TEXT);
        simulate(driving.create(&self.store, &samples::run(1), plan)).unwrap().left
    }

    fn resume(&self) -> Left {
        simulate(self.driving().resume(&self.store, &samples::run(1))).unwrap().left
    }
}

#[async_trait]
impl Observe for Reluctant {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn check(&self, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    async fn observe(&self, _: &ActionContext, _: &Value) -> Observation {
        Observation::Unknown { why: "it cannot look".to_owned() }
    }
}

#[async_trait]
impl Action for Reluctant {
    async fn apply(&self, _: &ActionContext, _: &Value) -> Result<Outcome, Failure> {
        Err(Failure::unknown("nobody answered"))
    }

    fn open_trace(&self, attempt: &CallInfo) -> std::io::Result<()> {
        // The store in memory is locked while it makes a run.
        let records = (attempt.attempt != Attempt::FIRST)
            .then(|| self.store.load(&attempt.run).expect("the run is there").records.len());
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push((attempt.attempt, records));
        Ok(())
    }

    async fn recover(&self, _: &ActionContext, _: &Value) -> Recovery {
        Recovery::NotStarted { evidence: "its trace says so".to_owned() }
    }
}

#[test]
fn an_attempt_that_never_begins_is_not_repeated_without_end() {
    let reluctant = Reluctant::new();
    assert_eq!(reluctant.create(), Left::Stopped(StopReason::NeedsPerson));
    assert_eq!(reluctant.opened().len(), MOST as usize);
    let state = reluctant.store.load(&samples::run(1)).unwrap().state;
    let lifeboat_model::StepState::InDoubt { asked: Some(evidence), .. } =
        state.step(lifeboat_model::NodeIndex(0))
    else {
        panic!("it is not in doubt")
    };
    assert_eq!(evidence, "6 attempts in a row never began; the last: its trace says so");
    // Another driver does not begin to count anew; a person's word does.
    assert_eq!(reluctant.resume(), Left::Stopped(StopReason::NeedsPerson));
    assert_eq!(reluctant.opened().len(), MOST as usize);
    retry(&reluctant.store);
    assert_eq!(reluctant.resume(), Left::Stopped(StopReason::NeedsPerson));
    assert_eq!(reluctant.opened().len(), 2 * MOST as usize);
}

fn retry(store: &MemoryStore) {
    let mut claim = store.claim(&samples::run(1), &samples::driver(3)).unwrap();
    let node = Some(lifeboat_model::NodePath::new("one").unwrap());
    let (actor, reason) = ("ada".to_owned(), "mended".to_owned());
    let body = RecordBody::OperatorDecided { node, decision: Decision::Retry, actor, reason };
    let (expected, at) = (claim.state.seq().next(), claim.state.updated_at());
    claim.journal.append(expected, claim.epoch, vec![Draft { at, body }]).unwrap();
}

#[test]
fn drivers_that_die_over_every_start_do_not_repeat_it_without_end() {
    let reluctant = Reluctant::new();
    let dying = |records: u64| {
        let after = lifeboat_model::Seq(records);
        CrashStore::new(reluctant.store.clone(), Crash { after, answered: false })
    };
    let driving = reluctant.driving();
    let first = plan(&driving.registry, TEXT);
    simulate(driving.create(&dying(2), &samples::run(1), first)).unwrap_err();
    for attempts in 2..=MOST {
        // It resumes, is in doubt, resolves that, and starts the next attempt.
        let records = reluctant.store.load(&samples::run(1)).unwrap().state.seq().0 + 4;
        simulate(reluctant.driving().resume(&dying(records), &samples::run(1))).unwrap_err();
        assert_eq!(reluctant.started().len(), attempts as usize);
    }
    assert_eq!(reluctant.resume(), Left::Stopped(StopReason::NeedsPerson));
    assert_eq!(reluctant.started().len(), MOST as usize);
}

#[test]
fn a_trace_is_opened_before_its_attempt_is_recorded() {
    let reluctant = Reluctant::new();
    reluctant.create();
    let (opened, started) = (reluctant.opened(), reluctant.started());
    assert_eq!(opened.len(), started.len());
    assert_eq!(opened[0], (Attempt::FIRST, None), "the run is not there yet");
    for (opened, started) in opened.iter().zip(&started).skip(1) {
        assert_eq!(opened.0, started.0);
        // The attempt before it is resolved in the same batch.
        assert_eq!(opened.1.map(|records| records + 1), started.1);
    }
}
