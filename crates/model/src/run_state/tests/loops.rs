//! Loops, calls and undo, case by case.

use super::*;
use crate::record::Verdict;

fn each(max_parallel: u32, batches: &[u32], pause: bool, max_failures: u32, inside: Sketch) -> Sketch {
    Sketch::Each { max_parallel, batches: batches.to_vec(), pause, max_failures, inside: Box::new(inside) }
}

/// A run of a loop over so many items, and a step behind it.
fn looping(looped: Sketch, count: u8) -> RunState {
    let mut state = RunState::new(&created(plan(&[looped, act(false)], 0))).unwrap();
    put(&mut state, RecordBody::LoopExpanded { node: path("s0"), items: items(count) });
    state
}

fn offered(state: &RunState) -> Vec<String> {
    RunState::next(state).start.into_iter().map(|at| state.path(at).to_string()).collect()
}

fn ended(state: &mut RunState, node: &str, end: StepEnd) {
    let at = state.find(&path(node)).unwrap();
    let attempt = Some(Attempt(state.attempts(at)));
    put(state, RecordBody::StepFinished { node: path(node), attempt, end });
}

fn does(state: &mut RunState, node: &str) {
    begun(state, node);
    ended(state, node, StepEnd::Succeeded(Outcome::default()));
}

fn fails(state: &mut RunState, node: &str) {
    begun(state, node);
    ended(state, node, StepEnd::Failed(Failure::permanent("no")));
}

#[test]
fn so_many_items_go_on_at_a_time() {
    let mut state = looping(each(2, &[], false, 0, act(false)), 4);
    assert_eq!(offered(&state), ["s0[k0]", "s0[k1]"]);
    does(&mut state, "s0[k1]");
    assert_eq!(offered(&state), ["s0[k0]", "s0[k2]"]);
    begun(&mut state, "s0[k0]");
    put(
        &mut state,
        RecordBody::StepInDoubt { node: path("s0[k0]"), attempt: Attempt(1), cause: "?".to_owned() },
    );
    does(&mut state, "s0[k2]");
    assert_eq!(offered(&state), [""; 0], "an item in doubt counts against a budget of none");
}

#[test]
fn an_item_of_several_steps_goes_through_them() {
    let inside = Sketch::List { conditional: false, inside: vec![act(false), act(false)] };
    let mut state = looping(each(1, &[], false, 0, inside), 2);
    for node in ["s0[k0]/s2", "s0[k0]/s3", "s0[k1]/s2", "s0[k1]/s3"] {
        assert_eq!(offered(&state), [node]);
        does(&mut state, node);
    }
    assert_eq!(offered(&state), ["s4"]);
    assert_eq!(state.path(NodeIndex(state.states.len() as u32 - 1)).as_str(), "s0[k1]/s3");
    assert_eq!(state.visible(state.find(&path("s0[k1]/s3")), "s2"), state.find(&path("s0[k1]/s2")));
    assert_eq!(state.visible(state.find(&path("s4")), "s2"), None, "an item is not seen from outside");
    assert_eq!(state.visible(state.find(&path("s0[k1]/s3")), "s4"), state.find(&path("s4")));
}

#[test]
fn batches_pause_by_the_clock_of_the_records() {
    let mut state = looping(each(9, &[1, 2], true, 0, act(false)), 4);
    does(&mut state, "s0[k0]");
    assert_eq!(offered(&state), [""; 0]);
    let next = RunState::next(&state);
    assert_eq!(next.due, Some((state.updated_at() + SignedDuration::from_secs(1), NodeIndex(0))));
    put(&mut state, RecordBody::BatchOpened { node: path("s0"), batch: 1 });
    assert_eq!(offered(&state), ["s0[k1]", "s0[k2]"]);
    does(&mut state, "s0[k1]");
    does(&mut state, "s0[k2]");
    put(&mut state, RecordBody::BatchOpened { node: path("s0"), batch: 2 });
    does(&mut state, "s0[k3]");
    assert_eq!(offered(&state), ["s2"]);
}

#[test]
fn failures_within_the_budget_are_a_deviation() {
    let mut state = looping(each(1, &[], false, 1, act(false)), 3);
    fails(&mut state, "s0[k0]");
    does(&mut state, "s0[k1]");
    does(&mut state, "s0[k2]");
    assert_eq!(state.deviations().len(), 1);
    does(&mut state, "s2");
    assert_eq!(state.outlook(), Outlook::Ends(Verdict::SucceededWithDeviations));
    let retry = words(&state, state.find(&path("s0[k0]")).unwrap()).swap_remove(0);
    assert!(state.allows(&retry).unwrap_err().to_string().contains("within its budget"));
}

