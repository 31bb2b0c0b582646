//! Looking afterwards: whether what was applied is in effect.

use std::time::Duration;

use lifeboat_action::{ActionContext, Failure, Observation, Outcome};

use crate::actions::Actions;
use crate::clock::Clock;
use crate::job::Job;
use crate::look::look;

/// What looking after the call says of it.
///
/// A check that cannot look, such as at a service that is still coming up, looks again as often and as far apart as the
/// step's `retry` says. Nothing is applied again meanwhile.
pub(crate) async fn verified(
    actions: &Actions,
    context: &ActionContext,
    job: &Job,
    clock: &dyn Clock,
    outcome: Outcome,
) -> Result<Outcome, Failure> {
    for looks in 1.. {
        let seen = look(actions, context, job).await;
        let Observation::Unknown { why } = &seen else { return verify(seen, outcome, true) };
        let again = job.check.as_ref().and_then(|_| job.retry.delay_after(looks));
        let Some(delay) = again.filter(|_| !context.is_cancelled()) else {
            return verify(seen, outcome, job.check.is_some());
        };
        context.say(format!("applied, but the check cannot tell; it looks again in {delay:#}: {why}"));
        tokio::select! {
            () = clock.sleep(Duration::try_from(delay).unwrap_or_default()) => {}
            () = context.cancelled() => {}
        }
    }
    unreachable!("bug: every policy has a last attempt")
}

/// An action that cannot tell is believed, with a warning. A check of the author's own was asked for: until it can look,
/// nobody knows.
fn verify(seen: Observation, mut outcome: Outcome, by_check: bool) -> Result<Outcome, Failure> {
    let not_in_effect = |what| Err(Failure::transient(format!("applied, but not in effect: {what}")));
    match seen {
        Observation::InPlace { warnings, .. } => {
            for warning in warnings {
                // The call may have warned of the same.
                if !outcome.warnings.contains(&warning) {
                    outcome.warnings.push(warning);
                }
            }
            Ok(outcome)
        }
        Observation::Pending { change } => not_in_effect(change.before),
        Observation::Blocked { why } => not_in_effect(why),
        Observation::Unknown { why } if by_check => {
            Err(Failure::unknown(format!("applied, but the check cannot tell: {why}")))
        }
        Observation::Unknown { why } => {
            outcome.warnings.push(format!("not verified: {why}"));
            Ok(outcome)
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
        let done = verify(seen, outcome, false).expect("it is in place");
        assert_eq!(done.warnings, ["weak", "late"]);
    }
}
