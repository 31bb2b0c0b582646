//! The values that the names in templates have at some place of a run.

use std::borrow::Cow;

use serde_json::Value;

use super::Reference;

/// The value of a name, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'v> {
    /// The value to which the whole name leads.
    Known(Cow<'v, Value>),
    /// The value of a secret: the action gets it, the journal gets a mask.
    Secret(&'v Value),
    /// The value is not known. It may be known later.
    Unknown {
        /// The reason, with the name.
        why: String,
    },
    /// The name leads to nothing, and never will.
    Nothing,
}

/// Gives the names in templates their values.
pub trait Scope {
    /// The value of a name.
    fn find(&self, reference: &Reference) -> Found<'_>;

    /// The text that stands for a secret in the journal.
    fn mask(&self) -> &str;
}

impl<'v> Found<'v> {
    /// The value that is there.
    pub fn known(value: Option<&'v Value>) -> Self {
        value.map_or(Self::Nothing, |value| Self::Known(Cow::Borrowed(value)))
    }
}
