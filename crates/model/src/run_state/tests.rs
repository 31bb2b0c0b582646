//! Random plans and random legal histories, and the invariants that must hold after every record.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::action_spec::{Effect, Harmlessness};
use crate::ids::{ActionName, Attempt, AttemptKey, Digest};
use crate::outcome::{Failure, Outcome};
use crate::plan::{
    ActionCall, ActionStep, Objectives, OnFailure, OnUnknown, PinnedSource, PlanParts, PlanStep, RetryPolicy,
    Section, StepKind,
};
use crate::record::{Decision, DoubtRule, Record, RecordBody, Resolution, StepEnd};

/// What a generated step is: its needs (as distances back), the block it opens or closes, and its policy.
#[derive(Debug, Clone)]
struct Sketch {
    needs: Vec<usize>,
    block: bool,
    tolerant: bool,
}

fn step(id: usize, section: Section, parent: Option<u32>, needs: Vec<StepIndex>, tolerant: bool) -> PlanStep {
    let call = ActionCall {
        action: ActionName::new("test.do").unwrap(),
        with: json!({}),
        effect: Effect::Write,
        harmless: Harmlessness::Proven,
        idempotent: false,
        observable: true,
        recoverable: false,
        rehearsed_without: Vec::new(),
    };
    let kind = StepKind::Action(Box::new(ActionStep {
        call,
        check: None,
        timeout: None,
        retry: RetryPolicy::default(),
        on_failure: if tolerant { OnFailure::Continue } else { OnFailure::Stop },
        on_unknown: OnUnknown::Ask,
    }));
    let id = StepId::new(&format!("s{id}")).unwrap();
    let title = id.to_string();
    PlanStep { id, title, line: 1, section, parent: parent.map(StepIndex), needs, when: Vec::new(), kind }
}

fn plan(sketches: &[Sketch], finally: usize) -> Plan {
    let mut steps: Vec<PlanStep> = Vec::new();
    let mut tops: Vec<StepIndex> = Vec::new();
    for sketch in sketches {
        let at = steps.len();
        let mut needs: Vec<_> = sketch
            .needs
            .iter()
            .filter_map(|back| tops.len().checked_sub(*back).and_then(|i| tops.get(i)))
            .copied()
            .collect();
        needs.sort();
        needs.dedup();
        tops.push(StepIndex(at as u32));
        let mut top = step(at, Section::Steps, None, needs, sketch.tolerant);
        if sketch.block {
            let children = vec![StepIndex(at as u32 + 1), StepIndex(at as u32 + 2)];
            top.kind = StepKind::Block { children };
            steps.push(top);
            steps.push(step(at + 1, Section::Steps, Some(at as u32), Vec::new(), sketch.tolerant));
            steps.push(step(at + 2, Section::Steps, Some(at as u32), vec![StepIndex(at as u32 + 1)], false));
        } else {
            steps.push(top);
        }
    }
    for n in 0..finally {
        let at = steps.len();
        let needs = if n == 0 { Vec::new() } else { vec![StepIndex(at as u32 - 1)] };
        steps.push(step(at, Section::Finally, None, needs, false));
    }
    Plan::new(PlanParts {
        runbook: StepId::new("test").unwrap(),
        title: None,
        owner: None,
        objectives: Objectives::default(),
        locks: Vec::new(),
        inputs: Vec::new(),
        secrets: Vec::new(),
        steps,
        source: PinnedSource { name: "test.yaml".to_owned(), text: String::new(), digest: Digest::of(b"") },
    })
}

fn record(seq: u64, epoch: u64, body: RecordBody) -> Record {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seq as i64);
    Record { seq: Seq(seq), epoch: Epoch(epoch), at, body }
}

fn created(plan: Plan) -> Record {
    let driver = Driver { pid: 1, host: "h".to_owned(), boot: None, version: "0".to_owned() };
    record(
        1,
        1,
        RecordBody::RunCreated(Arc::new(RunCreated {
            run: RunId::new("run_01jdxk3w5v8h3m4n5p6q7r8s9t").unwrap(),
            mode: Mode::Live,
            plan,
            inputs: Map::new(),
            actor: "ada".to_owned(),
            driver,
            folder: None,
            plugins: std::collections::BTreeMap::new(),
        })),
    )
}

