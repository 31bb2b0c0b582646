//! The exit codes: one table, which is also what `--help` prints.

use std::process::ExitCode;

use lifeboat_engine::Left;
use lifeboat_model::Mode;
use lifeboat_model::record::{StopReason, Verdict};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Internal,
    Usage,
    Invalid,
    Failed,
    Stopped,
    NeedsPerson,
    Held,
    Journal,
    Deviations,
    RolledBack,
    Stuck,
    Cancelled,
    NotReady,
}

impl Exit {
    pub(crate) const ALL: [Self; 14] = [
        Self::Done,
        Self::Internal,
        Self::Usage,
        Self::Invalid,
        Self::Failed,
        Self::Stopped,
        Self::NeedsPerson,
        Self::Held,
        Self::Journal,
        Self::Deviations,
        Self::RolledBack,
        Self::Stuck,
        Self::Cancelled,
        Self::NotReady,
    ];

    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::Failed => 4,
            Self::Stopped => 5,
            Self::NeedsPerson => 6,
            Self::Held => 7,
            Self::Journal => 8,
            Self::Deviations => 9,
            Self::RolledBack => 10,
            Self::Stuck => 11,
            Self::Cancelled => 12,
            Self::NotReady => 13,
        }
    }

    /// What it means, in a few words.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Internal => "internal error",
            Self::Usage => "wrong use",
            Self::Invalid => "the runbook is invalid, or a secret is missing",
            Self::Failed => "failed; can be resumed",
            Self::Stopped => "interrupted or paused; can be resumed",
            Self::NeedsPerson => "waiting for a person",
            Self::Held => "another process drives the run",
            Self::Journal => "the journal is damaged or cannot be written",
            Self::Deviations => {
                "done with deviations, steps not rehearsed, or output lost (only with --strict)"
            }
            Self::RolledBack => "rolled back",
            Self::Stuck => "stuck: an undo failed",
            Self::Cancelled => "cancelled",
            Self::NotReady => "not ready: a dry run found something in the way",
        }
    }

    /// The exit for a run that ended so. `strict`: deviations count, and so does what a dry run could not rehearse.
    pub(crate) fn of_verdict(verdict: Verdict, mode: Mode, not_rehearsed: usize, strict: bool) -> Self {
        match verdict {
            Verdict::Succeeded if strict && not_rehearsed > 0 => Self::Deviations,
            Verdict::Succeeded => Self::Done,
            Verdict::SucceededWithDeviations if strict => Self::Deviations,
            Verdict::SucceededWithDeviations => Self::Done,
            Verdict::Failed if mode == Mode::DryRun => Self::NotReady,
            Verdict::Failed => Self::Failed,
            Verdict::RolledBack => Self::RolledBack,
            Verdict::Stuck => Self::Stuck,
            Verdict::Cancelled => Self::Cancelled,
        }
    }

    /// The exit instead of this one when not everything could be shown, where that counts.
    pub(crate) fn unshown(self) -> Self {
        if self == Self::Done { Self::Deviations } else { self }
    }

    /// The exit for a drive that left so.
    pub(crate) fn of_left(left: Left, mode: Mode, not_rehearsed: usize, strict: bool) -> Self {
        match left {
            Left::Finished(verdict) => Self::of_verdict(verdict, mode, not_rehearsed, strict),
            Left::Stopped(StopReason::NeedsPerson) => Self::NeedsPerson,
            Left::Stopped(StopReason::Interrupted | StopReason::Paused | StopReason::HandedOver)
            | Left::Abandoned => Self::Stopped,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table as `--help` prints it.
pub(crate) fn table() -> String {
    let lines = Exit::ALL.iter().map(|exit| format!("  {:>2}  {}", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_from_zero() {
        let codes: Vec<_> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, (0..14).collect::<Vec<_>>());
    }

    #[test]
    fn every_ending_has_its_code() {
        let code = |left, mode, strict| Exit::of_left(left, mode, 0, strict).code();
        let live = |verdict| code(Left::Finished(verdict), Mode::Live, false);
        assert_eq!(live(Verdict::Succeeded), 0);
        assert_eq!(live(Verdict::SucceededWithDeviations), 0);
        assert_eq!(live(Verdict::Failed), 4);
        assert_eq!(live(Verdict::RolledBack), 10);
        assert_eq!(live(Verdict::Stuck), 11);
        assert_eq!(live(Verdict::Cancelled), 12);
        assert_eq!(code(Left::Finished(Verdict::SucceededWithDeviations), Mode::Live, true), 9);
        assert_eq!(code(Left::Finished(Verdict::Failed), Mode::DryRun, false), 13);
        assert_eq!(code(Left::Stopped(StopReason::Interrupted), Mode::Live, false), 5);
        assert_eq!(code(Left::Stopped(StopReason::Paused), Mode::Live, false), 5);
        assert_eq!(code(Left::Stopped(StopReason::NeedsPerson), Mode::Live, false), 6);
        let rehearsed = |not, strict| Exit::of_verdict(Verdict::Succeeded, Mode::DryRun, not, strict).code();
        assert_eq!([rehearsed(0, true), rehearsed(1, false), rehearsed(1, true)], [0, 0, 9]);
        assert_eq!(code(Left::Abandoned, Mode::Live, false), 5);
        assert_eq!([Exit::Done.unshown(), Exit::Failed.unshown()], [Exit::Deviations, Exit::Failed]);
    }
}
