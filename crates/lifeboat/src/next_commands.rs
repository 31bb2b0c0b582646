//! What an operator can do now about a run that nobody drives.

use std::path::PathBuf;

use lifeboat_action::Registry;
use lifeboat_model::record::{Mode, StopReason, Verdict};
use lifeboat_model::{NodeIndex, NodePath, Phase, RunState, Status};

use crate::required_outputs::{RequiredOutputs, required_outputs};
use crate::runbook::pinned_path;
use crate::take_over::may_go_on;

/// Something that an operator can do.
#[derive(Debug, Clone)]
pub enum NextCommand {
    /// See every step.
    View,
    /// Read how it came to this: this lifeboat can read the run and not drive it.
    ReadJournal,
    /// Let the run go on.
    Resume {
        /// What has to be said first.
        after: Before,
    },
    /// Decide about a step.
    Decide {
        /// The step.
        step: NodePath,
        /// Nobody knows whether its effect is in place; otherwise it failed.
        in_doubt: bool,
        /// Its outputs that other steps use: whoever marks it as done has to give them.
        required: RequiredOutputs,
    },
    /// End the run.
    Cancel,
    /// Start the same runbook with the same inputs.
    StartAgain {
        /// For real, or as a rehearsal.
        mode: Mode,
        /// The runbook's file, where there is one.
        file: Option<PathBuf>,
    },
}

/// What has to happen before a run can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// A doubt is decided: now, or by an operator who is asked while it goes on.
    Doubt,
    /// A failure is decided.
    Failure,
}

/// What an operator can do about a run that nobody drives.
pub fn next_commands(state: &RunState, registry: &Registry) -> Vec<NextCommand> {
    if state.undriven().is_some() && may_go_on(state.phase()) {
        return vec![NextCommand::ReadJournal];
    }
    let again = |mode| NextCommand::StartAgain { mode, file: pinned_path(state.plan()).map(Into::into) };
    match state.phase() {
        Phase::Running
        | Phase::Stopped(StopReason::Interrupted | StopReason::Paused | StopReason::HandedOver) => {
            vec![NextCommand::Resume { after: Before::Nothing }]
        }
        Phase::Stopped(StopReason::NeedsPerson) => {
            let then = [NextCommand::Resume { after: Before::Doubt }, NextCommand::Cancel];
            decisions(state, registry).into_iter().chain(then).collect()
        }
        Phase::Finished(Verdict::Failed) if state.mode() == Mode::DryRun => vec![again(Mode::DryRun)],
        Phase::Finished(Verdict::Failed) => {
            let then = NextCommand::Resume { after: Before::Failure };
            decisions(state, registry).into_iter().chain([then]).collect()
        }
        Phase::Finished(_) if state.mode() == Mode::DryRun => vec![again(Mode::Live)],
        Phase::Finished(_) => vec![NextCommand::View],
    }
}

/// Every decision that the run waits for.
fn decisions(state: &RunState, registry: &Registry) -> Vec<NextCommand> {
    let steps = state.undecided();
    if steps.is_empty() {
        return Vec::new();
    }
    let mut required = required_outputs(state.plan(), registry);
    let mut decide = |at: NodeIndex| {
        let step = state.path(at);
        let required = required.remove(step.id()).unwrap_or_default();
        NextCommand::Decide { step, in_doubt: state.status(at) == Status::InDoubt, required }
    };
    steps.into_iter().map(&mut decide).collect()
}
