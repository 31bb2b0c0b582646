//! The problems of a text that is not the YAML of a runbook: the words of each, and the place where it points.

use crate::problem::Problem;
use crate::source::{Source, Span};

pub(super) fn empty() -> Problem {
    let problem = Problem::new("empty", Span::empty(0), "the runbook is empty");
    problem.help("it needs at least `runbook: ID` and `steps`")
}

pub(super) fn second_document(span: Span) -> Problem {
    Problem::new("second_document", span, "a second document begins here").help("one file holds one runbook")
}

pub(super) fn too_deep(span: Span, most: usize) -> Problem {
    Problem::new("too_deep", span, format!("lists and mappings are nested more than {most} deep"))
}

pub(super) fn too_many_values(span: Span, most: usize) -> Problem {
    Problem::new("too_many_values", span, format!("the file holds more than {most} values"))
}

pub(super) fn anchor(span: Span) -> Problem {
    Problem::new("anchor", span, "anchors and aliases are not supported")
        .help("write the value out; put a text that starts with `&` or `*` in quotes")
}

pub(super) fn tag(span: Span) -> Problem {
    Problem::new("tag", span, "YAML tags are not supported").help("put a text that starts with `!` in quotes")
}

pub(super) fn merge_key(span: Span) -> Problem {
    Problem::new("merge_key", span, "merge keys are not supported")
        .help("write the keys out where they are needed")
}

pub(super) fn duplicate_key(key: &str, again: Span, first: Span) -> Problem {
    Problem::new("duplicate_key", again, format!("the key `{}` is there twice", shortened(key)))
        .label("again here")
        .related(first, "first here")
}

pub(super) fn not_a_key(span: Span) -> Problem {
    Problem::new("not_a_key", span, "a key must be text")
}

/// A mapping that has a mapping as its key is nearly always a template without quotes: `host: {{ name }}`.
pub(super) fn unquoted_template(source: &Source, mapping: Span) -> Option<Problem> {
    let from = &source.text()[mapping.start..];
    let length = from.strip_prefix("{{")?.find("}}")? + "{{}}".len();
    let template = &from[..length];
    let quote = if template.contains('"') { '\'' } else { '"' };
    let span = Span::new(mapping.start, mapping.start + length);
    let problem = Problem::new(
        "unquoted_template",
        span,
        "a template must be in quotes, or YAML takes it for a mapping",
    );
    Some(problem.help(format!("write {quote}{template}{quote}")))
}

/// What the YAML parser could not make sense of.
pub(super) fn syntax(source: &Source, at: usize, why: &str) -> Problem {
    let line = source.line(source.position(at).line);
    let help = if line.contains(": {{") || line.contains("- {{") {
        Some("put a value that begins with a template in quotes")
    } else if why.contains("tab") || line.contains('\t') {
        Some("indent with spaces, YAML does not allow tabs there")
    } else {
        None
    };
    Problem::new("syntax", Span::empty(at), format!("this is not YAML: {why}"))
        .help_maybe(help.map(str::to_owned))
}

/// The anchor, alias or tag of a value. Some of the parser's events begin with it, others only where the value
/// itself does.
pub(super) fn mark(source: &Source, value: Span, mark: char) -> Span {
    let inside =
        source.slice(value).starts_with(['&', '!', '*']).then(|| source.slice(value).find(mark)).flatten();
    let at = inside.map(|at| value.start + at).or_else(|| source.text()[..value.start].rfind(mark));
    at.map_or(value, |at| word(source, at))
}

/// The span from `start` to the next white space or end of a value.
fn word(source: &Source, start: usize) -> Span {
    let rest = &source.text()[start..];
    let length = rest.find(|c: char| c.is_whitespace() || ",]}".contains(c)).unwrap_or(rest.len());
    Span::new(start, start + length)
}

/// A text from the runbook, short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
