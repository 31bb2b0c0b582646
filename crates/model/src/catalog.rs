//! What `check` asks of the actions that are there, without knowing any of them.

use serde_json::Value;

use crate::action_spec::{ActionSpec, Effect};

/// One thing that is wrong with an action's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamProblem {
    /// Where, from the parameters' root: names of keys and, as digits, places in lists. Empty: the whole.
    pub path: Vec<String>,
    /// Whether the key itself is wrong (unknown) rather than its value.
    pub on_key: bool,
    /// What is wrong, in lower case, without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The actions that are there.
///
/// In the values handed to [`Catalog::check_params`] and [`Catalog::effect`], a text that contains a template stands
/// for a value that is not known yet: such a value is accepted wherever a value may be.
pub trait Catalog {
    /// The entry of the action of that name.
    fn spec(&self, name: &str) -> Option<&ActionSpec>;

    /// The names of all actions, sorted.
    fn names(&self) -> Vec<&str>;

    /// Everything that can be known to be wrong with these parameters.
    fn check_params(&self, name: &str, params: &Value) -> Vec<ParamProblem>;

    /// As [`Catalog::check_params`], for parameters whose templates were filled in: a value that one gave is taken as
    /// the action will take it.
    fn check_filled(&self, name: &str, params: Value) -> Vec<ParamProblem> {
        self.check_params(name, &params)
    }

    /// What the action may do to the world with these parameters.
    fn effect(&self, name: &str, params: &Value) -> Effect;
}

/// Whether a text contains a template, so that its value is known only when its step starts.
pub fn is_templated(text: &str) -> bool {
    text.contains("{{")
}
