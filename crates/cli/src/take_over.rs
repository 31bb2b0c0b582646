//! Runs that are taken over, and words of operators that are written down in them.

use lifeboat::{Lifeboat, MissingSecrets, NotDecided, TakenOver};
use lifeboat_display::state_words;
use lifeboat_model::record::Decision;
use lifeboat_model::{Event, NodePath, Phase, RunId, RunState, StepState};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;

/// Takes a run over from whoever drove it last, and says what had to be mended.
pub(crate) fn take_over(context: &Context, lifeboat: &Lifeboat, run: &RunId) -> Result<TakenOver, CliError> {
    let taken = lifeboat.take_over(run).map_err(|error| CliError::engine(&context.spelling, run, error))?;
    taken.notes().iter().for_each(|note| context.terminal.note(note));
    Ok(taken)
}

/// Writes a person's word down, if the run waits for it.
pub(crate) fn decide(
    context: &Context,
    taken: &mut TakenOver,
    step: Option<NodePath>,
    decision: Decision,
    reason: String,
) -> Result<Event, CliError> {
    taken.decide(step, decision, reason).map_err(|error| match error {
        NotDecided::NotAwaited(why) => not_awaited(context, taken.state(), why),
        NotDecided::Store(error) => CliError::store(&context.spelling, taken.run(), error),
    })
}

/// A word that the run does not wait for.
pub(crate) fn not_awaited(context: &Context, state: &RunState, why: String) -> CliError {
    let run = state.run();
    let open = |step: StepState<'_>| {
        matches!(step, StepState::Running { .. } | StepState::InDoubt { asked: None, .. })
    };
    let broken_off = state.indices().any(|at| open(state.step(at)));
    let about = |command| context.spelling.about(command, run);
    let hint = match state.phase() {
        Phase::Running | Phase::Stopped(_) if broken_off => {
            format!("its driver is gone; `{}` looks at what it left first", about("resume"))
        }
        Phase::Finished(verdict) => {
            let (word, _) = state_words::verdict_of(state, verdict);
            format!("the run is over ({word}); `{}` shows every step", about("status"))
        }
        Phase::Running | Phase::Stopped(_) => format!("`{}` shows every step", about("status")),
    };
    CliError::usage(why).hint(hint)
}

/// Secrets without which nothing is started.
pub(crate) fn missing_secrets(error: &MissingSecrets) -> CliError {
    CliError::new(Exit::Invalid, error.missing.join("\n       ")).hint("nothing was started")
}

/// Reads a reason from the command line. One that says nothing is none.
pub(crate) fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("it says nothing; write for whoever reads the journal why this is right"),
        reason => Ok(reason.to_owned()),
    }
}
