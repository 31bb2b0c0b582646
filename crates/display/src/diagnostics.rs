//! Problems of a runbook as a person reads them: the place, the line, a caret, and what to do.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use lifeboat_model::{Problem, Problems, Source, Span};
use serde_json::{Value, json};

use crate::sanitize::one_line;
use crate::units;

/// All problems of one runbook, one below the other. `name`: what the person calls the file.
pub fn rendered(name: &str, source: &Source, problems: &Problems) -> String {
    let renderer = Renderer::styled();
    let mut text = String::new();
    for problem in problems {
        let report = report(name, source, problem);
        writeln!(text, "{}\n", renderer.render(&report)).expect("writing to a text");
    }
    if problems.omitted() > 0 {
        writeln!(text, "… and {} more\n", problems.omitted()).expect("writing to a text");
    }
    text
}

/// The problems of one runbook, one JSON object each, for programs; the last one says how many more there are.
pub fn as_json(name: &str, source: &Source, problems: &Problems) -> Vec<Value> {
    let one = |problem: &Problem| {
        let position = problem.position(source);
        let mut json = json!({
            "file": name,
            "line": position.line,
            "column": position.column,
            "code": problem.code,
            "message": problem.message,
        });
        if let Some(help) = &problem.help {
            json["help"] = json!(help);
        }
        json
    };
    let omitted = problems.omitted();
    let rest = (omitted > 0).then(|| {
        json!({"file": name, "code": "omitted", "omitted": omitted,
        "message": format!("{omitted} more are not shown")})
    });
    problems.iter().map(one).chain(rest).collect()
}

/// A number of problems.
pub fn count(number: usize) -> String {
    units::count(number, "problem", "problems")
}

fn report<'a>(name: &'a str, source: &'a Source, problem: &'a Problem) -> Vec<Group<'a>> {
    let window = Window::around(source, problem);
    let span = |span: Span| span.start - window.start..span.end - window.start;
    let mut primary = AnnotationKind::Primary.span(span(problem.span));
    if let Some(label) = problem.label {
        primary = primary.label(label);
    }
    let related = problem.related.iter().filter(|related| window.holds(related.span));
    let related = related
        .map(|related| AnnotationKind::Context.span(span(related.span)).label(one_line(&related.label)));
    let snippet = Snippet::source(source.slice(Span::new(window.start, window.end)))
        .path(name)
        .line_start(source.position(window.start).line)
        .annotation(primary)
        .annotations(related);
    let message = one_line(&problem.message);
    let mut group = Level::ERROR.primary_title(message).id(problem.code).element(snippet);
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(one_line(help)));
    }
    vec![group]
}

/// The lines that a problem points to. Only they are handed to the renderer, whose work grows with the text.
struct Window {
    start: usize,
    end: usize,
}

impl Window {
    /// How far a related place may be off to be shown with the problem.
    const REACH: usize = 16 * 1024;

    fn around(source: &Source, problem: &Problem) -> Self {
        let near = |span: &&Span| span.start.abs_diff(problem.span.start) < Self::REACH;
        let spans =
            || problem.related.iter().map(|related| &related.span).filter(near).chain([&problem.span]);
        let first = spans().map(|span| span.start).min().unwrap_or_default();
        let last = spans().map(|span| span.end).max().unwrap_or_default();
        let text = source.text();
        let start = text.get(..first).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let end = text.get(last..).and_then(|after| after.find('\n')).map_or(text.len(), |at| last + at);
        Self { start, end }
    }

    fn holds(&self, span: Span) -> bool {
        self.start <= span.start && span.end <= self.end
    }
}
