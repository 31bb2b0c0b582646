//! From the text of a template to the program that renders it, with the names that the text uses.

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};

use super::references_in::{References, Scope};
use super::strict::{as_json, check_values};
use super::{HELPERS, Mistake, Use, blocks, nesting};

/// The longest template that is compiled, in bytes, and the most expressions in it: the time to compile one grows
/// with the product of both.
const MAX_BYTES: usize = 64 * 1024;
const MAX_EXPRESSIONS: usize = 500;

/// A template as it is rendered.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The names it uses, each once, in the order written.
    pub(super) uses: Vec<Use>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) program: Program,
}

/// The way to the value of a template.
#[derive(Debug)]
pub(super) enum Program {
    /// There is none, because the template has mistakes.
    None,
    /// The template is one name: its value is the value of that name.
    Name,
    /// The template is one call of a helper. It renders JSON, so that the value keeps its type.
    Call(handlebars::Template),
    /// The template is a text.
    Text(handlebars::Template),
}

/// Compiles a template.
pub(super) fn compile(text: &str) -> Compiled {
    match parse(text) {
        Ok(template) => with_names(template),
        Err(mistake) => Compiled { uses: Vec::new(), mistakes: vec![mistake], program: Program::None },
    }
}

fn parse(text: &str) -> Result<handlebars::Template, Mistake> {
    if text.len() > MAX_BYTES {
        return Err(Mistake::new("", format!("a template may have {} KiB at most", MAX_BYTES / 1024)));
    }
    if text.matches("{{").count() > MAX_EXPRESSIONS {
        return Err(Mistake::new("", format!("a template may have {MAX_EXPRESSIONS} expressions at most")));
    }
    nesting::check(text)?;
    handlebars::Template::compile(text)
        .map_err(|error| blocks::unbalanced(text).unwrap_or_else(|| not_a_template(&error)))
}

fn not_a_template(error: &handlebars::TemplateError) -> Mistake {
    let reason = error.reason().to_string();
    // The parser draws a picture of the place over several lines; its last line says what it expected.
    let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("= ").to_owned();
    Mistake::new("", format!("this is not a template: {reason}"))
        .help("write a template like {{ inputs.name }}, and \\{{ for braces that are none")
}

fn with_names(template: handlebars::Template) -> Compiled {
    let mut found = References::default();
    found.elements(&template.elements, Scope::Top);
    let References { mut uses, mistakes } = found;
    let mut seen = std::collections::HashSet::new();
    uses.retain(|used| seen.insert(used.written.clone()));
    let program = if mistakes.is_empty() { program(template) } else { Program::None };
    Compiled { uses, mistakes, program }
}

fn program(mut template: handlebars::Template) -> Program {
    match template.elements.as_slice() {
        [TemplateElement::Expression(call)] if is_name(call) => Program::Name,
        [TemplateElement::Expression(call)] => Program::Call(as_json(call)),
        _ => {
            check_values(&mut template);
            Program::Text(template)
        }
    }
}

fn is_name(call: &HelperTemplate) -> bool {
    let is_helper = HELPERS.iter().any(|(helper, ..)| call.name.as_name() == Some(helper));
    let is_name = matches!(call.name, Parameter::Name(_) | Parameter::Path(_));
    is_name && !is_helper && call.params.is_empty()
}
