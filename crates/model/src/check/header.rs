//! Checks the top of a runbook: its id, its inputs with their defaults, its secrets.

use crate::document::{Document, Input, Node, NodeKind, shortened};
use crate::ids::StepId;
use crate::inputs;
use crate::plan::{InputSpec, InputType, SecretSource, SecretSpec};
use crate::problem::{Problem, Problems};
use crate::source::{Span, Spanned};
use crate::template::is_templated;
use serde_json::Value;

/// The runbook's id; also complains about templates where none are rendered.
pub(super) fn runbook(document: &Document, problems: &mut Problems) -> Option<StepId> {
    let texts = [&document.title, &document.owner];
    texts.into_iter().flatten().for_each(|text| plain(text, problems));
    problems.keep(slug(document.runbook.as_ref()?, "runbook id"))
}

/// A name that can also be that of a file.
fn slug(name: &Spanned<String>, what: &str) -> Result<StepId, Problem> {
    StepId::new(&name.value).map_err(|error| {
        let message = format!("`{}` is not a valid {what}", shortened(&name.value));
        Problem::new("invalid_id", name.span, message).help(error.rule)
    })
}

/// Complains about a template in a text that is shown as it is.
pub(super) fn plain(text: &Spanned<String>, problems: &mut Problems) {
    if is_templated(&text.value) {
        let problem = Problem::new("template_not_rendered", text.span, "templates are not rendered here");
        problems.push(problem.help("templates belong in `with` and `when`"));
    }
}

pub(super) fn inputs(document: &Document, problems: &mut Problems) -> Option<Vec<InputSpec>> {
    let specs: Vec<_> = document.inputs.iter().map(|written| input(written, problems)).collect();
    specs.into_iter().collect()
}

fn input(written: &Input, problems: &mut Problems) -> Option<InputSpec> {
    let kind = written.kind?;
    let choices: Vec<_> =
        written.choices.iter().map(|node| value(kind.of_choice(), node, problems)).collect();
    let choices: Vec<Value> = choices.into_iter().collect::<Option<_>>()?;
    let default = match &written.default {
        Some(node) => Some((value(kind, node, problems)?, node.span)),
        None => None,
    };
    let spec = InputSpec {
        name: written.name.value.clone(),
        kind,
        default: default.as_ref().map(|(value, _)| value.clone()),
        choices,
        help: written.help.as_ref().map(|help| help.value.clone()),
    };
    if let Some((default, span)) = default {
        problems.keep(spec.allows(&default).map_err(|why| Problem::new("not_a_choice", span, why)))?;
    }
    Some(spec)
}

/// A default or choice, as its author meant it: where text is wanted, `5432` is text without quotes.
fn value(kind: InputType, node: &Node, problems: &mut Problems) -> Option<Value> {
    let wrong = |span: Span, why| Problem::new("wrong_type", span, why);
    match (&node.kind, kind) {
        (NodeKind::Refused, _) => None,
        (NodeKind::Scalar(scalar), InputType::String | InputType::Duration) if !scalar.is_null() => {
            problems.keep(inputs::from_text(kind, &scalar.text).map_err(|why| wrong(node.span, why)))
        }
        (NodeKind::Sequence(items), InputType::List) => {
            let texts: Vec<_> = items.iter().map(|item| value(InputType::String, item, problems)).collect();
            texts.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
        }
        (NodeKind::Scalar(_) | NodeKind::Sequence(_) | NodeKind::Mapping(_), _) => {
            let given = node.json(problems)?;
            problems.keep(inputs::from_json(kind, &given).map_err(|why| wrong(node.span, why)))
        }
    }
}

pub(super) fn secrets(document: &Document, problems: &mut Problems) -> Option<Vec<SecretSpec>> {
    let specs = document.secrets.iter().map(|secret| {
        let from = secret.from.clone()?;
        let (SecretSource::Env(place) | SecretSource::File(place)) = &from;
        plain(&Spanned::new(place.clone(), secret.name.span), problems);
        Some(SecretSpec { name: secret.name.value.clone(), from })
    });
    specs.collect::<Vec<_>>().into_iter().collect()
}
