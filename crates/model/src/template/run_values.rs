//! The values of names while a run goes on.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::cannot_fill::CannotFill;
use super::fill::{Decided, Filled, fill};
use super::{Found, Reference, Scope, Template};
use crate::ids::NodeIndex;
use crate::run_state::RunState;
use crate::source::Span;

/// The values that a run has so far.
#[derive(Debug, Clone, Copy)]
pub struct Values<'v> {
    /// The run: inputs, mode, id, outputs of steps.
    pub state: &'v RunState,
    /// The node whose texts are filled in: an id means the nearest step of that id outward.
    pub node: Option<NodeIndex>,
    /// The secrets, by name: a text each.
    pub secrets: &'v Map<String, Value>,
    /// The text that stands for a secret in the journal.
    pub mask: &'v str,
}

impl Scope for Values<'_> {
    fn find(&self, reference: &Reference) -> Found<'_> {
        match reference {
            Reference::Input { name, .. } => {
                let value = self.state.inputs().get(name);
                Found::known(value.and_then(|value| reference.lead_into(value)))
            }
            Reference::Secret { name } => self.secrets.get(name).map_or(Found::Nothing, Found::Secret),
            Reference::Output { step, output, .. } => self.output(reference, step, output),
            Reference::Mode => Found::Known(Cow::Owned(self.state.mode().as_str().into())),
            Reference::RunId => Found::Known(Cow::Owned(self.state.run().as_str().into())),
        }
    }

    fn mask(&self) -> &str {
        self.mask
    }
}

impl Values<'_> {
    /// Fills in every template inside `with`.
    ///
    /// # Errors
    /// A template that fails although everything it uses is known, such as one that looks into a value that is not there.
    pub fn fill(&self, with: &Value) -> Result<Filled, CannotFill> {
        fill(with, self)
    }

    /// Decides a condition.
    ///
    /// # Errors
    /// As [`Template::decide`].
    pub fn decide(&self, condition: &str) -> Result<Decided, CannotFill> {
        Template::new(condition, Span::default()).decide(self)
    }

    fn output(&self, reference: &Reference, step: &str, output: &str) -> Found<'_> {
        let unknown = |why: String| Found::Unknown { why: format!("`steps.{step}.{output}`{why}") };
        let Some(at) = self.state.visible(self.node, step) else {
            return unknown(": there is no such step".to_owned());
        };
        let Some(outputs) = self.state.outputs(at) else {
            let status = self.state.status(at).as_str();
            return unknown(format!(" is not known: step `{step}` did not run ({status})"));
        };
        let Some(value) = outputs.get(output) else {
            return unknown(format!(": step `{step}` gave no such output"));
        };
        let part = reference.lead_into(value);
        // A key may be masked, too: then the name leads to nothing because of that.
        if self.is_masked(part.unwrap_or(value)) {
            return unknown(" held a secret, and secrets are not kept".to_owned());
        }
        Found::known(part)
    }

    /// Whether a secret was masked in a stored value, so that the rest of it is not the value.
    fn is_masked(&self, value: &Value) -> bool {
        !self.secrets.is_empty() && value.to_string().contains(self.mask)
    }
}
