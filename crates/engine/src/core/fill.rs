//! Filling in a step's parameters; in a dry run, without those that are not known and need not be.

use lifeboat_model::NodeIndex;
use lifeboat_model::outcome::Without;
use lifeboat_model::plan::ActionStep;
use lifeboat_model::template::{CannotFill, Filled};
use serde_json::Value;

use super::Core;

/// A step's parameters with their templates filled in.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// For the action.
    pub(super) value: Value,
    /// For the journal: secrets masked, null where a value is not known.
    pub(super) masked: Value,
    /// Those that a rehearsal leaves out, because their values are not known.
    pub(super) without: Without,
    /// Why the action cannot be called with them: something else is not known.
    pub(super) unknown: Option<String>,
}

impl Core {
    /// Fills in the parameters of a step's action.
    pub(super) fn fill(&self, at: NodeIndex) -> Result<Parameters, CannotFill> {
        let action = self.action(at);
        Ok(match self.values(at).fill(&action.call.with)? {
            Filled::Known { value, masked } => Parameters { value, masked, ..Parameters::default() },
            Filled::Unknown { why, masked } => match self.without_unknown(at, action)? {
                Some((value, without)) => Parameters { value, masked, without, unknown: None },
                None => Parameters { masked, unknown: Some(why), ..Parameters::default() },
            },
        })
    }

    /// The parameters of a call that a dry run can make all the same. None where something is unknown that the action
    /// has to know. A step with a `check` does not ask its action.
    fn without_unknown(
        &self,
        at: NodeIndex,
        action: &ActionStep,
    ) -> Result<Option<(Value, Without)>, CannotFill> {
        let Value::Object(written) = &action.call.with else { return Ok(None) };
        if !self.is_dry_run() || action.check.is_some() {
            return Ok(None);
        }
        let (mut known, mut without) = (written.clone(), Without::new());
        for name in &action.call.rehearsed_without {
            let Some(value) = written.get(name) else { continue };
            if let Filled::Unknown { why, .. } = self.values(at).fill(value)? {
                known.remove(name);
                without.insert(name.clone(), why);
            }
        }
        Ok(match self.values(at).fill(&Value::Object(known))? {
            Filled::Known { value, .. } => Some((value, without)),
            Filled::Unknown { .. } => None,
        })
    }
}
