//! `lifeboat status`

use jiff::Timestamp;
use lifeboat_engine::{Loaded, Store as _};
use lifeboat_model::event::{not_rehearsed, step_details};
use lifeboat_model::record::Mode;
use lifeboat_model::{Holder, Phase, RunState, StepIndex, StepState};
use serde_json::{Map, Value, json};

use super::print;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::pick::{self, Fits};
use crate::printed::Printed;
use crate::reporters::{because, took};
use crate::words::{self, BOLD, FAINT, WARNING, clean, elapsed, moment, one_line};
use crate::{next, secrets, summary, table};

/// Show a run as it is now
///
/// Takes no lock: it can be asked at any time, also while another process drives the run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run, by the beginning of its id; otherwise the newest
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let store = context.store()?;
    let run = pick::run(context, &store, args.run.as_deref(), Fits::Any)?;
    let mut loaded = store.load(&run).map_err(|error| CliError::store(context, &run, error))?;
    if loaded.holder.is_none() {
        loaded.state.driver_is_gone();
    }
    for note in &loaded.notes {
        context.terminal.say(&format!("{WARNING}warning:{WARNING:#} {}\n", clean(note)));
    }
    if args.json {
        print(context, &format!("{}\n", as_json(&loaded)))?;
    } else {
        let printed = Printed::new(store.steps_folder(&run), &secrets::of_run(&loaded.state));
        print(context, &as_text(&loaded, &printed))?;
        if loaded.holder.is_none() {
            let shown = context.about("status", &run);
            let next: Vec<_> = next::of(context, &loaded.state);
            let other: Vec<_> = next.into_iter().filter(|next| next.command != shown).collect();
            context.terminal.say(&next::rendered(&other));
        }
    }
    Ok(Exit::Done)
}

/// How far a run is, in the words of programs, and why it stands still.
fn stage(phase: Phase, holder: Option<&Holder>) -> (&'static str, Option<&'static str>) {
    match (phase, holder) {
        (Phase::Finished(_), _) => ("finished", None),
        (Phase::Running, Some(_)) => ("running", None),
        (Phase::Running, None) => ("stopped", Some("driver_gone")),
        // Whoever holds it is about to go on.
        (Phase::Stopped(_), Some(_)) => ("running", None),
        (Phase::Stopped(reason), None) => ("stopped", Some(reason.as_str())),
    }
}

fn as_json(loaded: &Loaded) -> Value {
    let state = &loaded.state;
    let (stage, reason) = stage(state.phase(), loaded.holder.as_ref());
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
    put("state", json!(stage));
    put("reason", json!(reason));
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
    put("holder", json!(loaded.holder));
    put("deviations", json!(state.deviations()));
    put("steps", state.plan().indices().map(|at| step_as_json(state, at)).collect());
    Value::Object(json)
}

fn step_as_json(state: &RunState, at: StepIndex) -> Value {
    let step = state.plan().step(at);
    let mut json = Map::new();
    json.insert("id".to_owned(), json!(step.id));
    json.insert("state".to_owned(), json!(state.status(at)));
    json.insert("attempts".to_owned(), json!(state.attempts(at)));
    json.insert("title".to_owned(), json!(step.title));
    if let Some(parent) = step.parent {
        json.insert("block".to_owned(), json!(state.plan().step(parent).id));
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

fn as_text(loaded: &Loaded, printed: &Printed) -> String {
    let state = &loaded.state;
    let title = one_line(state.plan().title());
    let begun = format!("begun {} by {}", moment(state.created_at()), one_line(&state.created().actor));
    let mut text = format!(
        "{BOLD}{title}{BOLD:#}\n{}  {} ({})  {}\n{begun}, last record {} at {}\n",
        state.run(),
        state.plan().runbook(),
        words::mode(state.mode()),
        stage_in_words(loaded),
        state.seq(),
        moment(state.updated_at()),
    );
    for deviation in state.deviations() {
        text.push_str(&format!("{}\n", summary::in_words(deviation)));
    }
    let rows: Vec<_> = summary::actions(state).map(|at| row(loaded, at)).collect();
    text.push_str(&format!("\n{}\n{}\n", table::rendered(&rows), summary::tally(state)));
    let is_in_doubt = |at: &StepIndex| matches!(state.step(*at), StepState::InDoubt { .. });
    for at in state.plan().indices().filter(is_in_doubt) {
        text.push_str(&format!("\n{}", summary::undecided(state, at, printed)));
    }
    text
}

fn row(loaded: &Loaded, at: StepIndex) -> [String; 4] {
    let state = &loaded.state;
    let (word, style) = words::step(state, at);
    let again = match state.attempts(at) {
        0 | 1 => String::new(),
        attempts => format!(" in {attempts} attempts"),
    };
    let took = so_far(loaded, at).or_else(|| took(state, at)).unwrap_or_default();
    let mut why = because(state, at).unwrap_or_default();
    match state.step(at) {
        StepState::Retrying { at: due, .. } => why = format!("retry at {}: {why}", moment(*due)),
        // All that is known of it is said below.
        StepState::InDoubt { asked: None, .. } => why = String::new(),
        _ => {}
    }
    let step = state.plan().step(at);
    [format!("{style}{word}{style:#}"), step.id.to_string(), format!("{FAINT}{took}{again}{FAINT:#}"), why]
}

/// For how long a step has been running that somebody drives.
fn so_far(loaded: &Loaded, at: StepIndex) -> Option<String> {
    let is_running = loaded.holder.is_some() && matches!(loaded.state.step(at), StepState::Running { .. });
    loaded.state.started_at(at).filter(|_| is_running).map(|start| elapsed(start, Timestamp::now()))
}

fn stage_in_words(loaded: &Loaded) -> String {
    match (loaded.state.phase(), &loaded.holder) {
        (Phase::Finished(verdict), _) => {
            let (word, style) = words::verdict_of(&loaded.state, verdict);
            format!("{style}{word}{style:#}")
        }
        (_, Some(Holder { driver, since })) => {
            format!("driven by pid {} on {} since {}", driver.pid, clean(&driver.host), moment(*since))
        }
        (Phase::Running, None) => format!("{WARNING}its driver is gone{WARNING:#}"),
        (Phase::Stopped(reason), None) => format!("{WARNING}{}{WARNING:#}", words::stop(reason)),
    }
}
