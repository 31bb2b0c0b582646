//! One attempt of a step, for real: look, apply, look again.

use lifeboat_action::{ActionContext, Failure, FailureKind, Observation, Outcome};
use lifeboat_model::Effect;
use lifeboat_model::record::StepEnd;

use crate::actions::Actions;
use crate::clock::Clock;
use crate::job::{AttemptEnd, Job};
use crate::look::{look, observe, refusal};
use crate::verify::verified;

/// How far an attempt came: what is true of the world if it is given up here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// Nothing was changed.
    Looking,
    /// The action was called.
    Applying,
}

/// Carries the attempt out. `reached` is told before anything may change.
pub(crate) async fn attempt(
    actions: &Actions,
    context: &ActionContext,
    job: &Job,
    clock: &dyn Clock,
    reached: &tokio::sync::watch::Sender<Reached>,
) -> AttemptEnd {
    if let Some(refusal) = refusal(actions, job) {
        return AttemptEnd::Failed(refusal);
    }
    if job.call.effect == Effect::Read {
        return read(observe(actions, context, &job.call).await);
    }
    let looks = job.looks();
    if looks {
        match look(actions, context, job).await {
            Observation::InPlace { evidence, outputs, warnings } => {
                return AttemptEnd::Step(StepEnd::InPlace { evidence, outputs, warnings });
            }
            Observation::Blocked { why } => {
                return AttemptEnd::Failed(Failure::transient(format!(
                    "blocked, nothing was changed: {why}"
                )));
            }
            Observation::Pending { .. } | Observation::Unknown { .. } => {}
        }
    }
    if context.is_cancelled() {
        return AttemptEnd::Failed(Failure::transient("stopped before anything was changed"));
    }
    let Some(action) = actions.action(&job.call.action) else {
        return AttemptEnd::Failed(Failure::permanent(format!(
            "this lifeboat has no action `{}`",
            job.call.action
        )));
    };
    reached.send_replace(Reached::Applying);
    let outcome = match action.apply(context, &job.call.params).await {
        Ok(outcome) if looks => match verified(actions, context, job, clock, outcome).await {
            Err(failure) if failure.kind == FailureKind::Unknown => return AttemptEnd::Unchecked(failure),
            verified => verified,
        },
        applied => applied,
    };
    outcome.map_or_else(AttemptEnd::Failed, |outcome| AttemptEnd::Step(StepEnd::Succeeded(outcome)))
}

/// The answer of an action that only looks.
fn read(observation: Observation) -> AttemptEnd {
    match observation {
        Observation::InPlace { evidence, outputs, warnings } => {
            AttemptEnd::Step(StepEnd::Succeeded(Outcome { evidence, outputs, warnings }))
        }
        Observation::Pending { change } => AttemptEnd::Failed(Failure::transient(format!(
            "it is {}, expected {}",
            change.before, change.after
        ))),
        Observation::Blocked { why } | Observation::Unknown { why } => {
            AttemptEnd::Failed(Failure::transient(why))
        }
    }
}
