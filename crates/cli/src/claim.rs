//! Taking a run over, and writing a person's word down in it.

use jiff::Timestamp;
use lifeboat_display::state_words;
use lifeboat_engine::{Claim, Draft, Store as _, check_driven};
use lifeboat_model::record::{Decision, Verdict};
use lifeboat_model::{Event, Phase, Record, RecordBody, RunId, RunState, StepId, StepState};
use lifeboat_store::FileStore;

use crate::context::Context;
use crate::error::CliError;
use crate::{crash_point, folder, host, registry, secrets};

/// Takes a run over from whoever drove it last, and says what had to be mended. A run that is not over and that this
/// lifeboat cannot drive is let alone.
pub(crate) fn claim(context: &Context, store: &FileStore, run: &RunId) -> Result<Claim, CliError> {
    let claim = crash_point::over(store)?.claim(run, &host::driver());
    let claim = claim.map_err(|error| CliError::store(&context.spelling, run, error))?;
    for note in &claim.notes {
        context.terminal.note(note);
    }
    // Files of secrets are looked for there. Whether the run goes on without it is asked where it is driven.
    if let Err(error) = folder::enter(&claim.state) {
        tracing::debug!(%error, "cannot enter the folder of the run");
    }
    if may_go_on(claim.state.phase()) {
        check_driven(&claim.state).map_err(|error| CliError::engine(&context.spelling, run, error))?;
    }
    Ok(claim)
}

/// Whether a run may be driven or decided about: one that failed can be reopened.
pub(crate) fn may_go_on(phase: Phase) -> bool {
    match phase {
        Phase::Running | Phase::Stopped(_) | Phase::Finished(Verdict::Failed) => true,
        Phase::Finished(_) => false,
    }
}

/// Reads a reason from the command line. One that says nothing is none.
pub(crate) fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("it says nothing; write for whoever reads the journal why this is right"),
        reason => Ok(reason.to_owned()),
    }
}

/// Writes a person's word down, if it is legal, and folds it in; what was mended is written down before it. Secrets that
/// were typed with it are masked, as far as they can be looked up here.
pub(crate) fn decide(
    context: &Context,
    claim: &mut Claim,
    step: Option<StepId>,
    decision: Decision,
    reason: String,
) -> Result<Event, CliError> {
    let at = Timestamp::now();
    let notes = claim.notes.iter().map(|text| RecordBody::Note { text: text.clone() });
    let plan = claim.state.plan();
    let masker = secrets::at_hand(plan).masker().keeping(registry::registry().declared_outputs(plan));
    let (decision, reason) = (masker.masked(decision), masker.masked(reason));
    let word = RecordBody::OperatorDecided { step, decision, actor: context.actor(), reason };
    let mut state = claim.state.clone();
    let mut records = Vec::new();
    for body in notes.chain([word]) {
        let record = Record { seq: state.seq().next(), epoch: claim.epoch, at, body };
        state.apply(&record).map_err(|illegal| not_awaited(context, &claim.state, illegal.why))?;
        records.push(record);
    }
    let drafts = records.iter().map(|record| Draft { at, body: record.body.clone() }).collect();
    let appended = claim.journal.append(claim.state.seq().next(), claim.epoch, drafts);
    appended.map_err(|error| CliError::store(&context.spelling, state.run(), error))?;
    let event = records.last().and_then(|record| Event::of(record, &state));
    claim.state = state;
    claim.notes.clear();
    Ok(event.expect("bug: every decision is an event"))
}

/// A word that the run does not wait for.
pub(crate) fn not_awaited(context: &Context, state: &RunState, why: String) -> CliError {
    let run = state.run();
    let open =
        |step: &StepState| matches!(step, StepState::Running { .. } | StepState::InDoubt { asked: None, .. });
    let broken_off = state.plan().indices().any(|at| open(state.step(at)));
    let hint = match state.phase() {
        Phase::Running | Phase::Stopped(_) if broken_off => {
            format!(
                "its driver is gone; `{}` looks at what it left first",
                context.spelling.about("resume", run)
            )
        }
        Phase::Finished(verdict) => {
            let (word, _) = state_words::verdict_of(state, verdict);
            format!("the run is over ({word}); `{}` shows every step", context.spelling.about("status", run))
        }
        Phase::Running | Phase::Stopped(_) => {
            format!("`{}` shows every step", context.spelling.about("status", run))
        }
    };
    CliError::usage(why).hint(hint)
}
