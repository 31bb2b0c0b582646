//! Random plans and random legal histories, and the invariants that must hold after every record.

mod loops;
mod plans;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use self::plans::{Sketch, act, plan, sketch};
use super::lane::Lane;
use super::*;
use crate::ids::Attempt;
use crate::node_path::ItemKey;
use crate::outcome::{Failure, Outcome};
use crate::plan::StepKind;
use crate::record::{Decision, DoubtRule, Item, Record, RecordBody, Resolution, StepEnd};

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

/// Every kind of record that may follow.
fn legal_records(state: &RunState, dice: &[u8]) -> Vec<RecordBody> {
    let next = RunState::next(state);
    let mut legal: Vec<_> = next.start.iter().flat_map(|at| beginnings(state, *at, dice)).collect();
    legal.extend(state.due().map(|(_, at)| due(state, at)));
    for at in state.indices() {
        legal.extend(answers(state, at, dice));
        if state.states[at.get()].lane == Lane::Stopping || state.states[at.get()].lane == Lane::Asking {
            legal.extend(words(state, at));
        }
    }
    if let Outlook::Ends(verdict) = state.outlook() {
        legal.push(RecordBody::RunFinished { verdict });
    }
    legal.retain(|body| state.allows(body).is_ok());
    legal
}

fn beginnings(state: &RunState, at: NodeIndex, dice: &[u8]) -> Vec<RecordBody> {
    let node = state.path(at);
    let skipped = StepEnd::Skipped { why: "no".to_owned() };
    let mut bodies = vec![RecordBody::StepFinished { node: node.clone(), attempt: None, end: skipped }];
    bodies.push(match &state.template(at).kind {
        StepKind::Action(_) => started(state, at, Effort::Apply),
        StepKind::Block { .. } | StepKind::Call { .. } => RecordBody::NodeOpened { node, inputs: Map::new() },
        StepKind::Loop(_) => RecordBody::LoopExpanded { node, items: items(1 + dice[1] % 5) },
    });
    // Most often it goes on.
    if !dice[2].is_multiple_of(8) {
        bodies.remove(0);
    }
    bodies
}

fn items(count: u8) -> crate::record::Items {
    let item = |n| Item { key: ItemKey::new(&format!("k{n}")).unwrap(), value: json!(n) };
    (0..count).map(item).collect()
}

fn started(state: &RunState, at: NodeIndex, effort: Effort) -> RecordBody {
    let (node, attempt) = (state.path(at), Attempt(state.attempts(at) + 1));
    RecordBody::StepStarted { node, effort, attempt, key: state.key(at, effort), with: Value::Null }
}

fn due(state: &RunState, at: NodeIndex) -> RecordBody {
    match state.nodes.expansion_of(at) {
        Some(of) => {
            RecordBody::BatchOpened { node: state.path(at), batch: state.loops[of.get()].progress.batch + 1 }
        }
        None => match state.step(at) {
            StepState::Retrying { effort, .. } => started(state, at, effort),
            other => panic!("{other:?} is due"),
        },
    }
}

