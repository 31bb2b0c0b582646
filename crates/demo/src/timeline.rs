//! The journal told as a story: what happened when, counted from the start of the run.

use jiff::Timestamp;
use serde_json::Value;

use crate::history::{History, Line};

/// One line an event, with the moment at which the driver was killed put in where it belongs.
pub(crate) fn timeline(history: &History, killed: (u32, Timestamp)) -> Vec<String> {
    let Some(start) = history.lines.first().map(|line| line.at) else { return Vec::new() };
    let (pid, killed_at) = killed;
    let kill = (killed_at, format!("kill -9 {pid}: nobody drives the run"));
    let told = history.lines.iter().filter_map(|line| Some((line.at, tell(history, line)?)));
    let mut events: Vec<_> = told.chain([kill]).collect();
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(at, what)| format!("{:>6.2} s  {what}", seconds(start, at))).collect()
}

fn tell(history: &History, line: &Line) -> Option<String> {
    let about = |what: &str| format!("{:<24} {what}", line.step());
    let driver = || line.driver().unwrap_or_default();
    match line.kind.as_str() {
        "run_created" => Some(format!("process {} begins the run", driver())),
        "run_resumed" => Some(format!("process {} resumes the run", driver())),
        // What ended under the same driver needs one line only.
        "step_started" => history.doubt(line.step()).map(|_| about("starts")),
        "attempt_failed" => Some(about("not yet; is tried again")),
        "step_finished" => Some(about(&ending(&line.data["end"]))),
        "step_in_doubt" => Some(about("in doubt: started, and no end recorded")),
        "doubt_resolved" => Some(about(&resolution(&line.data))),
        "run_finished" => Some(format!("the run ends: {}", line.data["verdict"].as_str()?)),
        _ => None,
    }
}

fn ending(end: &Value) -> String {
    let evidence = |of: &Value| of["evidence"].as_str().unwrap_or_default().to_owned();
    match (end.get("succeeded"), end.get("in_place"), end.get("failed")) {
        (Some(outcome), _, _) => evidence(outcome),
        (_, Some(seen), _) => format!("in place already: {}", evidence(seen)),
        (_, _, Some(failure)) => {
            format!("failed: {}", failure["message"].as_str().unwrap_or_default())
        }
        (None, None, None) => end.to_string(),
    }
}

fn resolution(data: &Value) -> String {
    let evidence = data["evidence"].as_str().unwrap_or_default();
    let follows = match data["resolution"].as_object().and_then(|kind| kind.keys().next()) {
        Some(kind) if kind == "done" => "done",
        Some(_) | None => data["resolution"].as_str().unwrap_or("failed"),
    };
    match data["rule"].as_str().unwrap_or_default() {
        "observed" => format!("{follows}, by looking: {evidence}"),
        "recovered" => format!("{follows}, by its own trace: {evidence}"),
        rule => format!("{follows}, by rule {rule}: {evidence}"),
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
