//! Whether a look is known to change nothing: by the action, by the word of the runbook's author, or not at all.
//!
//! It is worked out here and not by the actions, so that no action can take for the author's word what is none.

use lifeboat_model::Harmlessness;
use serde_json::Value;

use crate::action::Observe;

/// Whether a look with these parameters is known to change nothing. Only a literal `true` is the author's word: nobody
/// has said yet what a template stands for.
pub fn harmlessness(action: &dyn Observe, params: &Value) -> Harmlessness {
    if action.look_is_harmless(params) {
        return Harmlessness::Proven;
    }
    let word = action.spec().vouched_by.as_ref().and_then(|parameter| params.get(parameter));
    if word == Some(&Value::Bool(true)) { Harmlessness::Vouched } else { Harmlessness::Unvouched }
}