/// What may be heard of a node that is going on or in doubt.
fn answers(state: &RunState, at: NodeIndex, dice: &[u8]) -> Vec<RecordBody> {
    let node = state.path(at);
    let failure = Failure::transient("no");
    match state.step(at) {
        StepState::Running { attempt, .. } => {
            let end = |end| RecordBody::StepFinished { node: node.clone(), attempt: Some(attempt), end };
            let (outcome, until) = (Outcome::default(), Timestamp::UNIX_EPOCH);
            vec![
                end(StepEnd::Succeeded(Outcome::default())),
                end(StepEnd::Succeeded(Outcome::default())),
                end(StepEnd::Failed(failure.clone())),
                RecordBody::AttemptFailed { node: node.clone(), attempt, failure, retry_at: until },
                RecordBody::StepInDoubt { node: node.clone(), attempt, cause: "killed".to_owned() },
                RecordBody::AttemptNoted { node: node.clone(), attempt, note: json!("before") },
                RecordBody::ChangeAccepted { node: node.clone(), attempt, outcome, until },
            ]
        }
        StepState::InDoubt { attempt, asked: None, .. } => {
            let resolutions = [
                Resolution::Rerun,
                Resolution::Ask,
                Resolution::Done(Outcome::default()),
                Resolution::Failed(failure),
            ];
            let resolved = |resolution| RecordBody::DoubtResolved {
                node: node.clone(),
                attempt,
                rule: DoubtRule::Observed,
                evidence: String::new(),
                retry_at: (resolution == Resolution::Rerun && dice[1].is_multiple_of(2))
                    .then_some(Timestamp::UNIX_EPOCH),
                resolution,
            };
            resolutions.map(resolved).into()
        }
        _ => Vec::new(),
    }
}

fn words(state: &RunState, at: NodeIndex) -> Vec<RecordBody> {
    let decided = |decision| RecordBody::OperatorDecided {
        node: Some(state.path(at)),
        decision,
        actor: "ada".to_owned(),
        reason: String::new(),
    };
    [Decision::Retry, Decision::Skip, Decision::MarkDone { outputs: Map::new() }].map(decided).into()
}

/// One legal record, picked by `dice` from all that may follow.
fn some_record(state: &RunState, dice: &[u8]) -> Option<RecordBody> {
    let mut legal = legal_records(state, dice);
    match state.phase() {
        Phase::Running if dice[1] < 8 && !state.is_busy() => {
            return Some(RecordBody::RunStopped { reason: StopReason::Interrupted });
        }
        Phase::Running if dice[1] == 9 => {
            return Some(RecordBody::RunResumed { driver: state.driver().clone(), actor: "bob".to_owned() });
        }
        Phase::Running if dice[1] > 253 => {
            let (actor, reason) = ("ada".to_owned(), String::new());
            return Some(RecordBody::OperatorDecided {
                node: None,
                decision: Decision::Cancel,
                actor,
                reason,
            });
        }
        Phase::Running => {}
        Phase::Stopped(_) => {
            return Some(RecordBody::RunResumed { driver: state.driver().clone(), actor: "bob".to_owned() });
        }
        Phase::Finished(_) => legal.retain(|body| matches!(body, RecordBody::OperatorDecided { .. })),
    }
    (!legal.is_empty()).then(|| legal.swap_remove(dice[0] as usize % legal.len()))
}

fn same(left: &RunState, right: &RunState) {
    for (at, (left_state, right_state)) in left.states.iter().zip(&right.states).enumerate() {
        assert_eq!(left_state, right_state, "node {at}, `{}`", left.path(NodeIndex(at as u32)));
    }
    assert_eq!(left.lanes, right.lanes);
    assert_eq!(left.loops, right.loops);
    assert_eq!(
        (left.counts, left.left, left.tally, left.in_effect),
        (right.counts, right.left, right.tally, right.in_effect)
    );
    assert_eq!(left.run_checkpoint(), right.run_checkpoint());
    assert_eq!(RunState::next(left), RunState::next(right));
    assert_eq!(left.outlook(), right.outlook());
}

proptest! {
    /// After every record of every history: the sets follow from the states, a checkpoint restores the state, every
    /// record out of place is refused without a trace, and a run that is not over can always go on.
    #[test]
    fn invariants_hold_after_every_record(
        sketches in proptest::collection::vec(sketch(), 1..4),
        finally in 0usize..3,
        dice in proptest::collection::vec(any::<[u8; 3]>(), 0..120),
    ) {
        let first = created(plan(&sketches, finally));
        let mut state = RunState::new(&first).unwrap();
        let mut checkpoints: std::collections::BTreeMap<NodeIndex, NodeCheckpoint> = Default::default();
        let mut loops = Vec::new();
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

            loops.extend(state.take_expanded());
            for at in state.take_touched() {
                checkpoints.insert(at, state.node_checkpoint(at));
            }
            let restored =
                RunState::restore(&first, state.run_checkpoint(), loops.clone(), checkpoints.clone()).unwrap();
            same(&state, &restored);

            if state.phase() == Phase::Running {
                what_is_offered_fits_the_outlook(&state);
                what_is_taken_is_not_offered_again(state.clone());
            }
        }
    }
}