/// One legal record, picked by `dice` from all that may follow.
fn some_record(state: &RunState, dice: &[u8]) -> Option<RecordBody> {
    let next = RunState::next(state);
    let id = |at: StepIndex| state.plan().step(at).id.clone();
    let mut legal = Vec::new();
    let failure = Failure::transient("no");
    for at in next.start.iter().copied().chain(state.retries().map(|(_, at)| at)) {
        let attempt = Attempt(state.attempts(at) + 1);
        let key = AttemptKey::of(state.run(), &id(at));
        legal.push(RecordBody::StepStarted { step: id(at), attempt, key, with: Value::Null });
    }
    for at in state.sets.running.iter().copied() {
        let (step, attempt) = (id(at), Attempt(state.attempts(at)));
        let done = StepEnd::Succeeded(Outcome::default());
        legal.push(RecordBody::StepFinished { step: step.clone(), attempt: Some(attempt), end: done });
        legal.push(RecordBody::StepFinished {
            step: step.clone(),
            attempt: Some(attempt),
            end: StepEnd::Failed(failure.clone()),
        });
        legal.push(RecordBody::AttemptFailed {
            step: step.clone(),
            attempt,
            failure: failure.clone(),
            retry_at: Timestamp::UNIX_EPOCH,
        });
        legal.push(RecordBody::StepInDoubt { step, attempt, cause: "killed".to_owned() });
    }
    for at in next.resolve {
        for resolution in [
            Resolution::Rerun,
            Resolution::Ask,
            Resolution::Done(Outcome::default()),
            Resolution::Failed(failure.clone()),
        ] {
            let (step, attempt) = (id(at), Attempt(state.attempts(at)));
            legal.push(RecordBody::DoubtResolved {
                step,
                attempt,
                rule: DoubtRule::Observed,
                evidence: String::new(),
                retry_at: (resolution == Resolution::Rerun && dice[1].is_multiple_of(2))
                    .then_some(Timestamp::UNIX_EPOCH),
                resolution,
            });
        }
    }
    for at in state.sets.asking.iter().chain(&state.sets.stopping).copied() {
        for decision in [Decision::Retry, Decision::Skip, Decision::MarkDone { outputs: Map::new() }] {
            legal.push(RecordBody::OperatorDecided {
                step: Some(id(at)),
                decision,
                actor: "ada".to_owned(),
                reason: String::new(),
            });
        }
    }
    if let Outlook::Ends(verdict) = state.outlook() {
        legal.push(RecordBody::RunFinished { verdict });
    }
    match state.phase() {
        Phase::Running if dice[1] < 8 => {
            legal.push(RecordBody::RunStopped { reason: StopReason::Interrupted });
        }
        Phase::Running if dice[1] > 252 => legal.push(RecordBody::OperatorDecided {
            step: None,
            decision: Decision::Cancel,
            actor: "ada".to_owned(),
            reason: String::new(),
        }),
        Phase::Running => {}
        Phase::Stopped(_) => {
            return Some(RecordBody::RunResumed { driver: state.driver().clone(), actor: "bob".to_owned() });
        }
        Phase::Finished(Verdict::Failed) => {
            legal.retain(|body| matches!(body, RecordBody::OperatorDecided { .. }));
        }
        Phase::Finished(_) => return None,
    }
    (!legal.is_empty()).then(|| legal.swap_remove(dice[0] as usize % legal.len()))
}

fn same(left: &RunState, right: &RunState) {
    assert_eq!(left.steps, right.steps);
    assert_eq!(left.sets, right.sets);
    assert_eq!(left.run_checkpoint(), right.run_checkpoint());
    assert_eq!(RunState::next(left), RunState::next(right));
    assert_eq!(left.outlook(), right.outlook());
}

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let sketch = (proptest::collection::vec(1usize..4, 0..3), any::<bool>(), any::<bool>());
    let sketch = sketch.prop_map(|(needs, block, tolerant)| Sketch { needs, block, tolerant });
    proptest::collection::vec(sketch, 1..7)
}

proptest! {
    /// After every record of every history: the sets follow from the states, a checkpoint restores the state, every
    /// record out of place is refused without a trace, and a run that is not over can always go on.
    #[test]
    fn invariants_hold_after_every_record(
        sketches in sketches(),
        finally in 0usize..3,
        dice in proptest::collection::vec(any::<[u8; 2]>(), 0..60),
    ) {
        let first = created(plan(&sketches, finally));
        let mut state = RunState::new(&first).unwrap();
        let mut checkpoints: std::collections::BTreeMap<StepIndex, StepCheckpoint> = Default::default();
        for (n, dice) in dice.iter().enumerate() {
            let Some(body) = some_record(&state, dice) else { break };
            let record = record(n as u64 + 2, 1, body);
            state.apply(&record).unwrap();

            let before = state.clone();
            prop_assert!(state.apply(&record).is_err());
            same(&state, &before);

            let mut derived = state.clone();
            derived.derive();
            same(&state, &derived);

            for at in state.take_touched() {
                checkpoints.insert(at, state.step_checkpoint(at));
            }
            let restored = RunState::restore(&first, state.run_checkpoint(), checkpoints.clone()).unwrap();
            same(&state, &restored);

            if state.phase() == Phase::Running {
                what_is_offered_fits_the_outlook(&state);
                what_is_taken_is_not_offered_again(state.clone());
            }
        }
    }
}

