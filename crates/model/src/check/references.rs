//! Checks the templates of a step: every name must mean something, and be there when the step starts.

use std::collections::{HashMap, HashSet};

use super::needs::unknown_step;
use super::order::Order;
use super::outline::{Outline, Written};
use crate::catalog::{Catalog, is_templated};
use crate::document::{Document, Node, NodeKind, shortened};
use crate::ids::StepIndex;
use crate::nearest::did_you_mean;
use crate::plan::{InputType, Section};
use crate::problem::{Problem, Problems};
use crate::source::{Source, Span, Spanned};
use crate::template::{Analysis, Mistake, Reference, Use, analyse};

/// Everything a template can name.
pub(super) struct Names<'n> {
    pub(super) document: &'n Document,
    pub(super) outline: &'n Outline<'n>,
    pub(super) catalog: &'n dyn Catalog,
    /// Missing where steps wait for each other, which is a problem already.
    order: Option<&'n Order>,
    inputs: HashMap<&'n str, Option<InputType>>,
    secrets: HashSet<&'n str>,
}

/// Is told each use of a secret: the path of the parameter, the place of the text, the use.
pub(super) type OnSecret<'f> = &'f mut dyn FnMut(&[String], Span, &Use, &mut Problems);

impl<'n> Names<'n> {
    pub(super) fn new(
        document: &'n Document,
        outline: &'n Outline<'n>,
        order: Option<&'n Order>,
        catalog: &'n dyn Catalog,
    ) -> Self {
        let inputs = document.inputs.iter().map(|input| (input.name.value.as_str(), input.kind)).collect();
        let secrets = document.secrets.iter().map(|secret| secret.name.value.as_str()).collect();
        Self { document, outline, catalog, order, inputs, secrets }
    }

    /// Checks a `when`: one expression, without secrets.
    pub(super) fn condition(&self, at: StepIndex, when: &Spanned<String>, problems: &mut Problems) {
        let analysis = if is_templated(&when.value) { analyse(&when.value) } else { Analysis::default() };
        if analysis.mistakes.is_empty() && !analysis.is_one_expression {
            let message = "`when` must be one template that is true or false";
            let problem = Problem::new("not_a_condition", when.span, message);
            problems.push(problem.help("write it like \"{{ eq mode 'live' }}\""));
        }
        self.report(at, when.span, &analysis, problems);
        for used in &analysis.uses {
            if let Reference::Secret { .. } = used.reference {
                let span = place_of(&self.document.source, when.span, &used.written);
                problems.push(Problem::new("secret_in_condition", span, "a condition cannot use a secret"));
            }
        }
    }

