//! How many attempts a step is given, and that a person's "retry" gives all of them anew.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lifeboat_action::{
    Action, ActionContext, ActionName, ActionSpec, Change, Effect, Failure, FailureKind, Observation,
    Observe, Outcome, ParamProblem, Registry,
};
use lifeboat_engine::{Draft, Left, Store};
use lifeboat_model::record::{Decision, Resolution, StepEnd, StopReason, Verdict};
use lifeboat_model::{NodePath, Record, RecordBody, Seq};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Crash, CrashStore, Driving, MemoryStore, samples};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::simulate;

const BUDGET: u32 = 3;

const TEXT: &str = r#"
runbook: fickle
steps:
  - { id: one, action: test.fickle, on_unknown: rerun, retry: { attempts: 3 } }
"#;

/// What one call does, and what is seen after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It fails, and nothing is changed.
    Fails,
    /// Nobody knows, and the look sees that it was not done.
    LostAndNotDone,
    /// Nobody knows, and the look cannot tell.
    LostAndUnseen,
    /// Nobody knows, and something is in the way.
    LostAndBlocked,
}

/// `test.fickle`: does as its turns say, and succeeds when they are over.
#[derive(Debug, Clone)]
struct Fickle {
    spec: ActionSpec,
    turns: Arc<Mutex<Turns>>,
}

#[derive(Debug, Default)]
struct Turns {
    to_come: VecDeque<Turn>,
    /// The newest one, until it was looked at.
    last: Option<Turn>,
    done: bool,
}

impl Fickle {
    fn new(turns: &[Turn]) -> Self {
        let spec = ActionSpec {
            name: ActionName::new("test.fickle").unwrap(),
            summary: "Does as its turns say".to_owned(),
            effect: Effect::Write,
            idempotent: true,
            observable: true,
            recoverable: false,
            rehearsed_without: Default::default(),
            vouched_by: None,
            params: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            outputs: json!({"type": "object", "properties": {}}),
        };
        let turns = Turns { to_come: turns.iter().copied().collect(), ..Turns::default() };
        Self { spec, turns: Arc::new(Mutex::new(turns)) }
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::new();
        registry.add("test", "1", Arc::new(self.clone()));
        registry
    }
}

#[async_trait]
impl Observe for Fickle {
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
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        match turns.last.take() {
            _ if turns.done => Observation::in_place("on", Default::default()),
            Some(Turn::LostAndUnseen) => Observation::Unknown { why: "fog".to_owned() },
            Some(Turn::LostAndBlocked) => Observation::Blocked { why: "a wall".to_owned() },
            None | Some(Turn::Fails | Turn::LostAndNotDone) => {
                Observation::Pending { change: Change { before: "off".to_owned(), after: "on".to_owned() } }
            }
        }
    }
}

#[async_trait]
impl Action for Fickle {
    async fn apply(&self, _: &ActionContext, _: &Value) -> Result<Outcome, Failure> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.last = turns.to_come.pop_front();
        match turns.last {
            None => {
                turns.done = true;
                Ok(Outcome::default())
            }
            Some(Turn::Fails) => Err(Failure::transient("not now")),
            Some(_) => Err(Failure::unknown("the answer was lost")),
        }
    }
}

/// Drives the run on until it has ended well, a person saying "retry" wherever one is needed; `crashes` says after how
/// many records each driver's machine dies, if it does. The journal.
fn driven_to_its_end(fickle: &Fickle, crashes: &[Option<u64>]) -> Vec<Record> {
    let (store, run) = (MemoryStore::new(), samples::run(1));
    let plan = plan(&fickle.registry(), TEXT);
    let mut crashes = crashes.iter().copied().flatten();
    let mut left = simulate(Driving::with(fickle.registry()).create(&store, &run, plan)).unwrap().left;
    loop {
        match left {
            Left::Finished(Verdict::Succeeded) => return store.load(&run).unwrap().records,
            Left::Finished(Verdict::Failed) | Left::Stopped(StopReason::NeedsPerson) => retry(&store),
            other => panic!("{other:?}"),
        }
        let seq = store.load(&run).unwrap().state.seq();
        let after = crashes.next().map_or(Seq(u64::MAX - 1), |records| Seq(seq.0 + records));
        let dying = CrashStore::new(store.clone(), Crash { after, answered: true });
        let drive = simulate(Driving::with(fickle.registry()).resume(&dying, &run));
        left = match drive {
            Ok(drive) => drive.left,
            Err(_) => continue_after_crash(fickle, &store),
        };
    }
}