fn what_is_offered_fits_the_outlook(state: &RunState) {
    let Next { start, resolve, retry, ask } = RunState::next(state);
    let may_go_on = !start.is_empty() || !resolve.is_empty() || retry.is_some() || state.is_busy();
    let (goes_on, asks) = match state.outlook() {
        Outlook::GoesOn => (true, !ask.is_empty()),
        Outlook::NeedsPerson => (false, true),
        Outlook::Ends(_) => (false, false),
        Outlook::Undoes => panic!("nothing is rolled back in {:?}", state.steps),
    };
    assert_eq!((may_go_on, !ask.is_empty()), (goes_on, asks), "{:?} in {:?}", state.outlook(), state.steps);
}

fn what_is_taken_is_not_offered_again(mut state: RunState) {
    let (outlook, Next { start, resolve, retry, ask }) = (state.outlook(), RunState::next(&state));
    for at in start.iter().chain(&resolve).chain(&ask) {
        state.take(*at);
    }
    assert_eq!(RunState::next(&state), Next { retry, ..Next::default() });
    assert_eq!(state.outlook(), outlook);
}

/// Drives a plan to its end with `end` for every step; answers the ids in the order in which they started.
fn drive(state: &mut RunState, mut end: impl FnMut(&StepId) -> StepEnd) -> (Vec<String>, Verdict) {
    let mut order = Vec::new();
    let put = |state: &mut RunState, body| {
        let record = record(state.seq().0 + 1, state.epoch().0, body);
        state.apply(&record).unwrap();
    };
    loop {
        if let Outlook::Ends(verdict) = state.outlook() {
            put(state, RecordBody::RunFinished { verdict });
            return (order, verdict);
        }
        for at in RunState::next(state).start {
            let step = state.plan().step(at).id.clone();
            let (attempt, key) = (Attempt(state.attempts(at) + 1), AttemptKey::of(state.run(), &step));
            order.push(step.to_string());
            put(state, RecordBody::StepStarted { step: step.clone(), attempt, key, with: Value::Null });
            let end = end(&step);
            put(state, RecordBody::StepFinished { step, attempt: Some(attempt), end });
        }
    }
}

fn done(_: &StepId) -> StepEnd {
    StepEnd::Succeeded(Outcome::default())
}

fn line(tolerant: bool) -> Sketch {
    Sketch { needs: vec![1], block: false, tolerant }
}

#[test]
fn finally_runs_after_a_failure_and_again_after_a_retry() {
    let mut state = RunState::new(&created(plan(&[line(false), line(false)], 1))).unwrap();
    let (order, verdict) = drive(&mut state, |step| match step.as_str() {
        "s0" => StepEnd::Failed(Failure::permanent("no")),
        _ => done(step),
    });
    assert_eq!((order, verdict), (vec!["s0".to_owned(), "s2".to_owned()], Verdict::Failed));

    let retry = RecordBody::OperatorDecided {
        step: Some(StepId::new("s0").unwrap()),
        decision: Decision::Retry,
        actor: "ada".to_owned(),
        reason: "mended".to_owned(),
    };
    state.apply(&record(state.seq().0 + 1, 2, retry)).unwrap();
    let resumed = RecordBody::RunResumed { driver: state.driver().clone(), actor: "ada".to_owned() };
    state.apply(&record(state.seq().0 + 1, 3, resumed)).unwrap();
    let (order, verdict) = drive(&mut state, done);
    assert_eq!(
        (order, verdict),
        (vec!["s0".to_owned(), "s1".to_owned(), "s2".to_owned()], Verdict::Succeeded)
    );
}

#[test]
fn a_tolerated_failure_is_a_deviation() {
    let mut state = RunState::new(&created(plan(&[line(true), line(false)], 0))).unwrap();
    let (order, verdict) = drive(&mut state, |step| match step.as_str() {
        "s0" => StepEnd::Failed(Failure::permanent("no")),
        _ => done(step),
    });
    assert_eq!((order.len(), verdict), (2, Verdict::SucceededWithDeviations));
    assert_eq!(state.deviations().len(), 1);
}

