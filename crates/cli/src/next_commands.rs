//! The commands that an operator can type now.

use lifeboat::{Before, Lifeboat, NextCommand, RequiredOutputs, next_commands};
use lifeboat_display::next_commands::{self as display, Next};
use lifeboat_model::record::Mode;
use lifeboat_model::{NodePath, RunState};
use serde_json::Value;

use crate::shell_word::shell;
use crate::spelling::Spelling;

/// What can be done about a run that nobody drives.
pub(crate) fn of(spelling: &Spelling, lifeboat: &Lifeboat, state: &RunState) -> Vec<Next> {
    next_commands(state, lifeboat.registry()).iter().flat_map(|next| spelled(spelling, state, next)).collect()
}

/// The same in lines for stderr.
pub(crate) fn rendered(spelling: &Spelling, lifeboat: &Lifeboat, state: &RunState) -> String {
    display::rendered(&of(spelling, lifeboat, state))
}

fn spelled(spelling: &Spelling, state: &RunState, next: &NextCommand) -> Vec<Next> {
    let run = state.run();
    let about = |command: &str, what| vec![Next { command: spelling.about(command, run), what }];
    match next {
        NextCommand::View => about("status", "shows every step"),
        NextCommand::ReadJournal => {
            about("journal", "shows how it came to this; this lifeboat cannot drive it")
        }
        NextCommand::Resume { after } => about(
            "resume",
            match after {
                Before::Nothing => "goes on",
                Before::Doubt => "goes on afterwards; at a terminal, it asks",
                Before::Failure => "goes on afterwards",
            },
        ),
        NextCommand::Decide { step, in_doubt, required } => {
            about_step(spelling, state, step, *in_doubt, required).into()
        }
        NextCommand::Cancel => {
            let command = format!("{} --reason WHY", spelling.about("cancel", run));
            vec![Next { command, what: "ends the run; its `finally` steps still run" }]
        }
        NextCommand::StartAgain { mode, file } => {
            let (command, what) = match mode {
                Mode::DryRun => ("drill", "rehearses again, once what is in the way is mended"),
                Mode::Live | Mode::Drill => ("run", "does it"),
            };
            let file = file.as_deref().map_or("FILE".into(), |file| file.to_string_lossy());
            let command = format!("{}{}", spelling.command(&[command, &file]), inputs(state));
            vec![Next { command, what }]
        }
    }
}

fn about_step(
    spelling: &Spelling,
    state: &RunState,
    step: &NodePath,
    in_doubt: bool,
    required: &RequiredOutputs,
) -> [Next; 3] {
    let word = |command: &str, what, options: &str| Next {
        command: format!(
            "{} --reason WHY{options}",
            spelling.command(&[command, state.run().as_str(), step.as_str()])
        ),
        what,
    };
    let skip = match required.is_empty() {
        true => word("skip", "goes on without it", ""),
        false => word("skip", "goes on without it; what uses its outputs cannot start", " --anyway"),
    };
    [
        word("retry", if in_doubt { "runs it again" } else { "runs it again, once its cause is mended" }, ""),
        skip,
        word("mark-done", "it was done by other means", &output_options(required)),
    ]
}

/// How outputs are given on the command line.
pub(crate) fn output_options(required: &RequiredOutputs) -> String {
    required.keys().map(|name| format!(" -o {name}=VALUE")).collect()
}

/// The inputs of a run, as options.
fn inputs(state: &RunState) -> String {
    let typed = |value: &Value| value.as_array().map_or_else(|| typed(value), |items| list(items));
    let pair =
        |(name, value): (&String, &Value)| format!(" -i {}", shell(&format!("{name}={}", typed(value))));
    state.inputs().iter().map(pair).collect()
}

/// A value as the command line takes it.
fn typed(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A list as the command line takes it for an input: separated by commas.
fn list(items: &[Value]) -> String {
    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}