fn what_is_offered_fits_the_outlook(state: &RunState) {
    let Next { start, resolve, due, ask } = RunState::next(state);
    let may_go_on = !start.is_empty() || !resolve.is_empty() || due.is_some() || state.is_busy();
    let (goes_on, asks) = match state.outlook() {
        Outlook::GoesOn => (true, !ask.is_empty()),
        Outlook::NeedsPerson => (false, true),
        Outlook::Ends(_) => (false, false),
        Outlook::Undoes => panic!("nothing is rolled back in {:#?}", state.states),
    };
    assert_eq!((may_go_on, !ask.is_empty()), (goes_on, asks), "{:?} in {:#?}", state.outlook(), state.states);
    let steps: Vec<_> = [start, resolve, ask].concat();
    assert!(steps.iter().all(|at| !state.nodes.is_template(*at)), "what is only a template is offered");
}

fn what_is_taken_is_not_offered_again(mut state: RunState) {
    let (outlook, Next { start, resolve, due, ask }) = (state.outlook(), RunState::next(&state));
    for at in start.iter().chain(&resolve).chain(&ask) {
        state.take(*at);
    }
    assert_eq!(RunState::next(&state), Next { due, ..Next::default() });
    assert_eq!(state.outlook(), outlook);
}

/// Drives a plan to its end with `end` for every step; answers the ids in the order in which they started.
fn drive(state: &mut RunState, mut end: impl FnMut(&str) -> StepEnd) -> (Vec<String>, Verdict) {
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
            let (node, attempt) = (state.path(at), Attempt(state.attempts(at) + 1));
            order.push(node.to_string());
            put(state, started(state, at, Effort::Apply));
            let end = end(node.as_str());
            put(state, RecordBody::StepFinished { node, attempt: Some(attempt), end });
        }
    }
}

fn done(_: &str) -> StepEnd {
    StepEnd::Succeeded(Outcome::default())
}

