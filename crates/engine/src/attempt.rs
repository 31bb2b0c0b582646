//! One attempt of a step, for real: look, apply, look again.

use lifeboat_action::{ActionContext, Failure, Observation, Outcome};
use lifeboat_model::Effect;
use lifeboat_model::record::StepEnd;

use crate::actions::Actions;
use crate::job::{AttemptEnd, Job};
use crate::look::{look, observe};

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
    reached: &tokio::sync::watch::Sender<Reached>,
) -> AttemptEnd {
    if job.call.effect == Effect::Read {
        return read(observe(actions, context, &job.call).await);
    }
    let looks = job.check.is_some() || job.call.observable;
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
    match action.apply(context, &job.call.params).await {
        Err(failure) => AttemptEnd::Failed(failure),
        Ok(outcome) if looks => verify(look(actions, context, job).await, outcome, job.check.is_some()),
        Ok(outcome) => AttemptEnd::Step(StepEnd::Succeeded(outcome)),
    }
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

/// What looking after the call says of it.
///
/// An action that cannot tell is believed, with a warning. A check of the author's own was asked for: one that cannot
/// look, such as at a service that did not come up again, has not passed.
fn verify(seen: Observation, mut outcome: Outcome, by_check: bool) -> AttemptEnd {
    let not_in_effect =
        |what: String| AttemptEnd::Failed(Failure::transient(format!("applied, but not in effect: {what}")));
    match seen {
        Observation::InPlace { warnings, .. } => {
            // The call may have warned of the same.
            let new = warnings.into_iter().filter(|warning| !outcome.warnings.contains(warning));
            let new: Vec<_> = new.collect();
            outcome.warnings.extend(new);
            AttemptEnd::Step(StepEnd::Succeeded(outcome))
        }
        Observation::Pending { change } => not_in_effect(change.before),
        Observation::Blocked { why } => not_in_effect(why),
        Observation::Unknown { why } if by_check => {
            AttemptEnd::Failed(Failure::transient(format!("applied, but the check cannot tell: {why}")))
        }
        Observation::Unknown { why } => {
            outcome.warnings.push(format!("not verified: {why}"));
            AttemptEnd::Step(StepEnd::Succeeded(outcome))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_look_after_the_call_warns_of_is_told_once() {
        let warning = |text: &str| text.to_owned();
        let outcome = Outcome { warnings: vec![warning("weak")], ..Outcome::default() };
        let seen = Observation::InPlace {
            evidence: "on".to_owned(),
            outputs: Default::default(),
            warnings: vec![warning("weak"), warning("late")],
        };
        let AttemptEnd::Step(StepEnd::Succeeded(done)) = verify(seen, outcome, false) else {
            panic!("it is in place");
        };
        assert_eq!(done.warnings, ["weak", "late"]);
    }
}
