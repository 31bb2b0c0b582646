//! One run as it is now, for people and for programs.

use jiff::Timestamp;
use lifeboat_model::event::{not_rehearsed, step_details};
use lifeboat_model::record::Mode;
use lifeboat_model::{Holder, NodeIndex, Phase, RunState, StepState};
use serde_json::{Map, Value, json};

use crate::describe_event::{because, took};
use crate::output_tail::OutputTails;
use crate::run_stage::RunStage;
use crate::sanitize::{clean, one_line};
use crate::state_words;
use crate::style::{BOLD, FAINT, WARNING};
use crate::units::{elapsed, moment};
use crate::{summary, table};

/// A run as an object for programs. `holder`: the process that drives it now.
pub fn as_json(state: &RunState, holder: Option<&Holder>) -> Value {
    let stage = RunStage::of(state.phase(), holder.is_some());
    let mut json = Map::new();
    let mut put = |key: &str, value: Value| {
        if !value.is_null() {
            json.insert(key.to_owned(), value);
        }
    };
    put("run", json!(state.run()));
    put("runbook", json!(state.plan().runbook()));
    put("title", json!(state.plan().title()));
    put("mode", json!(state.mode()));
    put("state", json!(stage.word));
    put("reason", json!(stage.reason));
    if let Phase::Finished(verdict) = state.phase() {
        put("verdict", json!(verdict));
    }
    if state.mode() == Mode::DryRun {
        put("not_rehearsed", json!(not_rehearsed(state)));
    }
    put("created", json!(state.created_at()));
    put("updated", json!(state.updated_at()));
    put("actor", json!(state.created().actor));
    put("digest", json!(state.plan().source().digest));
    put("seq", json!(state.seq()));
    put("holder", json!(holder));
    put("deviations", json!(state.deviations()));
    put("steps", state.nodes().into_iter().map(|at| step_as_json(state, at)).collect());
    Value::Object(json)
}

fn step_as_json(state: &RunState, at: NodeIndex) -> Value {
    let step = state.template(at);
    let mut json = Map::new();
    json.insert("id".to_owned(), json!(step.id));
    json.insert("path".to_owned(), json!(state.path(at)));
    json.insert("state".to_owned(), json!(state.status(at)));
    json.insert("attempts".to_owned(), json!(state.attempts(at)));
    json.insert("title".to_owned(), json!(step.title));
    if let Some(parent) = state.parent(at) {
        json.insert("block".to_owned(), json!(state.path(parent)));
    }
    if let Some(started) = state.started_at(at) {
        json.insert("started_at".to_owned(), json!(started));
    }
    if let StepState::Retrying { at: due, .. } = state.step(at) {
        json.insert("retry_at".to_owned(), json!(due));
    }
    json.extend(step_details(state, at).into_iter().filter(|(_, value)| !value.is_null()));
    Value::Object(json)
}

/// A run as a person reads it.
pub fn as_text(state: &RunState, holder: Option<&Holder>, now: Timestamp, tails: &OutputTails<'_>) -> String {
    let title = one_line(state.plan().title());
    let begun = format!("begun {} by {}", moment(state.created_at()), one_line(&state.created().actor));
    let mut text = format!(
        "{BOLD}{title}{BOLD:#}\n{}  {} ({})  {}\n{begun}, last record {} at {}\n",
        state.run(),
        state.plan().runbook(),
        state_words::mode(state.mode()),
        stage_in_words(state, holder),
        state.seq(),
        moment(state.updated_at()),
    );
    for deviation in state.deviations() {
        text.push_str(&format!("{}\n", summary::in_words(deviation)));
    }
    let rows: Vec<_> = summary::actions(state).map(|at| row(state, holder.map(|_| now), at)).collect();
    text.push_str(&format!("\n{}\n{}\n", table::rendered(&rows), summary::tally(state)));
    let is_in_doubt = |at: &NodeIndex| matches!(state.step(*at), StepState::InDoubt { .. });
    for at in state.indices().filter(is_in_doubt) {
        text.push_str(&format!("\n{}", summary::undecided(state, at, tails)));
    }
    text
}

/// `driven`: a process drives the run, and it is so late.
fn row(state: &RunState, driven: Option<Timestamp>, at: NodeIndex) -> [String; 4] {
    let (word, style) = state_words::step(state, at);
    let again = match state.attempts(at) {
        0 | 1 => String::new(),
        attempts => format!(" in {attempts} attempts"),
    };
    let took = so_far(state, driven, at).or_else(|| took(state, at)).unwrap_or_default();
    let mut why = because(state, at).unwrap_or_default();
    match state.step(at) {
        StepState::Retrying { at: due, .. } => why = format!("retry at {}: {why}", moment(due)),
        // All that is known of it is said below.
        StepState::InDoubt { asked: None, .. } => why = String::new(),
        _ => {}
    }
    let path = state.path(at).to_string();
    [format!("{style}{word}{style:#}"), path, format!("{FAINT}{took}{again}{FAINT:#}"), why]
}

/// For how long a step has been running that somebody drives.
fn so_far(state: &RunState, driven: Option<Timestamp>, at: NodeIndex) -> Option<String> {
    let now = driven.filter(|_| matches!(state.step(at), StepState::Running { .. }))?;
    Some(elapsed(state.started_at(at)?, now))
}

fn stage_in_words(state: &RunState, holder: Option<&Holder>) -> String {
    match (state.phase(), holder) {
        (Phase::Finished(verdict), _) => {
            let (word, style) = state_words::verdict_of(state, verdict);
            format!("{style}{word}{style:#}")
        }
        (_, Some(Holder { driver, since })) => {
            format!("driven by pid {} on {} since {}", driver.pid, clean(&driver.host), moment(*since))
        }
        (Phase::Running, None) => format!("{WARNING}its driver is gone{WARNING:#}"),
        (Phase::Stopped(reason), None) => format!("{WARNING}{}{WARNING:#}", state_words::stop(reason)),
    }
}