/// Whoever takes over from a machine that died meets no further accident.
fn continue_after_crash(fickle: &Fickle, store: &MemoryStore) -> Left {
    let run = samples::run(1);
    let finished = store.load(&run).unwrap().records.last().map(|record| record.body.clone());
    if let Some(RecordBody::RunFinished { verdict }) = finished {
        return Left::Finished(verdict);
    }
    simulate(Driving::with(fickle.registry()).resume(store, &run)).unwrap().left
}

fn retry(store: &MemoryStore) {
    let mut claim = store.claim(&samples::run(1), &samples::driver(3)).unwrap();
    let body = RecordBody::OperatorDecided {
        node: Some(NodePath::new("one").unwrap()),
        decision: Decision::Retry,
        actor: "ada".to_owned(),
        reason: "mended".to_owned(),
    };
    let (expected, at) = (claim.state.seq().next(), claim.state.updated_at());
    claim.journal.append(expected, claim.epoch, vec![Draft { at, body }]).unwrap();
}

/// How many attempts were made by the time of each failure for good, those not counted that a driver died over, or left
/// in doubt; and the same at the journal's end.
fn attempts_at_each_end(records: &[Record]) -> (Vec<u32>, u32) {
    let (mut ends, mut attempts, mut open) = (Vec::new(), 0, false);
    for record in records {
        match &record.body {
            RecordBody::StepStarted { .. } => (attempts, open) = (attempts + 1, true),
            RecordBody::RunResumed { .. } if open => (attempts, open) = (attempts - 1, false),
            RecordBody::AttemptFailed { .. } => open = false,
            RecordBody::DoubtResolved { resolution: Resolution::Rerun, .. } => open = false,
            RecordBody::DoubtResolved { resolution: Resolution::Failed(failure), .. }
            | RecordBody::StepFinished { end: StepEnd::Failed(failure), .. } => {
                assert_eq!(failure.kind, FailureKind::Transient);
                ends.push(attempts);
                open = false;
            }
            RecordBody::OperatorDecided { .. } => (attempts, open) = (0, false),
            _ => {}
        }
        assert!(attempts <= BUDGET, "{attempts} attempts at record {}: {records:#?}", record.seq);
    }
    (ends, attempts)
}

#[test]
fn a_persons_retry_gives_all_attempts_anew() {
    for turn in [Turn::Fails, Turn::LostAndNotDone, Turn::LostAndUnseen] {
        let records = driven_to_its_end(&Fickle::new(&[turn; 7]), &[]);
        assert_eq!(attempts_at_each_end(&records), (vec![BUDGET, BUDGET], 2), "{turn:?}");
    }
}

#[test]
fn failures_of_every_kind_share_one_budget() {
    let turns = [Turn::LostAndNotDone, Turn::Fails, Turn::LostAndUnseen];
    let records = driven_to_its_end(&Fickle::new(&turns), &[]);
    assert_eq!(attempts_at_each_end(&records), (vec![BUDGET], 1));
}

proptest! {
    /// Whatever happens in whatever order, and whoever dies over it: a step is given up after its attempts, and neither
    /// later nor sooner.
    #[test]
    fn a_step_has_its_attempts_and_no_more(
        turns in proptest::collection::vec(
            prop_oneof![
                Just(Turn::Fails),
                Just(Turn::LostAndNotDone),
                Just(Turn::LostAndUnseen),
                Just(Turn::LostAndBlocked),
            ],
            0..20,
        ),
        crashes in proptest::collection::vec(proptest::option::of(1u64..12), 0..6),
    ) {
        let records = driven_to_its_end(&Fickle::new(&turns), &crashes);
        let (ends, _) = attempts_at_each_end(&records);
        prop_assert!(ends.iter().all(|attempts| *attempts == BUDGET), "{ends:?}: {records:#?}");
    }
}
