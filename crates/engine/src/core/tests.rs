//! What deciding costs when the inputs come one at a time, as from a world that answers slowly: it must grow with what
//! changes, not with what is under way. Counted in passes and in steps, so that a slow machine does not matter.

use std::fmt::Write as _;

use lifeboat_model::record::{Decision, DoubtRule, Resolution, RunCreated, StepEnd};
use lifeboat_model::{Outcome, RunId};
use lifeboat_testkit::World;
use lifeboat_testkit::runs::plan;

use super::*;
use crate::job::AttemptEnd;
use crate::person::Answer;

const STEPS: usize = 500;
/// Passes and steps for each step over its whole life. Were every pass to go over every step, it would be hundreds.
const WORK: usize = 8;

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn driver(pid: u32) -> Driver {
    Driver { pid, host: "here".to_owned(), boot: None, version: "0".to_owned() }
}

/// The first record of a run whose steps may all start at once.
fn first(mode: Mode) -> Record {
    let mut text = "runbook: wide\nsteps:\n".to_owned();
    for number in 0..STEPS {
        let step = "action: fake.set, with: { name: a, value: x }, retry: { attempts: 2 }";
        writeln!(text, "  - {{ id: s{number}, needs: [], {step} }}").expect("writing to a text");
    }
    let created = RunCreated {
        run: RunId::new("run_01jdxk3w5v8h3m4n5p6q7r8s9t").unwrap(),
        mode,
        plan: plan(&World::default().registry(), &text),
        inputs: Map::new(),
        actor: "ada".to_owned(),
        driver: driver(1),
        folder: None,
        plugins: BTreeMap::new(),
    };
    Record { seq: Seq(1), epoch: Epoch(1), at: now(), body: RecordBody::RunCreated(Arc::new(created)) }
}

fn create(mode: Mode) -> Core {
    let (core, _response) = Core::create(first(mode), Map::new()).unwrap();
    core
}

/// A core that took over while every step ran.
fn resume() -> Core {
    let state = create(Mode::Live).state;
    let resumed = Resumed { driver: driver(2), actor: "ada".to_owned(), notes: Vec::new() };
    let (core, _response) = Core::resume(state, Epoch(2), Map::new(), now(), resumed);
    core
}

/// Each step's input, each decided by itself.
fn one_by_one(core: &mut Core, input: impl Fn(NodeIndex) -> Input) {
    let steps: Vec<_> = core.state.indices().collect();
    for at in steps {
        let mut response = Response::default();
        core.handle(now(), input(at), &mut response);
        core.settle(now(), &mut response);
    }
}

#[track_caller]
fn assert_cheap(core: &Core) {
    assert!(core.work <= WORK * STEPS, "{} passes and steps for {STEPS} steps", core.work);
}

fn looked(at: NodeIndex, resolution: Resolution) -> Input {
    let finding = Finding { rule: DoubtRule::Observed, evidence: "seen".to_owned(), resolution };
    Input::Looked { at, attempt: Attempt(1), finding }
}

#[test]
fn a_rehearsal() {
    let mut core = create(Mode::DryRun);
    one_by_one(&mut core, |at| Input::Rehearsed {
        at,
        observation: Observation::in_place("there", Map::new()),
    });
    assert_eq!(core.left, Some(Left::Finished(Verdict::Succeeded)));
    assert_cheap(&core);
}

#[test]
fn many_doubts() {
    let mut core = resume();
    one_by_one(&mut core, |at| looked(at, Resolution::Done(Outcome::default())));
    assert_eq!(core.left, Some(Left::Finished(Verdict::Succeeded)));
    assert_cheap(&core);
}

#[test]
fn many_questions() {
    let mut core = resume();
    one_by_one(&mut core, |at| looked(at, Resolution::Ask));
    assert_cheap(&core);
    let answer = || Answer { decision: Decision::Skip, actor: "ada".to_owned(), reason: "no".to_owned() };
    one_by_one(&mut core, |at| Input::Answered { at, answer: Some(answer()) });
    assert_eq!(core.left, Some(Left::Finished(Verdict::SucceededWithDeviations)));
    assert_cheap(&core);
}

#[test]
fn many_retries() {
    let mut core = create(Mode::Live);
    let failed = || AttemptEnd::Failed(Failure::transient("not now"));
    one_by_one(&mut core, |at| Input::Ended { at, attempt: Attempt(1), end: failed() });
    let mut response = Response::default();
    core.handle(now(), Input::Woken, &mut response);
    core.settle(now() + jiff::SignedDuration::from_secs(1), &mut response);
    assert_eq!(response.acts.len(), STEPS);
    let done = || AttemptEnd::Step(StepEnd::Succeeded(Outcome::default()));
    one_by_one(&mut core, |at| Input::Ended { at, attempt: Attempt(2), end: done() });
    assert_eq!(core.left, Some(Left::Finished(Verdict::Succeeded)));
    assert_cheap(&core);
}
