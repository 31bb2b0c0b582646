//! A dry run makes no call of which nobody says that it changes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use lifeboat_action::{
    Action, ActionContext, ActionName, ActionSpec, Effect, Failure, Observation, Observe, Outcome,
    ParamProblem, Registry,
};
use lifeboat_engine::{Drive, Store};
use lifeboat_model::RecordBody;
use lifeboat_model::event::step_details;
use lifeboat_model::record::Mode;
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};
use serde_json::{Value, json};

use crate::{simulate, summary};

/// `test.ask`: looks with whatever its author wrote, and panics when it is called without `expected`.
#[derive(Debug)]
struct Ask {
    spec: ActionSpec,
}

impl Ask {
    fn new() -> Self {
        let spec = ActionSpec {
            name: ActionName::new("test.ask").unwrap(),
            summary: "Asks what its author wrote".to_owned(),
            effect: Effect::Read,
            idempotent: true,
            observable: true,
            recoverable: false,
            rehearsed_without: Vec::new(),
            vouched_by: Some("looks".to_owned()),
            params: json!({"type": "object", "properties": {"looks": {"type": "boolean"}, "expected": {}}}),
            outputs: json!({"type": "object", "properties": {}}),
        };
        Self { spec }
    }
}

#[async_trait]
impl Observe for Ask {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn check(&self, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        false
    }

    async fn observe(&self, _: &ActionContext, params: &Value) -> Observation {
        assert_eq!(params["expected"], true, "it is called");
        Observation::in_place("as it should be", Default::default())
    }
}

#[async_trait]
impl Action for Ask {
    async fn apply(&self, _: &ActionContext, _: &Value) -> Result<Outcome, Failure> {
        panic!("what only looks is not applied");
    }
}

/// Drives a runbook of these steps, and gives what was said of each that was rehearsed.
fn drive(mode: Mode, world: &World, steps: &str) -> (Drive, Vec<Observation>) {
    let mut registry: Registry = world.registry();
    registry.add("test", "1", Arc::new(Ask::new()));
    let plan = plan(&registry, &format!("runbook: asks\nsteps:\n{steps}"));
    let store = MemoryStore::new();
    let driving = Driving { mode, ..Driving::with(registry) };
    let drive = simulate(driving.create(&store, &samples::run(1), plan)).unwrap();
    let records = store.load(&samples::run(1)).unwrap().records;
    let seen = records.into_iter().filter_map(|record| match record.body {
        RecordBody::StepRehearsed { observation, .. } => Some(observation),
        _ => None,
    });
    (drive, seen.collect())
}

/// What programs are told of the word on which a step was looked at.
fn words(drive: &Drive) -> Vec<Value> {
    let state = &drive.state;
    state.indices().map(|at| step_details(state, at).remove("harmless").unwrap_or_default()).collect()
}

const WITHHELD: &str = "nobody vouches that this `test.ask` changes nothing; write `looks: true` if so";

#[test]
fn without_a_word_neither_a_step_nor_its_check_is_called() {
    let world = World::default();
    let unvouched = [
        "  - { id: one, action: test.ask }\n",
        "  - { id: one, action: test.ask, with: { looks: false } }\n",
        // It comes to `true`, but that is not the author's word.
        "  - { id: one, action: test.ask, with: { looks: \"{{ eq mode 'dry_run' }}\" } }\n",
        "  - { id: one, action: fake.set, with: { name: a, value: x }, check: { action: test.ask } }\n",
        "  - { id: one, action: fake.blind, with: { name: a, value: x }, check: { action: test.ask } }\n",
    ];
    for steps in unvouched {
        let (ended, seen) = drive(Mode::DryRun, &world, steps);
        assert_eq!(summary(&ended).1, ["one not_rehearsed"], "{steps}");
        assert_eq!(seen, [Observation::Unknown { why: WITHHELD.to_owned() }], "{steps}");
    }
    assert_eq!((world.observed(), world.applied()), (Vec::<String>::new(), Vec::<String>::new()));
}

#[test]
fn by_the_authors_word_it_is_called_and_that_is_said() {
    let steps = "
  - { id: set, action: fake.set, with: { name: a, value: x } }
  - { id: asks, action: test.ask, with: { looks: true, expected: true } }
  - { id: checked, action: fake.blind, with: { name: a, value: x }, check: { action: test.ask, with: { looks: true, expected: true } } }
  - { id: blind, action: fake.blind, with: { name: a, value: x } }
";
    let (drive, _) = drive(Mode::DryRun, &World::default(), steps);
    let expected = ["set pending", "asks in_place", "checked in_place", "blind not_rehearsed"];
    assert_eq!(summary(&drive).1, expected);
    assert_eq!(words(&drive), [json!("proven"), json!("vouched"), json!("vouched"), Value::Null]);
}

#[test]
fn a_live_run_needs_no_word() {
    let steps = "
  - { id: asks, action: test.ask, with: { expected: true } }
  - { id: checked, action: fake.blind, with: { name: a, value: x }, check: { action: test.ask, with: { expected: true } } }
";
    let (drive, _) = drive(Mode::Live, &World::default(), steps);
    assert_eq!(
        summary(&drive),
        (Some("succeeded"), vec!["asks succeeded".into(), "checked in_place".into()])
    );
}

#[test]
fn what_waits_for_a_call_that_was_not_made_is_not_in_the_way() {
    let steps = "
  - { id: asks, action: test.ask }
  - { id: after, action: fake.get, with: { name: a } }
  - { id: beside, needs: [], action: fake.get, with: { name: a } }
";
    let (drive, _) = drive(Mode::DryRun, &World::default(), steps);
    assert_eq!(summary(&drive).1, ["asks not_rehearsed", "after not_rehearsed", "beside failed"]);
}
