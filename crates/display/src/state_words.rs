//! The states of steps and runs in words, and how they look.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use lifeboat_model::event::not_rehearsed;
use lifeboat_model::record::{Mode, StopReason, Verdict};
use lifeboat_model::{Header, NodeIndex, Phase, RunState, Status, StepState};

use crate::style::{ERROR, FAINT, GOOD, WARNING};
use crate::units::count;

/// A step's state in words, and how they look. What a dry run has not looked at yet is not known to change anything.
pub fn step(state: &RunState, at: NodeIndex) -> (&'static str, Style) {
    match (state.step(at), state.mode()) {
        (StepState::Pending, Mode::DryRun) => ("not looked at", FAINT),
        (_, mode) => status(state.status(at), mode),
    }
}

/// The state of a step that something happened to in words, and how they look.
pub fn status(status: Status, mode: Mode) -> (&'static str, Style) {
    match (status, mode) {
        (Status::Pending, Mode::DryRun) => ("would change", AnsiColor::Cyan.on_default()),
        (Status::Failed, Mode::DryRun) => ("blocked", ERROR),
        (Status::Pending, _) => ("pending", FAINT),
        (Status::Running, _) => ("running", AnsiColor::Cyan.on_default()),
        (Status::Waiting, _) => ("waiting", WARNING),
        (Status::Succeeded, _) => ("succeeded", GOOD),
        (Status::InPlace, _) => ("in place", GOOD),
        (Status::Skipped, _) => ("skipped", FAINT),
        (Status::Failed, _) => ("failed", ERROR),
        (Status::InDoubt, _) => ("in doubt", WARNING),
        (Status::Cancelled, _) => ("cancelled", FAINT),
        (Status::Undone, _) => ("undone", GOOD),
        (Status::UndoFailed, _) => ("undo failed", ERROR),
        (Status::NotRehearsed, _) => ("not rehearsed", WARNING),
    }
}

/// How a run ended, in words, and how they look. What a dry run could not rehearse did not pass.
pub fn verdict(verdict: Verdict, mode: Mode, not_rehearsed: usize) -> (Cow<'static, str>, Style) {
    let (word, style) = match (verdict, mode) {
        (Verdict::Failed, Mode::DryRun) => ("not ready", ERROR),
        (Verdict::Succeeded | Verdict::SucceededWithDeviations, Mode::DryRun) if not_rehearsed > 0 => {
            let steps = count(not_rehearsed, "step", "steps");
            return (format!("{steps} not rehearsed, nothing else in the way").into(), WARNING);
        }
        (Verdict::Succeeded | Verdict::SucceededWithDeviations, Mode::DryRun) => ("nothing in the way", GOOD),
        (Verdict::Succeeded, _) => ("succeeded", GOOD),
        (Verdict::SucceededWithDeviations, _) => ("succeeded with deviations", WARNING),
        (Verdict::Failed, _) => ("failed", ERROR),
        (Verdict::RolledBack, _) => ("rolled back", WARNING),
        (Verdict::Stuck, _) => ("stuck: an undo failed", ERROR),
        (Verdict::Cancelled, _) => ("cancelled", WARNING),
    };
    (word.into(), style)
}

/// [`verdict`] of a run whose state is known.
pub fn verdict_of(state: &RunState, verdict: Verdict) -> (Cow<'static, str>, Style) {
    self::verdict(verdict, state.mode(), not_rehearsed(state))
}

/// How far a run is by its header, if nobody drives it, and how that looks.
pub fn last_known(header: &Header) -> (Cow<'static, str>, Style) {
    match header.state {
        Phase::Finished(verdict) => self::verdict(verdict, header.mode, header.not_rehearsed),
        Phase::Running => ("its driver is gone".into(), WARNING),
        Phase::Stopped(reason) => (stop(reason).into(), WARNING),
    }
}

/// A mode in words.
pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Drill => "drill",
        Mode::DryRun => "dry run",
    }
}

/// Why a driver let go of a run, in words.
pub fn stop(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Interrupted => "interrupted",
        StopReason::Paused => "ready to go on",
        StopReason::NeedsPerson => "waiting for a person",
        StopReason::HandedOver => "handed over",
    }
}
