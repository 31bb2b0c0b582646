//! What an action says of itself: the catalogue entry that checking, planning and help read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::ActionName;

/// Whether an action may change the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Looks only. It is run through `observe`, also in a dry run, and may be repeated freely.
    Read,
    /// Changes something.
    Write,
}

/// Whether a look with a call is known to change nothing, from the least to the most that can be said of it. A dry run
/// does not make a call of which nobody says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harmlessness {
    /// Nobody says so: the look carries out what the runbook says, whatever that is.
    #[default]
    Unvouched,
    /// The author of the runbook says so.
    Vouched,
    /// The action sees to it, whatever the runbook says.
    Proven,
}

impl Harmlessness {
    /// Whether nobody says so.
    pub fn is_unvouched(&self) -> bool {
        *self == Self::Unvouched
    }
}

/// The catalogue entry of an action.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActionSpec {
    /// `family.verb`.
    pub name: ActionName,
    /// One line: what it does.
    pub summary: String,
    /// What it may do to the world when its parameters do not say otherwise.
    pub effect: Effect,
    /// Whether applying it twice with the same parameters has the effect of applying it once.
    pub idempotent: bool,
    /// Whether `observe` can tell if its effect is in place.
    pub observable: bool,
    /// Whether `recover` can find the result of an attempt whose driver died.
    pub recoverable: bool,
    /// The parameters whose values need not be known for a rehearsal: a dry run asks the action without them, and tells
    /// it so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rehearsed_without: Vec<String>,
    /// The parameter by which an author vouches, with a literal `true`, that a call only looks: a dry run then makes it
    /// although the action cannot see to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<String>,
    /// JSON Schema of the parameters: an object with `properties`, `required` and `additionalProperties: false`.
    /// A property with `"x-visible": true` ends up where others can read it (an argument of a process), so no
    /// secret may be put there.
    pub params: Value,
    /// JSON Schema of the outputs: an object; a property's name is usable as `steps.ID.NAME`.
    pub outputs: Value,
}

impl ActionSpec {
    /// The names of the outputs, or `None` where the action's outputs are open (any name may occur).
    pub fn output_names(&self) -> Option<Vec<&str>> {
        if self.outputs.get("additionalProperties").is_some_and(|open| open != &Value::Bool(false)) {
            return None;
        }
        let properties = self.outputs.get("properties").and_then(Value::as_object);
        Some(properties.map(|all| all.keys().map(String::as_str).collect()).unwrap_or_default())
    }
}
