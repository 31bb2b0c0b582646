//! Random histories of a run that are legal record by record: what a fuzzing driver might have written.

use lifeboat_engine::store::Draft;
use lifeboat_model::plan::Section;
use lifeboat_model::record::{Decision, DoubtRule, Resolution, StepEnd, StopReason, Verdict};
use lifeboat_model::{
    Attempt, Effort, Epoch, Failure, NodeIndex, Outcome, Outlook, Phase, Plan, Record, RecordBody, RunId,
    RunState, Seq, StepState,
};
use serde_json::{Map, Value, json};

use crate::samples;

/// One record of a history.
#[derive(Debug, Clone)]
pub struct Move {
    /// Whether another driver takes the run over to write it.
    pub takes_over: bool,
    /// The record to come.
    pub draft: Draft,
}

/// A run of `plan`, one choice a record after the first; shorter when the run ends for good.
pub fn history(run: &RunId, plan: Plan, choices: &[u16]) -> Vec<Move> {
    let first = samples::created(run, plan);
    let record = Record { seq: Seq(1), epoch: Epoch(1), at: first.at, body: first.body.clone() };
    let mut state = RunState::new(&record).expect("a legal first record");
    let mut moves = vec![Move { takes_over: false, draft: first }];
    for (second, choice) in (1..).zip(choices) {
        let Some((takes_over, body)) = choose(&state, *choice) else { break };
        let epoch = if takes_over { state.epoch().next() } else { state.epoch() };
        let draft = samples::draft(second, body);
        let record = Record { seq: state.seq().next(), epoch, at: draft.at, body: draft.body.clone() };
        state.apply(&record).unwrap_or_else(|error| panic!("bug in the generator: {error}: {record:?}"));
        moves.push(Move { takes_over, draft });
    }
    moves
}

fn choose(state: &RunState, choice: u16) -> Option<(bool, RecordBody)> {
    let mut moves = match state.phase() {
        Phase::Running => running(state, choice),
        Phase::Stopped(_) => vec![(true, resumed(choice))],
        Phase::Finished(Verdict::Failed) => decisions(state).into_iter().map(|body| (true, body)).collect(),
        Phase::Finished(_) => Vec::new(),
    };
    let at = usize::from(choice).checked_rem(moves.len())?;
    Some(moves.swap_remove(at))
}

fn running(state: &RunState, choice: u16) -> Vec<(bool, RecordBody)> {
    if let Outlook::Ends(verdict) = state.outlook() {
        return vec![(false, RecordBody::RunFinished { verdict })];
    }
    let mut bodies = vec![RecordBody::Note { text: format!("choice {choice}") }];
    let retries = state.due().map(|(_, at)| at);
    bodies.extend(state.next().start.into_iter().chain(retries).map(|at| started(state, at)));
    bodies.extend(state.indices().flat_map(|at| answers(state, at, choice)));
    bodies.extend(decisions(state));
    let mut moves: Vec<_> = bodies.into_iter().map(|body| (false, body)).collect();
    if choice.is_multiple_of(11) {
        let stopped = RecordBody::RunStopped { reason: StopReason::Interrupted };
        moves = if state.is_busy() { Vec::new() } else { vec![(false, stopped)] };
        moves.push((true, resumed(choice)));
    }
    moves
}

fn resumed(choice: u16) -> RecordBody {
    RecordBody::RunResumed { driver: samples::driver(u32::from(choice)), actor: "tester".to_owned() }
}

fn started(state: &RunState, at: NodeIndex) -> RecordBody {
    let (node, effort) = (state.path(at), Effort::Apply);
    let (attempt, key) = (Attempt(state.attempts(at) + 1), state.key(at, effort));
    RecordBody::StepStarted { node, effort, attempt, key, with: json!({}) }
}

/// What may be heard of a step that is going on or in doubt.
fn answers(state: &RunState, at: NodeIndex, choice: u16) -> Vec<RecordBody> {
    let node = state.path(at);
    let outcome = || Outcome { evidence: "seen".to_owned(), outputs: outputs(choice), warnings: Vec::new() };
    match state.step(at) {
        StepState::Running { attempt, .. } => {
            let end = |end| RecordBody::StepFinished { node: node.clone(), attempt: Some(attempt), end };
            vec![
                end(StepEnd::Succeeded(outcome())),
                end(StepEnd::Succeeded(Outcome::default())),
                end(StepEnd::InPlace {
                    evidence: "there".to_owned(),
                    outputs: Map::new(),
                    warnings: vec!["barely".to_owned()],
                }),
                end(StepEnd::Failed(Failure::permanent("no").caused_by(&std::fmt::Error))),
                RecordBody::StepInDoubt { node: node.clone(), attempt, cause: "the driver died".to_owned() },
                RecordBody::AttemptFailed {
                    node: node.clone(),
                    attempt,
                    failure: Failure::transient("not yet"),
                    retry_at: samples::at(i64::from(choice)),
                },
            ]
        }
        StepState::InDoubt { attempt, asked: None, .. } => {
            let resolutions = [
                Resolution::Done(outcome()),
                Resolution::Rerun,
                Resolution::Failed(Failure::unknown("?")),
                Resolution::Ask,
            ];
            let resolved = |resolution| RecordBody::DoubtResolved {
                node: node.clone(),
                attempt,
                rule: DoubtRule::Observed,
                evidence: "looked".to_owned(),
                retry_at: (resolution == Resolution::Rerun && choice.is_multiple_of(2))
                    .then(|| samples::at(i64::from(choice))),
                resolution,
            };
            resolutions.map(resolved).into()
        }
        _ => Vec::new(),
    }
}

/// What a person may say about steps in doubt and failures.
fn decisions(state: &RunState) -> Vec<RecordBody> {
    let decidable = |at: &NodeIndex| match state.step(*at) {
        StepState::InDoubt { asked, .. } => asked.is_some(),
        StepState::Failed { .. } => state.section(*at) == Section::Steps,
        _ => false,
    };
    let decided = |at: NodeIndex| {
        [Decision::Retry, Decision::Skip, Decision::MarkDone { outputs: Map::new() }].map(|decision| {
            let node = Some(state.path(at));
            RecordBody::OperatorDecided {
                node,
                decision,
                actor: "tester".to_owned(),
                reason: "so".to_owned(),
            }
        })
    };
    state.indices().filter(decidable).flat_map(decided).collect()
}

/// Outputs of between some and a good many thousand bytes.
fn outputs(choice: u16) -> Map<String, Value> {
    let text = "lag ".repeat(usize::from(choice) % 3000);
    Map::from_iter([("number".to_owned(), json!(choice)), ("text".to_owned(), json!(text))])
}
