//! The end of a drive: how it went, what was overridden, what waits for a decision.

use std::fmt::Write as _;

use jiff::Timestamp;
use lifeboat_model::record::{Mode, Verdict};
use lifeboat_model::run_state::Deviation;
use lifeboat_model::{NodeIndex, Phase, RunState, Status, StepState};

use crate::describe_event::{because, tail};
use crate::output_tail::OutputTails;
use crate::sanitize::one_line;
use crate::state_words;
use crate::style::{BOLD, WARNING};
use crate::table;
use crate::units::{count, elapsed};

/// The summary of a run that its driver let go of at this moment.
pub fn text(state: &RunState, now: Timestamp, tails: &OutputTails<'_>) -> String {
    let mut text = String::from("\n");
    let mut put = |line: String| writeln!(text, "{line}").expect("writing to a text");
    put(headline(state, now));
    put(format!("steps: {}", tally(state)));
    for line in objectives(state) {
        put(line);
    }
    for deviation in state.deviations() {
        put(in_words(deviation));
    }
    if state.mode() == Mode::DryRun {
        put(format!("\n{}", rehearsal(state).trim_end()));
    } else {
        for at in state.undecided() {
            put(undecided(state, at, tails).trim_end().to_owned());
        }
    }
    text
}

/// What was overridden or tolerated, by whom and why.
pub fn in_words(deviation: &Deviation) -> String {
    let Deviation { node, what, actor, reason, .. } = deviation;
    let step = node.as_ref().map(|node| format!("{node} ")).unwrap_or_default();
    let by = actor.as_ref().map(|actor| format!(" ({})", one_line(actor))).unwrap_or_default();
    format!("{WARNING}deviation:{WARNING:#} {step}{what}{by}: {}", one_line(reason))
}

fn headline(state: &RunState, now: Timestamp) -> String {
    let ((word, style), end) = match state.phase() {
        Phase::Finished(verdict) => (state_words::verdict_of(state, verdict), state.updated_at()),
        Phase::Stopped(reason) => ((state_words::stop(reason).into(), WARNING), state.updated_at()),
        Phase::Running => (("left at once".into(), WARNING), now),
    };
    let took = elapsed(state.created_at(), end);
    let name = state.plan().runbook();
    format!(
        "{style}{word}{style:#} after {took}: {BOLD}{name}{BOLD:#} ({}), {}",
        state_words::mode(state.mode()),
        state.run()
    )
}

/// How many steps are in which state, in the order in which a person wants to know.
pub fn tally(state: &RunState) -> String {
    const ORDER: [Status; 12] = [
        Status::Failed,
        Status::UndoFailed,
        Status::InDoubt,
        Status::Waiting,
        Status::Running,
        Status::NotRehearsed,
        Status::Succeeded,
        Status::InPlace,
        Status::Undone,
        Status::Skipped,
        Status::Cancelled,
        Status::Pending,
    ];
    let place = |at| ORDER.iter().position(|status| *status == state.status(at));
    let mut steps: Vec<_> = actions(state).map(|at| (place(at), state_words::step(state, at).0)).collect();
    steps.sort_unstable();
    let parts = steps.chunk_by(|a, b| a == b).map(|alike| format!("{} {}", alike.len(), alike[0].1));
    parts.collect::<Vec<_>>().join(", ")
}

/// The steps that call actions.
pub fn actions(state: &RunState) -> impl Iterator<Item = NodeIndex> + '_ {
    state.nodes().into_iter().filter(|at| state.template(*at).action().is_some())
}

/// What the business expects, and what it got. The clock starts with the run.
fn objectives(state: &RunState) -> Vec<String> {
    if state.mode() == Mode::DryRun {
        return Vec::new();
    }
    let objectives = state.plan().objectives();
    let took = state.updated_at().duration_since(state.created_at());
    let rto = objectives.rto.map(|rto| {
        let word = match (state.phase(), took <= rto) {
            (_, false) => "missed",
            (Phase::Finished(Verdict::Succeeded | Verdict::SucceededWithDeviations), true) => "kept",
            (Phase::Finished(Verdict::Cancelled | Verdict::RolledBack), true) => "not reached",
            // What it is about may still be brought to its end.
            (
                Phase::Finished(Verdict::Failed | Verdict::Stuck) | Phase::Stopped(_) | Phase::Running,
                true,
            ) => "not yet missed",
        };
        format!(
            "RTO {rto:#}: {word}, {} since the run began",
            elapsed(state.created_at(), state.updated_at())
        )
    });
    let rpo =
        objectives.rpo.map(|rpo| format!("RPO {rpo:#}: not measured by lifeboat; see the steps' evidence"));
    rto.into_iter().chain(rpo).collect()
}

/// What a dry run saw, the obstacles first, and last what it has not looked at.
fn rehearsal(state: &RunState) -> String {
    const ORDER: [Status; 5] =
        [Status::Failed, Status::NotRehearsed, Status::Pending, Status::InPlace, Status::Skipped];
    let mut steps: Vec<_> = actions(state).collect();
    let place = |at: &NodeIndex| ORDER.iter().position(|status| *status == state.status(*at));
    let is_open = |at: &NodeIndex| matches!(state.step(*at), StepState::Pending);
    steps.sort_by_key(|at| (is_open(at), place(at).unwrap_or(ORDER.len())));
    let row = |at: &NodeIndex| {
        let (word, style) = state_words::step(state, *at);
        let why = because(state, *at).unwrap_or_default();
        [format!("{style}{word}{style:#}"), state.path(*at).to_string(), why]
    };
    table::rendered(&steps.iter().map(row).collect::<Vec<_>>())
}

/// A step that needs a person, with all that is known about it.
pub fn undecided(state: &RunState, at: NodeIndex, tails: &OutputTails<'_>) -> String {
    let (word, style) = state_words::step(state, at);
    let (path, step) = (state.path(at), state.template(at));
    let why = because(state, at).unwrap_or_default();
    let attempts = count(state.attempts(at) as usize, "attempt", "attempts");
    let tail = match state.step(at) {
        StepState::InDoubt { attempt, .. } => tails(&path, attempt),
        _ => tail(state, at).unwrap_or_default(),
    };
    format!("{style}{word}:{style:#} {} (line {}, {attempts}): {why}\n{tail}", path, step.line)
}