#[test]
fn finally_runs_after_a_failure_and_again_after_a_retry() {
    let mut state = RunState::new(&created(plan(&[act(false), act(false)], 1))).unwrap();
    let (order, verdict) = drive(&mut state, |step| match step {
        "s0" => StepEnd::Failed(Failure::permanent("no")),
        _ => done(step),
    });
    assert_eq!((order, verdict), (vec!["s0".to_owned(), "s2".to_owned()], Verdict::Failed));

    let retry = RecordBody::OperatorDecided {
        node: Some(path("s0")),
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
    let mut state = RunState::new(&created(plan(&[act(true), act(false)], 0))).unwrap();
    let (order, verdict) = drive(&mut state, |step| match step {
        "s0" => StepEnd::Failed(Failure::permanent("no")),
        _ => done(step),
    });
    assert_eq!((order.len(), verdict), (2, Verdict::SucceededWithDeviations));
    assert_eq!(state.deviations().len(), 1);
}

#[test]
fn an_older_epoch_is_refused() {
    let mut state = RunState::new(&created(plan(&[act(false)], 0))).unwrap();
    let resumed = RecordBody::RunResumed { driver: state.driver().clone(), actor: "bob".to_owned() };
    state.apply(&record(2, 2, resumed)).unwrap();
    let stale = state.apply(&record(3, 1, RecordBody::RunStopped { reason: StopReason::Interrupted }));
    assert_eq!(stale.unwrap_err().to_string(), "record 3 is not legal here: its epoch is 1, the run's is 2");
}

/// A person's word, and a driver that goes on with it.
fn decided(state: &mut RunState, step: Option<&str>, decision: Decision) {
    let (actor, reason) = ("ada".to_owned(), "mended".to_owned());
    let node = step.map(path);
    put(state, RecordBody::OperatorDecided { node, decision, actor, reason });
    let driver = state.driver().clone();
    put(state, RecordBody::RunResumed { driver, actor: "ada".to_owned() });
}

fn put(state: &mut RunState, body: RecordBody) {
    state.apply(&record(state.seq().0 + 1, state.epoch().0, body)).unwrap();
}

fn begun(state: &mut RunState, id: &str) -> NodePath {
    let at = state.find(&path(id)).unwrap();
    put(state, started(state, at, Effort::Apply));
    path(id)
}

fn path(text: &str) -> NodePath {
    NodePath::new(text).unwrap()
}

#[test]
fn finally_runs_again_after_a_retry_also_when_it_was_interrupted() {
    let mut state = RunState::new(&created(plan(&[act(false)], 2))).unwrap();
    for (id, end) in
        [("s0", StepEnd::Failed(Failure::permanent("no"))), ("s1", StepEnd::Succeeded(Outcome::default()))]
    {
        let node = begun(&mut state, id);
        put(&mut state, RecordBody::StepFinished { node, attempt: Some(Attempt(1)), end });
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
        let mut state = RunState::new(&created(plan(&[act(false), act(false)], 2))).unwrap();
        let node = begun(&mut state, "s0");
        let end = StepEnd::Failed(Failure::permanent("no"));
        put(&mut state, RecordBody::StepFinished { node, attempt: Some(Attempt(1)), end });
        let node = begun(&mut state, "s2");
        decided(&mut state, Some("s0"), Decision::Skip);
        assert_eq!(RunState::next(&state).start, [], "nothing starts beside what may still be going on");
        assert_eq!(state.outlook(), Outlook::GoesOn);

        let (rule, evidence, attempt) = (DoubtRule::Observed, "seen".to_owned(), Attempt(1));
        let retry_at = None;
        put(&mut state, RecordBody::DoubtResolved { node, attempt, rule, evidence, resolution, retry_at });
        let (order, verdict) = drive(&mut state, done);
        let expected = ("s1 s2 s3", Verdict::SucceededWithDeviations);
        assert_eq!((order.join(" ").as_str(), verdict), expected);
    }
}

#[test]
fn a_cancelled_run_makes_no_further_attempt() {
    let mut state = RunState::new(&created(plan(&[act(false), act(false)], 1))).unwrap();
    let node = begun(&mut state, "s0");
    let (attempt, failure, retry_at) = (Attempt(1), Failure::transient("not now"), Timestamp::MAX);
    put(&mut state, RecordBody::AttemptFailed { node, attempt, failure, retry_at });
    put(&mut state, RecordBody::RunStopped { reason: StopReason::Interrupted });
    decided(&mut state, None, Decision::Cancel);
    assert_eq!(RunState::next(&state).due, None);
    let (order, verdict) = drive(&mut state, done);
    assert_eq!((order.join(" ").as_str(), verdict), ("s2", Verdict::Cancelled));
    let statuses: Vec<_> = state.indices().map(|at| state.status(at)).collect();
    assert_eq!(statuses, [Status::Cancelled, Status::Cancelled, Status::Succeeded]);
}

#[test]
fn a_step_that_waits_for_its_next_attempt_can_be_decided() {
    let done_by_hand = Decision::MarkDone { outputs: Outputs::new() };
    for (decision, expected) in [(Decision::Retry, "s0 s1"), (Decision::Skip, "s1"), (done_by_hand, "s1")] {
        let mut state = RunState::new(&created(plan(&[act(false), act(false)], 0))).unwrap();
        let node = begun(&mut state, "s0");
        let (attempt, failure, retry_at) = (Attempt(1), Failure::transient("not now"), Timestamp::MAX);
        put(&mut state, RecordBody::AttemptFailed { node, attempt, failure, retry_at });
        put(&mut state, RecordBody::RunStopped { reason: StopReason::Interrupted });
        decided(&mut state, Some("s0"), decision);
        assert_eq!(drive(&mut state, done).0.join(" "), expected);
    }
}

#[test]
fn a_run_whose_doubts_are_decided_waits_for_nobody() {
    let mut state = RunState::new(&created(plan(&[act(false), act(false)], 0))).unwrap();
    let node = begun(&mut state, "s0");
    let (attempt, cause) = (Attempt(1), "its driver ended".to_owned());
    put(&mut state, RecordBody::StepInDoubt { node: node.clone(), attempt, cause });
    let (rule, evidence, resolution) = (DoubtRule::OnUnknown, "nothing".to_owned(), Resolution::Ask);
    let doubt =
        RecordBody::DoubtResolved { node: node.clone(), attempt, rule, evidence, resolution, retry_at: None };
    put(&mut state, doubt);
    put(&mut state, RecordBody::RunStopped { reason: StopReason::NeedsPerson });
    let (actor, reason) = ("ada".to_owned(), "mended".to_owned());
    put(
        &mut state,
        RecordBody::OperatorDecided { node: Some(node), decision: Decision::Retry, actor, reason },
    );
    assert_eq!(state.phase(), Phase::Stopped(StopReason::Paused));
}

#[test]
fn what_no_driver_can_carry_out_is_remembered() {
    let first = created(plan(&[act(false), act(false)], 0));
    let mut state = RunState::new(&first).unwrap();
    assert_eq!(state.undriven(), None);
    let (actor, reason) = ("ada".to_owned(), "so".to_owned());
    put(&mut state, RecordBody::OperatorDecided { node: None, decision: Decision::Rollback, actor, reason });
    put(&mut state, RecordBody::RunStopped { reason: StopReason::Interrupted });
    assert_eq!(state.undriven(), Some(Undriven::Rollback));
    let steps = state.take_touched().into_iter().map(|at| (at, state.node_checkpoint(at)));
    let restored = RunState::restore(&first, state.run_checkpoint(), [], steps).unwrap();
    same(&state, &restored);
    assert_eq!(restored.undriven(), state.undriven());
}

#[test]
fn a_failure_that_stops_the_run_waits_for_a_decision_and_a_retry_that_is_due_does_not() {
    let mut state = RunState::new(&created(plan(&[act(false), act(true)], 1))).unwrap();
    let node = begun(&mut state, "s0");
    assert!(state.undecided().is_empty() && !state.may_be_decided(&node));
    let (attempt, failure) = (Attempt(1), Failure::transient("not now"));
    let retry_at = Timestamp::MAX;
    put(&mut state, RecordBody::AttemptFailed { node: node.clone(), attempt, failure, retry_at });
    assert!(state.undecided().is_empty() && state.may_be_decided(&node));
    begun(&mut state, "s0");
    let end = StepEnd::Failed(Failure::permanent("no"));
    put(&mut state, RecordBody::StepFinished { node: node.clone(), attempt: Some(Attempt(2)), end });
    assert_eq!(state.undecided(), [NodeIndex(0)]);
    assert!(state.may_be_decided(&node));
}

#[test]
fn an_edit_that_a_person_has_accepted_is_remembered() {
    let first = created(plan(&[act(false)], 0));
    let mut state = RunState::new(&first).unwrap();
    let [accepted, other] = ["one text", "another"].map(|text| Digest::of(text.as_bytes()));
    decided(&mut state, None, Decision::KeepPinned { edited: accepted.as_str().to_owned() });
    assert!(state.keeps_pinned(&accepted) && !state.keeps_pinned(&other));
    let restored = RunState::restore(&first, state.run_checkpoint(), [], []).unwrap();
    assert!(restored.keeps_pinned(&accepted));
}
