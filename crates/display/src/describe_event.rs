//! Events and the states of steps in words, a line each.

use lifeboat_model::event::rests_on;
use lifeboat_model::outcome::{Change, Without};
use lifeboat_model::record::Mode;
use lifeboat_model::{
    Event, EventKind, Failure, Harmlessness, NodeIndex, NodePath, Observation, Outcome, Phase, RunState,
    Status, StepState,
};
use serde_json::Value;

use crate::sanitize::{clean, one_line};
use crate::state_words;
use crate::units::{count, elapsed};

/// What happened, in one line.
pub fn in_words(event: &Event, state: &RunState) -> String {
    match &event.kind {
        EventKind::RunCreated => created(state),
        EventKind::RunResumed { actor } => format!("resumed by {}", one_line(actor)),
        EventKind::StepStarted | EventKind::UndoStarted => started(event, state),
        EventKind::StepProgress { message } => one_line(message),
        EventKind::StepFinished { status } | EventKind::UndoFinished { status } => {
            finished(event.step.as_ref(), *status, state)
        }
        EventKind::StepInDoubt { cause } => format!("in doubt: {}", one_line(cause)),
        EventKind::DoubtResolved { data } => doubt_resolved(data),
        EventKind::GateOpened { question, .. } => format!("waiting: {}", one_line(question)),
        EventKind::GateDecided { data } => {
            format!("gate {}: {}", text(data, "decision"), text(data, "why"))
        }
        EventKind::OperatorDecided { decision, actor, reason } => {
            format!("{decision} by {}: {}", one_line(actor), one_line(reason))
        }
        EventKind::GuardTripped { data } => {
            format!("guard {} tripped: {}", text(data, "guard"), text(data, "evidence"))
        }
        EventKind::RunStopped { reason } => format!("stopped: {}", reason.replace('_', " ")),
        EventKind::RunFinished { verdict } => {
            let took = elapsed(state.created_at(), event.at);
            let word = match state.phase() {
                Phase::Finished(verdict) => state_words::verdict_of(state, verdict).0,
                Phase::Running | Phase::Stopped(_) => verdict.replace('_', " ").into(),
            };
            format!("finished: {word} after {took}")
        }
    }
}

fn created(state: &RunState) -> String {
    let plan = state.plan();
    let steps = plan.steps().iter().filter(|step| step.action().is_some()).count();
    format!(
        "{} created: {} ({}), {}, by {}",
        state.run(),
        one_line(plan.title()),
        state_words::mode(state.mode()),
        count(steps, "step", "steps"),
        one_line(&state.created().actor),
    )
}

fn started(event: &Event, state: &RunState) -> String {
    let verb = if event.kind == EventKind::UndoStarted { "undo started" } else { "started" };
    let again = event.attempt.filter(|attempt| attempt.0 > 1);
    let again = again.map(|attempt| format!(", attempt {attempt}")).unwrap_or_default();
    let at = event.step.as_ref().and_then(|step| state.find(step));
    let title = at.map(|at| state.template(at)).filter(|step| step.title != step.id.as_str());
    let title = title.map(|step| format!(": {}", one_line(&step.title))).unwrap_or_default();
    format!("{verb}{again}{title}")
}

fn finished(step: Option<&NodePath>, status: Status, state: &RunState) -> String {
    let (word, _) = state_words::status(status, state.mode());
    let Some(at) = step.and_then(|step| state.find(step)) else { return word.to_owned() };
    let took = took(state, at).map(|took| format!(" after {took}")).unwrap_or_default();
    let because = because(state, at).map(|why| format!(": {why}")).unwrap_or_default();
    format!("{word}{took}{because}")
}

/// How long a step took that was begun and is over.
pub fn took(state: &RunState, at: NodeIndex) -> Option<String> {
    match (state.started_at(at), state.ended_at(at)) {
        (Some(start), Some(end)) if state.mode() != Mode::DryRun => Some(elapsed(start, end)),
        _ => None,
    }
}

fn doubt_resolved(data: &Value) -> String {
    let (rule, evidence) = (text(data, "rule"), text(data, "evidence"));
    let resolution = match data.get("resolution") {
        Some(Value::String(word)) if word == "rerun" => "it runs again",
        Some(Value::String(word)) if word == "ask" => "a person has to decide",
        Some(Value::Object(map)) if map.contains_key("done") => "it is done",
        Some(Value::Object(map)) if map.contains_key("failed") => "it failed",
        _ => "see the journal",
    };
    let warnings = data.pointer("/resolution/done/warnings").and_then(Value::as_array);
    let warnings: Vec<_> = warnings.into_iter().flatten().filter_map(Value::as_str).map(one_line).collect();
    format!("doubt resolved: {resolution} (rule {rule}): {}", warned(&evidence, &warnings))
}

fn text(data: &Value, key: &str) -> String {
    one_line(data.get(key).and_then(Value::as_str).unwrap_or_default()).replace('_', " ")
}

/// What shows that a step is in its state, in one line.
pub fn because(state: &RunState, at: NodeIndex) -> Option<String> {
    let why = match state.step(at) {
        StepState::Done { outcome: Outcome { evidence, warnings, .. }, .. } => warned(evidence, warnings),
        StepState::Skipped { why } | StepState::Cancelled { why } => why.to_owned(),
        StepState::Failed { failure }
        | StepState::UndoFailed { failure }
        | StepState::Retrying { failure, .. } => failure.to_string(),
        StepState::InDoubt { cause, asked: None, .. } => cause.to_owned(),
        StepState::InDoubt { cause, asked: Some(evidence), .. } => {
            format!("{cause}; looking showed: {evidence}")
        }
        StepState::Waiting(gate) => gate.question.clone(),
        StepState::Undone { evidence } => evidence.to_owned(),
        StepState::Rehearsed { observation, without } => {
            let seen = rehearsed(observation, without);
            match rests_on(state, at) {
                Some(Harmlessness::Vouched) => format!("{seen}; by the author's word"),
                Some(Harmlessness::Proven | Harmlessness::Unvouched) | None => seen,
            }
        }
        StepState::Pending | StepState::Open | StepState::Over | StepState::Running { .. } => return None,
    };
    Some(one_line(&why)).filter(|why| !why.is_empty())
}

fn rehearsed(observation: &Observation, without: &Without) -> String {
    let seen = match observation {
        Observation::InPlace { evidence, warnings, .. } => warned(evidence, warnings),
        Observation::Pending { change: Change { before, after } } => format!("{before} → {after}"),
        Observation::Blocked { why } | Observation::Unknown { why } => why.clone(),
    };
    let names: Vec<_> = without.keys().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { seen } else { format!("{seen}; not known: {}", names.join(", ")) }
}

fn warned(evidence: &str, warnings: &[String]) -> String {
    let warnings = warnings.iter().map(|warning| format!("warning: {warning}"));
    let parts = std::iter::once(evidence.to_owned()).chain(warnings).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("; ")
}

/// The end of what a failed operation printed, for the event of its failure.
pub(crate) fn tail_of(event: &Event, state: &RunState) -> Option<String> {
    match event.kind {
        EventKind::StepFinished { status: Status::Failed } => tail(state, state.find(event.step.as_ref()?)?),
        _ => None,
    }
}

/// The end of what a failed step's operation printed, set off by bars.
pub fn tail(state: &RunState, at: NodeIndex) -> Option<String> {
    let StepState::Failed { failure: Failure { tail: Some(tail), .. } } = state.step(at) else {
        return None;
    };
    let tail = clean(tail.trim_end());
    (!tail.is_empty()).then(|| tail.lines().map(|line| format!("  | {line}\n")).collect())
}
