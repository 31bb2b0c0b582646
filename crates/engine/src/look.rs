//! Looking without touching: before and after an action is applied, and in a dry run.

use lifeboat_action::{ActionContext, Observation};
use lifeboat_model::outcome::Outputs;
use lifeboat_model::{Change, Effect, Failure};

use crate::actions::Actions;
use crate::job::{Call, Job};

/// Looks whether the step's effect is in place: through the step's `check` if it has one, else by the action itself.
pub(crate) async fn look(actions: &Actions, context: &ActionContext, job: &Job) -> Observation {
    match &job.check {
        Some(check) => {
            let checked = observe(actions, context, check).await;
            as_effect(checked, context.is_cancelled())
        }
        None if job.call.observable => observe(actions, context, &job.call).await,
        None => Observation::Unknown {
            why: format!("`{}` cannot look for its own effect; give the step a `check`", job.call.action),
        },
    }
}

/// Why the step cannot be called with its parameters, or its `check` with those of the check.
pub(crate) fn refusal(actions: &Actions, job: &Job) -> Option<Failure> {
    let refusal = |call: &Call| actions.observer(&call.action)?.refusal(&call.params, &job.without);
    refusal(&job.call).or_else(|| job.check.as_ref().and_then(refusal))
}

/// What a dry run sees of a step.
pub(crate) async fn rehearse(actions: &Actions, context: &ActionContext, job: &Job) -> Observation {
    if let Some(refusal) = refusal(actions, job) {
        return Observation::Blocked { why: refusal.message };
    }
    match job.call.effect {
        // What a runbook needs to look at and cannot is in its way; unless nobody tried.
        Effect::Read => match observe(actions, context, &job.call).await {
            Observation::Unknown { why } if actions.withheld(&job.call).is_none() => {
                Observation::Blocked { why }
            }
            seen => seen,
        },
        Effect::Write => look(actions, context, job).await,
    }
}

/// Calls the looking half of an action, if it may be called.
pub(crate) async fn observe(actions: &Actions, context: &ActionContext, call: &Call) -> Observation {
    match actions.to_look(call) {
        Ok(action) => action.observe(context, &call.params).await,
        Err(why) => Observation::Unknown { why },
    }
}

/// What a check's answer says of the effect it stands for: a condition that does not hold is an effect to be made. One
/// that was told to stop may have found it not to hold for that reason alone.
fn as_effect(checked: Observation, stopped: bool) -> Observation {
    match checked {
        Observation::InPlace { evidence, outputs: _, warnings } => {
            Observation::InPlace { evidence, outputs: Outputs::new(), warnings }
        }
        Observation::Pending { change } => Observation::Pending { change },
        Observation::Blocked { why } if stopped => {
            Observation::Unknown { why: format!("the check was stopped: {why}") }
        }
        Observation::Blocked { why } => {
            Observation::Pending { change: Change { before: why, after: "as the check demands".to_owned() } }
        }
        Observation::Unknown { why } => Observation::Unknown { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_of_a_check_that_was_told_to_stop_is_no_answer() {
        let no = || Observation::Blocked { why: "exited with 1".to_owned() };
        assert!(matches!(as_effect(no(), false), Observation::Pending { .. }));
        assert!(matches!(as_effect(no(), true), Observation::Unknown { .. }));
        let yes = Observation::InPlace {
            evidence: "there".to_owned(),
            outputs: Outputs::new(),
            warnings: Vec::new(),
        };
        assert_eq!(as_effect(yes.clone(), true), yes);
    }
}