#[test]
fn failures_beyond_the_budget_end_the_loop_and_the_run_and_can_be_retried() {
    let mut state = looping(each(2, &[], false, 1, act(false)), 5);
    begun(&mut state, "s0[k1]");
    fails(&mut state, "s0[k0]");
    fails(&mut state, "s0[k2]");
    assert_eq!(offered(&state), [""; 0]);
    assert_eq!(state.outlook(), Outlook::GoesOn, "one item still goes on");
    ended(&mut state, "s0[k1]", StepEnd::Succeeded(Outcome::default()));
    assert_eq!(state.outlook(), Outlook::Ends(Verdict::Failed));
    put(&mut state, RecordBody::RunFinished { verdict: Verdict::Failed });

    decided(&mut state, Some("s0[k2]"), Decision::Retry);
    assert_eq!(offered(&state), ["s0[k2]", "s0[k3]"]);
    let (order, verdict) = drive(&mut state, done);
    assert_eq!(order, ["s0[k2]", "s0[k3]", "s0[k4]", "s2"]);
    assert_eq!(verdict, Verdict::SucceededWithDeviations);
}

#[test]
fn a_failure_stays_in_its_item() {
    let inside =
        Sketch::Parallel { conditional: false, inside: vec![(None, act(false)), (None, act(false))] };
    let mut state = looping(each(2, &[], false, 1, inside), 2);
    fails(&mut state, "s0[k0]/s2");
    assert_eq!(offered(&state), ["s0[k1]/s2", "s0[k1]/s3"], "nothing new starts in an item that failed");
}

#[test]
fn a_list_with_a_key_twice_is_refused() {
    let state = RunState::new(&created(plan(&[each(1, &[], false, 0, act(false))], 0))).unwrap();
    let item = items(1)[0].clone();
    for items in [vec![item.clone(), item], Vec::new()] {
        let body = RecordBody::LoopExpanded { node: path("s0"), items: items.into() };
        assert!(state.allows(&body).is_err());
    }
}

#[test]
fn an_undo_goes_the_way_of_every_effort_and_keeps_the_result() {
    let mut state = RunState::new(&created(plan(&[act(false)], 0))).unwrap();
    let node = begun(&mut state, "s0");
    put(
        &mut state,
        RecordBody::AttemptNoted { node: node.clone(), attempt: Attempt(1), note: json!("was b") },
    );
    let outputs = Map::from_iter([("lag".to_owned(), json!(3))]);
    let outcome = Outcome { evidence: "primary".to_owned(), outputs, ..Outcome::default() };
    ended(&mut state, "s0", StepEnd::Succeeded(outcome));
    let at = NodeIndex(0);
    assert_eq!(state.footprint(at), Footprint::Full);
    assert!(state.allows(&started(&state, at, Effort::Undo)).is_err(), "nobody rolls back");

    decided(&mut state, None, Decision::Rollback);
    assert_eq!(state.outlook(), Outlook::Undoes);
    let undo = started(&state, at, Effort::Undo);
    let RecordBody::StepStarted { key, .. } = &undo else { unreachable!() };
    assert!(key.0.ends_with("/s0#1-undo"), "{key}");
    put(&mut state, undo);
    let driver = state.driver().clone();
    put(&mut state, RecordBody::RunResumed { driver, actor: "bob".to_owned() });
    assert!(matches!(state.step(at), StepState::InDoubt { effort: Effort::Undo, .. }));
    put(
        &mut state,
        RecordBody::DoubtResolved {
            node: node.clone(),
            attempt: Attempt(2),
            rule: DoubtRule::Observed,
            evidence: "still primary".to_owned(),
            resolution: Resolution::Rerun,
            retry_at: None,
        },
    );
    assert_eq!(state.notes(at), [json!("was b")]);
    let again = started(&state, at, Effort::Undo);
    put(&mut state, again);
    ended(&mut state, "s0", StepEnd::Succeeded(Outcome::default()));
    assert_eq!((state.footprint(at), state.status(at)), (Footprint::TakenBack, Status::Undone));
    assert_eq!(state.outputs(at).unwrap()["lag"], 3, "what it had done is still known");
    assert_eq!(state.outlook(), Outlook::Ends(Verdict::RolledBack));
}
