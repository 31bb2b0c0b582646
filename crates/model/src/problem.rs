//! What is wrong with a runbook, and where: plain data, shown by whoever talks to a person.

use serde::Serialize;

use crate::source::{Position, Source, Span};

/// One mistake in a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A short, stable name of the kind of mistake, for programs: `unknown_key`, `wrong_type`, …
    pub code: &'static str,
    /// What is wrong: a lower-case fragment without a final stop.
    pub message: String,
    /// Where it is.
    pub span: Span,
    /// A few words to write beside the caret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'static str>,
    /// Other places that belong to the mistake, such as the first of two equal keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Another place that a [`Problem`] points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// The place.
    pub span: Span,
    /// What to write beside it.
    pub label: String,
}

impl Problem {
    /// A problem at a place, so far without label and help.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, label: None, related: Vec::new(), help: None }
    }

    /// Sets what to write beside the caret.
    #[must_use = "the problem is returned with the label, not changed in place"]
    pub fn label(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }

    /// Adds another place.
    #[must_use = "the problem is returned with the place, not changed in place"]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push(Related { span, label: label.into() });
        self
    }

    /// Sets what to do about it.
    #[must_use = "the problem is returned with the help, not changed in place"]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the help where there is some, such as a suggestion that may not exist.
    #[must_use = "the problem is returned with the help, not changed in place"]
    pub fn help_maybe(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Where the problem begins.
    pub fn position(&self, source: &Source) -> Position {
        source.position(self.span.start)
    }
}

/// All problems of one runbook.
///
/// At most [`Problems::MAX`] are kept, so that hostile input cannot make the list large. Those beyond are counted; a
/// check need not look for what would help with them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Problems {
    list: Vec<Problem>,
    omitted: usize,
}

impl Problems {
    /// How many problems are kept of one runbook.
    pub const MAX: usize = 200;

    /// No problem yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a problem, or counts it where there are too many.
    pub fn push(&mut self, problem: Problem) {
        if self.is_full() {
            self.omitted += 1;
        } else {
            self.list.push(problem);
        }
    }

    /// Gives the value of a success, or keeps the problem and gives nothing.
    pub fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.push(problem)).ok()
    }

    /// Counts a problem that would not be kept, without making it.
    pub(crate) fn omit(&mut self) {
        self.omitted += 1;
    }

    /// Whether no more problems are kept, so that it is not worth looking for what would help with them.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= Self::MAX
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// How many problems there are beyond those that are kept.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// The problems that are kept.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// Puts them in the order of the text, as a reader meets them.
    pub fn sort(&mut self) {
        self.list.sort_by_key(|problem| problem.span);
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { list: vec![problem], omitted: 0 }
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, Problems};
    use crate::source::Span;

    #[test]
    fn problems_are_kept_up_to_a_bound_and_counted_past_it() {
        let mut problems = Problems::new();
        for offset in 0..Problems::MAX + 3 {
            problems.push(Problem::new("test", Span::empty(offset), "wrong"));
        }
        assert_eq!((problems.len(), problems.omitted()), (Problems::MAX, 3));
    }

    #[test]
    fn problems_sort_in_the_order_of_the_text() {
        let mut problems = Problems::new();
        problems.push(Problem::new("second", Span::new(9, 10), "wrong"));
        problems.push(Problem::new("first", Span::new(2, 4), "wrong"));
        problems.sort();
        let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["first", "second"]);
    }

    #[test]
    fn a_problem_is_plain_json() {
        let problem =
            Problem::new("unknown_key", Span::new(1, 3), "unknown key `x`").help("did you mean `y`?");
        assert_eq!(
            serde_json::to_string(&problem).expect("a problem serialises"),
            r#"{"code":"unknown_key","message":"unknown key `x`","span":{"start":1,"end":3},"help":"did you mean `y`?"}"#
        );
    }
}
