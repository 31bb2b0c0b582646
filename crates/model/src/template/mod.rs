//! Templates: texts such as `{{ inputs.standby }}:5432`, whose names are known without rendering them.
//!
//! ```text
//! text ── compile ──▶ names, mistakes, program ── render in a Scope ──▶ value, and the same with secrets masked
//! ```
//!
//! Rendering in strict mode finds a missing name only when it meets it, at 3 a.m., and `{{#if missing}}` not even
//! then. So the check of a runbook compiles every template and lists its names. It accepts a small part of handlebars,
//! without anything that reads other templates.

mod blocks;
mod cannot_fill;
mod compile;
mod fill;
mod helpers;
mod nesting;
mod reference;
mod references_in;
mod render;
mod run_values;
mod scope;
mod strict;
mod written;

pub use cannot_fill::CannotFill;
pub use fill::{Decided, Filled};
pub use reference::{NotAReference, Reference};
pub use run_values::Values;
pub use scope::{Found, Scope};
pub use written::Template;

/// The helpers that templates may call, with the least and the most values each takes.
///
/// Whoever renders offers exactly these.
pub const HELPERS: &[(&str, usize, usize)] = &[
    ("eq", 2, 2),
    ("ne", 2, 2),
    ("gt", 2, 2),
    ("gte", 2, 2),
    ("lt", 2, 2),
    ("lte", 2, 2),
    ("and", 2, usize::MAX),
    ("or", 2, usize::MAX),
    ("not", 1, 1),
    ("len", 1, 1),
    ("lookup", 2, 2),
    ("json", 1, 1),
    ("shell", 1, 1),
];

/// The block helpers that templates may use. Each takes one value.
pub const BLOCK_HELPERS: &[&str] = &["if", "unless", "each", "with"];

/// A name in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// As written, such as `steps.promote.lsn`.
    pub written: String,
    /// What it means.
    pub reference: Reference,
}

/// Something wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The part of the template that is wrong, as written; empty if it is the whole.
    pub written: String,
    /// What is wrong, in lower case, without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Mistake {
    fn new(written: &str, message: impl Into<String>) -> Self {
        Self { written: written.to_owned(), message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Whether a text contains a template, so that its value is known only when its step starts.
pub fn is_templated(text: &str) -> bool {
    text.contains("{{")
}

#[cfg(test)]
mod by_text_tests;
#[cfg(test)]
mod render_tests;
#[cfg(test)]
mod tests;
