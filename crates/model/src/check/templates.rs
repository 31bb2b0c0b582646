//! Checks the templates of a step, wherever they stand in it.

use super::order::Past;
use super::references::Names;
use crate::document::{Node, NodeKind};
use crate::ids::StepIndex;
use crate::problem::{Problem, Problems};
use crate::source::{Source, Span, Spanned};
use crate::template::{Mistake, Reference, Template, Use, is_templated};

/// The templates of one step.
pub(super) struct Templates<'n> {
    pub(super) names: &'n Names<'n>,
    at: StepIndex,
    past: Past<'n>,
}

/// Is told each use of a secret: the path of the parameter, the place of the text, the use.
pub(super) type OnSecret<'f> = &'f mut dyn FnMut(&[String], Span, &Use, &mut Problems);

impl<'n> Templates<'n> {
    pub(super) fn new(names: &'n Names<'n>, at: StepIndex) -> Self {
        Self { names, at, past: names.past(at) }
    }

    /// Checks a `when`: one expression, without secrets.
    pub(super) fn condition(&mut self, when: &Spanned<String>, problems: &mut Problems) {
        let template = Template::new(when.value.as_str(), when.span);
        if template.mistakes().is_empty() && !template.is_one_expression() {
            let message = "`when` must be one template that is true or false";
            let problem = Problem::new("not_a_condition", when.span, message);
            problems.push(problem.help("write it like \"{{ eq mode 'live' }}\""));
        }
        self.report(&template, problems);
        for used in template.uses().iter().filter(|used| is_secret(used)) {
            let span = place_of(&self.names.document.source, when.span, &used.written);
            problems.push(Problem::new("secret_in_condition", span, "a condition cannot use a secret"));
        }
    }

    /// Checks all templates in a value, which stands at `path` among the parameters.
    pub(super) fn value(
        &mut self,
        node: &Node,
        path: &mut Vec<String>,
        on_secret: OnSecret<'_>,
        problems: &mut Problems,
    ) {
        match &node.kind {
            NodeKind::Refused => {}
            NodeKind::Scalar(scalar) if !is_templated(&scalar.text) => {}
            NodeKind::Scalar(scalar) => {
                let template = Template::new(scalar.text.as_str(), node.span);
                self.report(&template, problems);
                for used in template.uses().iter().filter(|used| is_secret(used)) {
                    on_secret(path, node.span, used, problems);
                }
            }
            NodeKind::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    self.value(item, path, on_secret, problems);
                    path.pop();
                }
            }
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    if is_templated(&entry.key.value) {
                        let message = "templates are not rendered in keys";
                        problems.push(Problem::new("template_not_rendered", entry.key.span, message));
                    }
                    path.push(entry.key.value.clone());
                    self.value(&entry.value, path, on_secret, problems);
                    path.pop();
                }
            }
        }
    }

    fn report(&mut self, template: &Template, problems: &mut Problems) {
        let (source, text) = (&self.names.document.source, template.span());
        for Mistake { written, message, help } in template.mistakes() {
            let problem = Problem::new("template", place_of(source, text, written), message.clone());
            problems.push(problem.help_maybe(help.clone()).help_maybe(self.names.meant(written)));
        }
        for used in template.uses() {
            let helped = !problems.is_full();
            // Looking for the place is left until there is a problem to show there.
            let checked = self.names.check(self.at, &mut self.past, &used.reference, text, helped);
            if !helped {
                checked.unwrap_or_else(|_| problems.omit());
            } else if let Err(mut problem) = checked {
                problem.span = place_of(source, text, &used.written);
                problems.push(problem);
            }
        }
    }
}

fn is_secret(used: &Use) -> bool {
    matches!(used.reference, Reference::Secret { .. })
}

/// Where a name stands in a text, as written; the whole text if it cannot be told.
pub(super) fn place_of(source: &Source, text: Span, name: &str) -> Span {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
    let written = source.slice(text);
    let whole_name = |at: &usize| {
        let before = written[..*at].chars().next_back();
        let after = written[at + name.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    };
    let at =
        (!name.is_empty()).then(|| written.match_indices(name).map(|(at, _)| at).find(whole_name)).flatten();
    at.map_or(text, |at| Span::new(text.start + at, text.start + at + name.len()))
}