#[test]
fn an_older_epoch_is_refused() {
    let mut state = RunState::new(&created(plan(&[line(false)], 0))).unwrap();
    let resumed = RecordBody::RunResumed { driver: state.driver().clone(), actor: "bob".to_owned() };
    state.apply(&record(2, 2, resumed)).unwrap();
    let stale = state.apply(&record(3, 1, RecordBody::RunStopped { reason: StopReason::Interrupted }));
    assert_eq!(stale.unwrap_err().to_string(), "record 3 is not legal here: its epoch is 1, the run's is 2");
}

/// A person's word, and a driver that goes on with it.
fn decided(state: &mut RunState, step: Option<&str>, decision: Decision) {
    let (actor, reason) = ("ada".to_owned(), "mended".to_owned());
    let step = step.map(|id| StepId::new(id).unwrap());
    put(state, RecordBody::OperatorDecided { step, decision, actor, reason });
    let driver = state.driver().clone();
    put(state, RecordBody::RunResumed { driver, actor: "ada".to_owned() });
}

fn put(state: &mut RunState, body: RecordBody) {
    state.apply(&record(state.seq().0 + 1, state.epoch().0, body)).unwrap();
}

fn started(state: &mut RunState, id: &str) -> StepId {
    let step = StepId::new(id).unwrap();
    let (attempt, key) = (Attempt(1), AttemptKey::of(state.run(), &step));
    put(state, RecordBody::StepStarted { step: step.clone(), attempt, key, with: Value::Null });
    step
}

#[test]
fn finally_runs_again_after_a_retry_also_when_it_was_interrupted() {
    let mut state = RunState::new(&created(plan(&[line(false)], 2))).unwrap();
    for (id, end) in
        [("s0", StepEnd::Failed(Failure::permanent("no"))), ("s1", StepEnd::Succeeded(Outcome::default()))]
    {
        let step = started(&mut state, id);
        put(&mut state, RecordBody::StepFinished { step, attempt: Some(Attempt(1)), end });
    }
    put(&mut state, RecordBody::RunStopped { reason: StopReason::Interrupted });
    decided(&mut state, Some("s0"), Decision::Retry);
    let (order, verdict) = drive(&mut state, done);
    assert_eq!((order.join(" ").as_str(), verdict), ("s0 s1 s2", Verdict::Succeeded));
}

#[test]
fn a_reopened_run_first_sees_the_open_attempt_of_its_ending_to_the_end() {
    for resolution in [
        Resolution::Done(Outcome::default()),
        Resolution::Rerun,
        Resolution::Failed(Failure::permanent("no")),
    ] {
        let mut state = RunState::new(&created(plan(&[line(false), line(false)], 2))).unwrap();
        let step = started(&mut state, "s0");
        let end = StepEnd::Failed(Failure::permanent("no"));
        put(&mut state, RecordBody::StepFinished { step, attempt: Some(Attempt(1)), end });
        let step = started(&mut state, "s2");
        decided(&mut state, Some("s0"), Decision::Skip);
        assert_eq!(RunState::next(&state).start, [], "nothing starts beside what may still be going on");
        assert_eq!(state.outlook(), Outlook::GoesOn);

        let (rule, evidence, attempt) = (DoubtRule::Observed, "seen".to_owned(), Attempt(1));
        let retry_at = None;
        put(&mut state, RecordBody::DoubtResolved { step, attempt, rule, evidence, resolution, retry_at });
        let (order, verdict) = drive(&mut state, done);
        let expected = ("s1 s2 s3", Verdict::SucceededWithDeviations);
        assert_eq!((order.join(" ").as_str(), verdict), expected);
    }
}

#[test]
fn a_cancelled_run_makes_no_further_attempt() {
    let mut state = RunState::new(&created(plan(&[line(false), line(false)], 1))).unwrap();
    let step = started(&mut state, "s0");
    let (attempt, failure, retry_at) = (Attempt(1), Failure::transient("not now"), Timestamp::MAX);
    put(&mut state, RecordBody::AttemptFailed { step, attempt, failure, retry_at });
    put(&mut state, RecordBody::RunStopped { reason: StopReason::Interrupted });
    decided(&mut state, None, Decision::Cancel);
    assert_eq!(RunState::next(&state).retry, None);
    let (order, verdict) = drive(&mut state, done);
    assert_eq!((order.join(" ").as_str(), verdict), ("s2", Verdict::Cancelled));
    let statuses: Vec<_> = state.plan().indices().map(|at| state.status(at)).collect();
    assert_eq!(statuses, [Status::Cancelled, Status::Cancelled, Status::Succeeded]);
}