    /// Checks all templates in a value; `secret` is called with the path and place of each use of a secret.
    pub(super) fn value(
        &self,
        at: StepIndex,
        node: &Node,
        path: &mut Vec<String>,
        secret: OnSecret<'_>,
        problems: &mut Problems,
    ) {
        match &node.kind {
            NodeKind::Refused => {}
            NodeKind::Scalar(scalar) => {
                if is_templated(&scalar.text) {
                    let analysis = analyse(&scalar.text);
                    self.report(at, node.span, &analysis, problems);
                    for used in &analysis.uses {
                        if let Reference::Secret { .. } = used.reference {
                            secret(path, node.span, used, problems);
                        }
                    }
                }
            }
            NodeKind::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    self.value(at, item, path, secret, problems);
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
                    self.value(at, &entry.value, path, secret, problems);
                    path.pop();
                }
            }
        }
    }

    fn report(&self, at: StepIndex, text: Span, analysis: &Analysis, problems: &mut Problems) {
        let source = &self.document.source;
        for Mistake { written, message, help } in &analysis.mistakes {
            let problem = Problem::new("template", place_of(source, text, written), message.clone());
            problems.push(problem.help_maybe(help.clone()).help_maybe(self.meant(written)));
        }
        for used in &analysis.uses {
            if problems.is_full() {
                return;
            }
            if let Err(mut problem) = self.means_something(at, used, text) {
                problem.span = place_of(source, text, &used.written);
                problems.push(problem);
            }
        }
    }

    /// A bare name is often that of an input or a secret.
    fn meant(&self, written: &str) -> Option<String> {
        let input = self.inputs.get_key_value(written).map(|(name, _)| format!("inputs.{name}"));
        let name = input.or_else(|| self.secrets.get(written).map(|name| format!("secrets.{name}")))?;
        Some(format!("did you mean `{name}`?"))
    }

    /// Checks one name; a problem points to the whole text.
    fn means_something(&self, at: StepIndex, used: &Use, span: Span) -> Result<(), Problem> {
        match &used.reference {
            Reference::Mode | Reference::RunId => Ok(()),
            Reference::Input { name, inside } => self.input(name, inside, span),
            Reference::Secret { name } => {
                if self.secrets.contains(name.as_str()) {
                    return Ok(());
                }
                let message = format!("there is no secret `{}`", shortened(name));
                Err(Problem::new("unknown_secret", span, message)
                    .help("declare it under `secrets`")
                    .help_maybe(did_you_mean(
                        name,
                        self.document.secrets.iter().map(|secret| secret.name.value.as_str()),
                    )))
            }
            Reference::Output { step, output, .. } => self.output(at, step, output, span),
        }
    }

    fn input(&self, name: &str, inside: &[String], span: Span) -> Result<(), Problem> {
        let Some(kind) = self.inputs.get(name) else {
            let known = self.document.inputs.iter().map(|input| input.name.value.as_str());
            let message = format!("there is no input `{}`", shortened(name));
            return Err(Problem::new("unknown_input", span, message)
                .help("declare it under `inputs`")
                .help_maybe(did_you_mean(name, known)));
        };
        if inside.is_empty() || matches!(kind, None | Some(InputType::List)) {
            return Ok(());
        }
        let message = format!("there is nothing inside the input `{name}`, it is not a list");
        Err(Problem::new("unknown_input", span, message))
    }

    fn output(&self, at: StepIndex, step: &str, output: &str, span: Span) -> Result<(), Problem> {
        let Some(target) = self.outline.find(step) else {
            let unknown = unknown_step(self.outline, &Spanned::new(step.to_owned(), span));
            return if self.outline.is_complete { Err(unknown) } else { Ok(()) };
        };
        let row = self.outline.row(target);
        let Written::Step(written) = row.written else {
            let message = format!("`{step}` is a block, it has no outputs");
            return Err(Problem::new("unknown_output", span, message).help("name a step inside it"));
        };
        self.has_run(at, target, step, span)?;
        let action = written.call.action.as_ref().and_then(|action| self.catalog.spec(&action.value));
        match action.and_then(|action| Some((action, action.output_names()?))) {
            Some((action, outputs)) if !outputs.contains(&output) => {
                let message = format!("`{}` gives no output `{}`", action.name, shortened(output));
                let all = match outputs.join(", ") {
                    none if none.is_empty() => "it gives none".to_owned(),
                    all => format!("it gives: {all}"),
                };
                Err(Problem::new("unknown_output", span, message)
                    .help(all)
                    .help_maybe(did_you_mean(output, outputs)))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn has_run(&self, at: StepIndex, target: StepIndex, name: &str, span: Span) -> Result<(), Problem> {
        let section = |step| self.outline.row(step).section;
        let not_before = |message: String| {
            let place = self.outline.row(target).written.id_place();
            Problem::new("not_run_before", span, message).related(place, "this step")
        };
        if at == target {
            return Err(Problem::new("not_run_before", span, format!("`{name}` cannot use its own outputs")));
        }
        match (section(at), section(target)) {
            // All steps are over when `finally` starts.
            (Section::Finally, Section::Steps) => Ok(()),
            (Section::Steps, Section::Finally) => {
                Err(not_before(format!("`{name}` stands in `finally` and runs after this step")))
            }
            (Section::Steps, Section::Steps) | (Section::Finally, Section::Finally) => {
                if self.order.is_none_or(|order| order.is_over_before(target, at)) {
                    return Ok(());
                }
                let problem = not_before(format!("`{name}` may not have run when this step starts"));
                Err(problem.help(match section(at) {
                    Section::Steps => format!("add `{name}` to the `needs` of this step"),
                    Section::Finally => format!("put `{name}` above"),
                }))
            }
        }
    }
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
