//! Templates: what a text such as `{{ inputs.standby }}:5432` refers to, known without rendering it.
//!
//! Rendering in strict mode finds a missing name only when it meets it, at 3 a.m., and `{{#if missing}}` not even
//! then. So every template is compiled and walked when its runbook is checked; what the walk accepts is a small
//! part of handlebars, without anything that reads other templates.

mod blocks;
mod helpers;
mod nesting;
mod reference;
mod references_in;
mod render;
mod strict;

pub use reference::{NotAReference, Reference};
pub use render::{CannotFill, Decided, Filled, Values};

use handlebars::template::TemplateElement;

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

/// The longest template that is compiled, in bytes, and the most expressions in it: the time to compile one grows
/// with the product of both.
const MAX_BYTES: usize = 64 * 1024;
const MAX_EXPRESSIONS: usize = 500;

/// What a template consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Analysis {
    /// The names it uses, in the order written.
    pub uses: Vec<Use>,
    /// What is wrong with it.
    pub mistakes: Vec<Mistake>,
    /// Whether it is exactly one expression, so that its value keeps its type.
    pub is_one_expression: bool,
}

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

/// Compiles a template and lists what it uses.
pub fn analyse(text: &str) -> Analysis {
    let mistake = |mistake| Analysis { mistakes: vec![mistake], ..Analysis::default() };
    if text.len() > MAX_BYTES {
        return mistake(Mistake::new("", format!("a template may have {} KiB at most", MAX_BYTES / 1024)));
    }
    if text.matches("{{").count() > MAX_EXPRESSIONS {
        return mistake(Mistake::new(
            "",
            format!("a template may have {MAX_EXPRESSIONS} expressions at most"),
        ));
    }
    if let Err(too_deep) = nesting::check(text) {
        return mistake(too_deep);
    }
    let compiled = match handlebars::Template::compile(text) {
        Ok(compiled) => compiled,
        Err(error) => return mistake(blocks::unbalanced(text).unwrap_or_else(|| not_a_template(&error))),
    };
    let mut found = references_in::References::default();
    found.elements(&compiled.elements, references_in::Scope::Top);
    Analysis {
        uses: found.uses,
        mistakes: found.mistakes,
        is_one_expression: matches!(compiled.elements.as_slice(), [TemplateElement::Expression(_)]),
    }
}

fn not_a_template(error: &handlebars::TemplateError) -> Mistake {
    let reason = error.reason().to_string();
    // The parser draws a picture of the place over several lines; its last line says what it expected.
    let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("= ").to_owned();
    Mistake::new("", format!("this is not a template: {reason}"))
        .help("write a template like {{ inputs.name }}, and \\{{ for braces that are none")
}

#[cfg(test)]
mod render_tests;
#[cfg(test)]
mod tests;