#[test]
fn a_step_that_waits_for_its_next_attempt_can_be_decided() {
    let done_by_hand = Decision::MarkDone { outputs: Outputs::new() };
    for (decision, expected) in [(Decision::Retry, "s0 s1"), (Decision::Skip, "s1"), (done_by_hand, "s1")] {
        let mut state = RunState::new(&created(plan(&[line(false), line(false)], 0))).unwrap();
        let step = started(&mut state, "s0");
        let (attempt, failure, retry_at) = (Attempt(1), Failure::transient("not now"), Timestamp::MAX);
        put(&mut state, RecordBody::AttemptFailed { step, attempt, failure, retry_at });
        put(&mut state, RecordBody::RunStopped { reason: StopReason::Interrupted });
        decided(&mut state, Some("s0"), decision);
        assert_eq!(drive(&mut state, done).0.join(" "), expected);
    }
}

#[test]
fn a_run_whose_doubts_are_decided_waits_for_nobody() {
    let mut state = RunState::new(&created(plan(&[line(false), line(false)], 0))).unwrap();
    let step = started(&mut state, "s0");
    let (attempt, cause) = (Attempt(1), "its driver ended".to_owned());
    put(&mut state, RecordBody::StepInDoubt { step: step.clone(), attempt, cause });
    let (rule, evidence, resolution) = (DoubtRule::OnUnknown, "nothing".to_owned(), Resolution::Ask);
    let doubt =
        RecordBody::DoubtResolved { step: step.clone(), attempt, rule, evidence, resolution, retry_at: None };
    put(&mut state, doubt);
    put(&mut state, RecordBody::RunStopped { reason: StopReason::NeedsPerson });
    let (actor, reason) = ("ada".to_owned(), "mended".to_owned());
    put(
        &mut state,
        RecordBody::OperatorDecided { step: Some(step), decision: Decision::Retry, actor, reason },
    );
    assert_eq!(state.phase(), Phase::Stopped(StopReason::Paused));
}

#[test]
fn what_no_driver_can_carry_out_is_remembered() {
    let first = created(plan(&[line(false), line(false)], 0));
    let mut state = RunState::new(&first).unwrap();
    assert_eq!(state.undriven(), None);
    let (actor, reason) = ("ada".to_owned(), "so".to_owned());
    put(&mut state, RecordBody::OperatorDecided { step: None, decision: Decision::Rollback, actor, reason });
    put(&mut state, RecordBody::RunStopped { reason: StopReason::Interrupted });
    assert_eq!(state.undriven(), Some(Undriven::Rollback));
    let steps = state.take_touched().into_iter().map(|at| (at, state.step_checkpoint(at)));
    let restored = RunState::restore(&first, state.run_checkpoint(), steps).unwrap();
    same(&state, &restored);
    assert_eq!(restored.undriven(), state.undriven());
}

#[test]
fn a_failure_that_stops_the_run_waits_for_a_decision_and_a_retry_that_is_due_does_not() {
    let mut state = RunState::new(&created(plan(&[line(false), line(true)], 1))).unwrap();
    let step = started(&mut state, "s0");
    assert!(state.undecided().is_empty() && !state.may_be_decided(&step));
    let (attempt, failure) = (Attempt(1), Failure::transient("not now"));
    let retry_at = Timestamp::MAX;
    put(&mut state, RecordBody::AttemptFailed { step: step.clone(), attempt, failure, retry_at });
    assert!(state.undecided().is_empty() && state.may_be_decided(&step));
    started_again(&mut state, &step);
    let end = StepEnd::Failed(Failure::permanent("no"));
    put(&mut state, RecordBody::StepFinished { step: step.clone(), attempt: Some(Attempt(2)), end });
    assert_eq!(state.undecided(), [StepIndex(0)]);
    assert!(state.may_be_decided(&step));
}

fn started_again(state: &mut RunState, step: &StepId) {
    let (step, attempt, key) = (step.clone(), Attempt(2), AttemptKey::of(state.run(), step));
    put(state, RecordBody::StepStarted { step, attempt, key, with: Value::Null });
}

#[test]
fn an_edit_that_a_person_has_accepted_is_remembered() {
    let first = created(plan(&[line(false)], 0));
    let mut state = RunState::new(&first).unwrap();
    let [accepted, other] = ["one text", "another"].map(|text| Digest::of(text.as_bytes()));
    decided(&mut state, None, Decision::KeepPinned { edited: accepted.as_str().to_owned() });
    assert!(state.keeps_pinned(&accepted) && !state.keeps_pinned(&other));
    let restored = RunState::restore(&first, state.run_checkpoint(), []).unwrap();
    assert!(restored.keeps_pinned(&accepted));
}
