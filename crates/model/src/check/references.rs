//! Checks the names in templates: each must mean something, and be there when the step that uses it starts.

use std::collections::{HashMap, HashSet};

use super::needs::unknown_step;
use super::order::{Order, Past};
use super::outline::{Outline, Written};
use crate::catalog::Catalog;
use crate::document::{Document, shortened};
use crate::ids::StepIndex;
use crate::plan::{InputType, Section};
use crate::problem::Problem;
use crate::source::{Span, Spanned};
use crate::suggest::did_you_mean;
use crate::template::Reference;

/// Everything a template can name.
pub(super) struct Names<'n> {
    pub(super) document: &'n Document,
    pub(super) outline: &'n Outline<'n>,
    pub(super) catalog: &'n dyn Catalog,
    order: &'n Order,
    inputs: HashMap<&'n str, Option<InputType>>,
    secrets: HashSet<&'n str>,
}

impl<'n> Names<'n> {
    pub(super) fn new(
        document: &'n Document,
        outline: &'n Outline<'n>,
        order: &'n Order,
        catalog: &'n dyn Catalog,
    ) -> Self {
        let inputs = document.inputs.iter().map(|input| (input.name.value.as_str(), input.kind)).collect();
        let secrets = document.secrets.iter().map(|secret| secret.name.value.as_str()).collect();
        Self { document, outline, catalog, order, inputs, secrets }
    }

    /// Whether any input is a list.
    pub(super) fn has_lists(&self) -> bool {
        self.inputs.values().any(|kind| *kind == Some(InputType::List))
    }

    /// Whether a text is an input that is a list, and nothing else, so that its value is that list.
    pub(super) fn is_list(&self, text: &str) -> bool {
        let inside = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
        let name = inside.and_then(|inside| inside.trim().strip_prefix("inputs."));
        name.is_some_and(|name| self.inputs.get(name) == Some(&Some(InputType::List)))
    }

    /// A bare name is often that of an input or a secret.
    pub(super) fn meant(&self, written: &str) -> Option<String> {
        let input = self.inputs.get_key_value(written).map(|(name, _)| format!("inputs.{name}"));
        let name = input.or_else(|| self.secrets.get(written).map(|name| format!("secrets.{name}")))?;
        Some(format!("did you mean `{name}`?"))
    }

    /// What is over whenever a step opens.
    pub(super) fn past(&self, at: StepIndex) -> Past<'n> {
        self.order.past(at)
    }

    /// Checks a name used by a step; a problem points to `span`. Unless it is to be `helped`, nothing is looked for that
    /// was probably meant, which takes long.
    pub(super) fn check(
        &self,
        at: StepIndex,
        past: &mut Past<'_>,
        reference: &Reference,
        span: Span,
        helped: bool,
    ) -> Result<(), Problem> {
        match reference {
            Reference::Mode | Reference::RunId => Ok(()),
            Reference::Input { name, inside } => self.input(name, inside, span, helped),
            Reference::Secret { name } => {
                if self.secrets.contains(name.as_str()) {
                    return Ok(());
                }
                let message = format!("there is no secret `{}`", shortened(name));
                let known = self.document.secrets.iter().map(|secret| secret.name.value.as_str());
                Err(Problem::new("unknown_secret", span, message)
                    .help("declare it under `secrets`")
                    .help_maybe(helped.then(|| did_you_mean(name, known)).flatten()))
            }
            Reference::Output { step, output, .. } => self.output(at, past, (step, output), span, helped),
        }
    }

    fn input(&self, name: &str, inside: &[String], span: Span, helped: bool) -> Result<(), Problem> {
        let Some(kind) = self.inputs.get(name) else {
            let known = self.document.inputs.iter().map(|input| input.name.value.as_str());
            let message = format!("there is no input `{}`", shortened(name));
            return Err(Problem::new("unknown_input", span, message)
                .help("declare it under `inputs`")
                .help_maybe(helped.then(|| did_you_mean(name, known)).flatten()));
        };
        if inside.is_empty() || matches!(kind, None | Some(InputType::List)) {
            return Ok(());
        }
        let message = format!("there is nothing inside the input `{name}`, it is not a list");
        Err(Problem::new("unknown_input", span, message))
    }

    fn output(
        &self,
        at: StepIndex,
        past: &mut Past<'_>,
        (step, output): (&str, &str),
        span: Span,
        helped: bool,
    ) -> Result<(), Problem> {
        let Some(target) = self.outline.find(step) else {
            return match (self.outline.is_complete, helped) {
                (false, _) => Ok(()),
                (true, true) => Err(unknown_step(self.outline, &Spanned::new(step.to_owned(), span))),
                (true, false) => Err(Problem::new("unknown_step", span, "no step has that id")),
            };
        };
        let row = self.outline.row(target);
        let Written::Step(written) = row.written else {
            let message = format!("`{step}` is a block, it has no outputs");
            return Err(Problem::new("unknown_output", span, message).help("name a step inside it"));
        };
        self.has_run(at, past, target, step, span)?;
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
                    .help_maybe(helped.then(|| did_you_mean(output, outputs)).flatten()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn has_run(
        &self,
        at: StepIndex,
        past: &mut Past<'_>,
        target: StepIndex,
        name: &str,
        span: Span,
    ) -> Result<(), Problem> {
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
                if past.holds(target) {
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
