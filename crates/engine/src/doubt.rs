//! What follows from looking into a step in doubt: the table of the design, as one function.

use lifeboat_model::plan::OnUnknown;
use lifeboat_model::record::{DoubtRule, Resolution};
use lifeboat_model::{Failure, Observation, Outcome};

/// What looking into a doubt showed, and what follows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    /// The rule that settled it.
    pub(crate) rule: DoubtRule,
    /// What was seen, in words.
    pub(crate) evidence: String,
    /// What follows.
    pub(crate) resolution: Resolution,
}

impl Finding {
    /// The step only looks: it may be repeated.
    pub(crate) fn read_only() -> Self {
        let evidence = "the action changes nothing".to_owned();
        Self { rule: DoubtRule::ReadOnly, evidence, resolution: Resolution::Rerun }
    }

    /// The attempt's own end was found: it did what it was to do.
    pub(crate) fn succeeded(outcome: Outcome, evidence: String) -> Self {
        Self { rule: DoubtRule::Recovered, evidence, resolution: Resolution::Done(outcome) }
    }

    /// The attempt's own end was found: it failed, and it is known how.
    pub(crate) fn failed(failure: Failure, evidence: String) -> Self {
        Self { rule: DoubtRule::Recovered, evidence, resolution: Resolution::Failed(failure) }
    }

    /// The attempt is proven never to have begun.
    pub(crate) fn not_started(evidence: String) -> Self {
        Self { rule: DoubtRule::Recovered, evidence, resolution: Resolution::Rerun }
    }

    /// What observing showed. `trace` is what was found of the attempt itself.
    pub(crate) fn observed(observation: Observation, trace: Option<&str>, on_unknown: OnUnknown) -> Self {
        let with_trace = |text: String| trace.iter().fold(text, |text, trace| format!("{text}; {trace}"));
        let observed = |evidence, resolution| Self { rule: DoubtRule::Observed, evidence, resolution };
        match observation {
            Observation::InPlace { evidence, outputs, warnings } => {
                let outcome = Outcome { evidence: evidence.clone(), outputs, warnings };
                observed(format!("in place: {evidence}"), Resolution::Done(outcome))
            }
            Observation::Pending { change } => {
                observed(format!("not in place: {}", change.before), Resolution::Rerun)
            }
            Observation::Blocked { why } => observed(with_trace(format!("blocked: {why}")), Resolution::Ask),
            Observation::Unknown { why } => {
                Self::unknown(with_trace(format!("cannot tell: {why}")), on_unknown)
            }
        }
    }

    /// Looking did not tell: what the author of the step wants then.
    pub(crate) fn unknown(evidence: String, on_unknown: OnUnknown) -> Self {
        let resolution = match on_unknown {
            OnUnknown::Ask => Resolution::Ask,
            OnUnknown::Rerun => Resolution::Rerun,
            OnUnknown::Fail => Resolution::Failed(Failure::permanent(evidence.clone())),
        };
        Self { rule: DoubtRule::OnUnknown, evidence, resolution }
    }

    /// Nothing tells whether the attempt still goes on: it must not be repeated beside itself, nor given up.
    pub(crate) fn may_go_on(why: &str) -> Self {
        let evidence = format!("it may still be going on: {why}");
        Self { rule: DoubtRule::OnUnknown, evidence, resolution: Resolution::Ask }
    }

    /// The same where no attempt of the step ever begins: another one would not either.
    pub(crate) fn never_begins(self, attempts: u32) -> Self {
        let evidence = format!("{attempts} attempts in a row never began; the last: {}", self.evidence);
        Self { rule: DoubtRule::OnUnknown, evidence, resolution: Resolution::Ask }
    }

    /// Whether it rests on something that was seen, so that it holds also when looking was cut short.
    pub(crate) fn settles(&self) -> bool {
        match self.resolution {
            Resolution::Done(_) => true,
            Resolution::Rerun => self.rule != DoubtRule::OnUnknown,
            Resolution::Failed(_) | Resolution::Ask => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use lifeboat_model::Change;

    use super::*;

    #[test]
    fn the_table_of_the_design() {
        let rule = |observation, on_unknown| {
            let finding = Finding::observed(observation, None, on_unknown);
            (finding.rule, finding.resolution)
        };
        let change = Change { before: "standby".to_owned(), after: "primary".to_owned() };
        let unknown = || Observation::Unknown { why: "no answer".to_owned() };
        let warnings = vec!["seen by one observer".to_owned()];
        let done = Outcome { evidence: "primary".to_owned(), warnings, ..Outcome::default() };
        let Outcome { evidence, outputs, warnings } = done.clone();
        let in_place = Observation::InPlace { evidence, outputs, warnings };

        assert_eq!(rule(in_place, OnUnknown::Ask), (DoubtRule::Observed, Resolution::Done(done)));
        assert_eq!(
            rule(Observation::Pending { change }, OnUnknown::Fail),
            (DoubtRule::Observed, Resolution::Rerun)
        );
        let blocked = Observation::Blocked { why: "lag".to_owned() };
        assert_eq!(rule(blocked, OnUnknown::Rerun), (DoubtRule::Observed, Resolution::Ask));
        assert_eq!(rule(unknown(), OnUnknown::Ask), (DoubtRule::OnUnknown, Resolution::Ask));
        assert_eq!(rule(unknown(), OnUnknown::Rerun), (DoubtRule::OnUnknown, Resolution::Rerun));
        let failed = Resolution::Failed(Failure::permanent("cannot tell: no answer"));
        assert_eq!(rule(unknown(), OnUnknown::Fail), (DoubtRule::OnUnknown, failed));
    }
}
