//! The end of a drive: how it went, what was overridden, what to do now.

use std::fmt::Write as _;

use jiff::Timestamp;
use lifeboat_engine::{Drive, Left};
use lifeboat_model::event::not_rehearsed;
use lifeboat_model::record::{Mode, Verdict};
use lifeboat_model::run_state::Deviation;
use lifeboat_model::{RunState, Status, StepIndex, StepState};

use crate::args::OutputArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::next;
use crate::printed::Printed;
use crate::reporters::{because, tail};
use crate::table;
use crate::words::{self, BOLD, WARNING, count, elapsed, one_line};

/// Prints the summary and gives the exit code. `is_shown`: everything else there was to show was printed.
pub(crate) fn conclude(
    context: &Context,
    output: OutputArgs,
    drive: &Drive,
    is_shown: bool,
    printed: &Printed,
) -> Exit {
    let state = &drive.state;
    let mut is_shown = is_shown;
    if !output.json
        && let Err(error) = context.terminal.print_below_talk(&text(state, drive.left, printed))
    {
        // Where nothing can be printed, that was said before.
        if is_shown {
            tracing::warn!(%error, "the summary could not be printed");
        }
        is_shown = false;
    }
    context.terminal.say(&next::rendered(&next::of(context, state)));
    let exit = exit(output, drive);
    if output.strict && !is_shown { exit.unshown() } else { exit }
}

/// The exit code of a drive, should everything be shown.
pub(crate) fn exit(output: OutputArgs, drive: &Drive) -> Exit {
    let state = &drive.state;
    Exit::of_left(drive.left, state.mode(), not_rehearsed(state), output.strict)
}

fn text(state: &RunState, left: Left, printed: &Printed) -> String {
    let mut text = String::from("\n");
    let mut put = |line: String| writeln!(text, "{line}").expect("writing to a text");
    put(headline(state, left));
    put(format!("steps: {}", tally(state)));
    for line in objectives(state, left) {
        put(line);
    }
    for deviation in state.deviations() {
        put(in_words(deviation));
    }
    if state.mode() == Mode::DryRun {
        put(format!("\n{}", rehearsal(state).trim_end()));
    } else {
        for at in state.undecided() {
            put(undecided(state, at, printed).trim_end().to_owned());
        }
    }
    text
}

/// What was overridden or tolerated, by whom and why.
pub(crate) fn in_words(deviation: &Deviation) -> String {
    let Deviation { step, what, actor, reason, .. } = deviation;
    let step = step.as_ref().map(|step| format!("{step} ")).unwrap_or_default();
    let by = actor.as_ref().map(|actor| format!(" ({})", one_line(actor))).unwrap_or_default();
    format!("{WARNING}deviation:{WARNING:#} {step}{what}{by}: {}", one_line(reason))
}

fn headline(state: &RunState, left: Left) -> String {
    let (word, style) = match left {
        Left::Finished(verdict) => words::verdict_of(state, verdict),
        Left::Stopped(reason) => (words::stop(reason).into(), WARNING),
        Left::Abandoned => ("left at once".into(), WARNING),
    };
    let end = if left == Left::Abandoned { Timestamp::now() } else { state.updated_at() };
    let took = elapsed(state.created_at(), end);
    let name = state.plan().runbook();
    format!(
        "{style}{word}{style:#} after {took}: {BOLD}{name}{BOLD:#} ({}), {}",
        words::mode(state.mode()),
        state.run()
    )
}

/// How many steps are in which state, in the order in which a person wants to know.
pub(crate) fn tally(state: &RunState) -> String {
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
    let mut steps: Vec<_> = actions(state).map(|at| (place(at), words::step(state, at).0)).collect();
    steps.sort_unstable();
    let parts = steps.chunk_by(|a, b| a == b).map(|alike| format!("{} {}", alike.len(), alike[0].1));
    parts.collect::<Vec<_>>().join(", ")
}

/// The steps that call actions.
pub(crate) fn actions(state: &RunState) -> impl Iterator<Item = StepIndex> + '_ {
    state.plan().indices().filter(|at| state.plan().step(*at).action().is_some())
}

/// What the business expects, and what it got. The clock starts with the run.
fn objectives(state: &RunState, left: Left) -> Vec<String> {
    if state.mode() == Mode::DryRun {
        return Vec::new();
    }
    let objectives = state.plan().objectives();
    let took = state.updated_at().duration_since(state.created_at());
    let rto = objectives.rto.map(|rto| {
        let word = match (left, took <= rto) {
            (_, false) => "missed",
            (Left::Finished(Verdict::Succeeded | Verdict::SucceededWithDeviations), true) => "kept",
            (Left::Finished(Verdict::Cancelled | Verdict::RolledBack), true) => "not reached",
            // What it is about may still be brought to its end.
            (Left::Finished(Verdict::Failed | Verdict::Stuck) | Left::Stopped(_) | Left::Abandoned, true) => {
                "not yet missed"
            }
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
    let place = |at: &StepIndex| ORDER.iter().position(|status| *status == state.status(*at));
    let is_open = |at: &StepIndex| matches!(state.step(*at), StepState::Pending);
    steps.sort_by_key(|at| (is_open(at), place(at).unwrap_or(ORDER.len())));
    let row = |at: &StepIndex| {
        let (word, style) = words::step(state, *at);
        let why = because(state, *at).unwrap_or_default();
        [format!("{style}{word}{style:#}"), state.plan().step(*at).id.to_string(), why]
    };
    table::rendered(&steps.iter().map(row).collect::<Vec<_>>())
}

/// A step that needs a person, with all that is known about it.
pub(crate) fn undecided(state: &RunState, at: StepIndex, printed: &Printed) -> String {
    let (word, style) = words::step(state, at);
    let step = state.plan().step(at);
    let why = because(state, at).unwrap_or_default();
    let attempts = count(state.attempts(at) as usize, "attempt", "attempts");
    let tail = match state.step(at) {
        StepState::InDoubt { attempt, .. } => printed.tail(&step.id, *attempt),
        _ => tail(state, at).unwrap_or_default(),
    };
    format!("{style}{word}:{style:#} {} (line {}, {attempts}): {why}\n{tail}", step.id, step.line)
}
