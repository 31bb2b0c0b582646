//! What can be done now: the exact commands.

use std::collections::BTreeMap;
use std::path::Path;

use lifeboat_display::next_commands::Next;
use lifeboat_model::record::{Mode, StopReason, Verdict};
use lifeboat_model::{Phase, RunState, Status, StepId, StepIndex};
use serde_json::Value;

use crate::claim::may_go_on;
use crate::context::Context;
use crate::needed::{self, Needed};
use crate::runbook;
use crate::shell_word::shell;

/// What can be done about a run that nobody drives.
pub(crate) fn of(context: &Context, state: &RunState) -> Vec<Next> {
    let about = |command: &str, what| Next { command: context.spelling.about(command, state.run()), what };
    if state.undriven().is_some() && may_go_on(state.phase()) {
        return vec![about("journal", "shows how it came to this; this lifeboat cannot drive it")];
    }
    match state.phase() {
        Phase::Running | Phase::Stopped(StopReason::Interrupted | StopReason::Paused) => {
            vec![about("resume", "goes on")]
        }
        Phase::Stopped(StopReason::NeedsPerson) => {
            let words = decisions(context, state);
            let then = about("resume", "goes on afterwards; at a terminal, it asks");
            words.into_iter().chain([then, cancel(context, state)]).collect()
        }
        Phase::Finished(Verdict::Failed) if state.mode() == Mode::DryRun => {
            vec![again(context, state, "drill", "rehearses again, once what is in the way is mended")]
        }
        Phase::Finished(Verdict::Failed) => {
            let words = decisions(context, state);
            words.into_iter().chain([about("resume", "goes on afterwards")]).collect()
        }
        Phase::Finished(_) if state.mode() == Mode::DryRun => {
            vec![again(context, state, "run", "does it")]
        }
        Phase::Finished(_) => vec![about("status", "shows every step")],
    }
}

/// Every word that the run waits for.
fn decisions(context: &Context, state: &RunState) -> Vec<Next> {
    let steps = state.undecided();
    let needed = if steps.is_empty() { BTreeMap::new() } else { needed::of_all(state.plan()) };
    steps.into_iter().flat_map(|at| about_step(context, state, at, &needed)).collect()
}

fn about_step(
    context: &Context,
    state: &RunState,
    at: StepIndex,
    needed: &BTreeMap<StepId, Needed>,
) -> [Next; 3] {
    let step = &state.plan().step(at).id;
    let word = |command: &str, what, options: &str| Next {
        command: format!(
            "{} --reason WHY{options}",
            context.spelling.command(&[command, state.run().as_str(), step.as_str()])
        ),
        what,
    };
    let outputs = needed.get(step).map(needed::options).unwrap_or_default();
    let skip = match outputs.as_str() {
        "" => word("skip", "goes on without it", ""),
        _ => word("skip", "goes on without it; what uses its outputs cannot start", " --anyway"),
    };
    let in_doubt = state.status(at) == Status::InDoubt;
    [
        word("retry", if in_doubt { "runs it again" } else { "runs it again, once its cause is mended" }, ""),
        skip,
        word("mark-done", "it was done by other means", &outputs),
    ]
}

fn cancel(context: &Context, state: &RunState) -> Next {
    let command = format!("{} --reason WHY", context.spelling.about("cancel", state.run()));
    Next { command, what: "ends the run; its `finally` steps still run" }
}

/// The same runbook with the same inputs, in another mode.
fn again(context: &Context, state: &RunState, command: &str, what: &'static str) -> Next {
    let file = runbook::pinned_path(state.plan()).map_or("FILE".into(), Path::to_string_lossy);
    let inputs: String = state
        .inputs()
        .iter()
        .map(|(name, value)| {
            let value = value.as_array().map_or_else(|| typed(value), |items| list(items));
            format!(" -i {}", shell(&format!("{name}={value}")))
        })
        .collect();
    Next { command: format!("{}{inputs}", context.spelling.command(&[command, &file])), what }
}

/// A value as the command line takes it.
fn typed(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A list as the command line takes it for an input: separated by commas.
fn list(items: &[Value]) -> String {
    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}
