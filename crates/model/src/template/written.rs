//! A text with expressions, as a plan carries it: with its place, and compiled once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::compile::{Compiled, Program, compile};
use super::{Mistake, Use};
use crate::source::Span;

/// A text of a runbook that holds expressions, such as `{{ inputs.standby }}:5432`.
///
/// It is stored as its text and its place. It is compiled when the check of the runbook asks what it uses or, in a plan
/// that was read back, when somebody first does. Clones share the result.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Template(Arc<Parts>);

struct Parts {
    text: String,
    span: Span,
    compiled: OnceLock<Compiled>,
}

/// A template in the journal.
#[derive(Serialize, Deserialize)]
struct Stored {
    text: String,
    span: Span,
}

impl Template {
    /// The template of a text that stands there.
    pub fn new(text: impl Into<String>, span: Span) -> Self {
        Self(Arc::new(Parts { text: text.into(), span, compiled: OnceLock::new() }))
    }

    /// The text as written, quotes and escapes of YAML resolved.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The place of the text, quotes included.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// The names it uses, each once, in the order written.
    pub fn uses(&self) -> &[Use] {
        &self.compiled().uses
    }

    /// The mistakes because of which it cannot be rendered. A template of a checked runbook has none.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.compiled().mistakes
    }

    /// Whether it is exactly one expression, so that its value keeps its type.
    pub fn is_one_expression(&self) -> bool {
        matches!(self.compiled().program, Program::Name | Program::Call(_))
    }

    pub(super) fn compiled(&self) -> &Compiled {
        self.0.compiled.get_or_init(|| compile(self.text()))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("text", &self.text()).field("span", &self.span()).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        (self.text(), self.span()) == (other.text(), other.span())
    }
}

impl Eq for Template {}

impl From<Stored> for Template {
    fn from(Stored { text, span }: Stored) -> Self {
        Self::new(text, span)
    }
}

impl From<Template> for Stored {
    fn from(template: Template) -> Self {
        Self { text: template.text().to_owned(), span: template.span() }
    }
}
