//! Checks the call of an action: that there is such an action, and that its parameters fit.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::references::Names;
use super::templates::{Templates, place_of};
use crate::catalog::ParamProblem;
use crate::document::{Call, Node, NodeKind, shortened};
use crate::ids::ActionName;
use crate::plan::ActionCall;
use crate::problem::{Problem, Problems};
use crate::source::{Span, Spanned};
use crate::suggest::did_you_mean;
use crate::template::Use;

/// Checks a call; gives nothing, with a problem, if it cannot be carried out.
pub(super) fn check(
    templates: &mut Templates<'_>,
    call: &Call,
    problems: &mut Problems,
) -> Option<ActionCall> {
    let names = templates.names;
    let spec = call.action.as_ref().and_then(|action| names.catalog.spec(&action.value));
    check_templates(templates, call, spec.map(|spec| &spec.params), problems);
    let with = parameters(call, problems);
    let action = call.action.as_ref()?;
    let Some(spec) = spec else {
        // Looking for a near name is not worth it for a problem that nobody will read.
        if problems.is_full() {
            problems.omit();
        } else {
            problems.push(unknown_action(names, action));
        }
        return None;
    };
    let with = with?;
    let name = action.value.as_str();
    for wrong in names.catalog.check_params(name, &as_far_as_known(names, &with)) {
        let span = place(call, action.span, &wrong);
        problems.push(Problem::new("parameter", span, wrong.message).help_maybe(wrong.help));
    }
    Some(ActionCall {
        action: spec.name.clone(),
        effect: names.catalog.effect(name, &with),
        harmless: names.catalog.harmlessness(name, &with),
        idempotent: spec.idempotent,
        observable: spec.observable,
        recoverable: spec.recoverable,
        rehearsed_without: spec.rehearsed_without.clone(),
        with,
    })
}

/// Checks the templates of the parameters, and that no secret goes where others can read it.
fn check_templates(
    templates: &mut Templates<'_>,
    call: &Call,
    schema: Option<&Value>,
    problems: &mut Problems,
) {
    let source = &templates.names.document.source;
    let Some(with) = &call.with else { return };
    let mut visible = |path: &[String], text: Span, secret: &Use, problems: &mut Problems| {
        if schema.is_some_and(|schema| is_visible(schema, path)) {
            let span = place_of(source, text, &secret.written);
            let parameter = path.first().map_or("", String::as_str);
            let message = format!("others can read `{parameter}`, so it cannot hold a secret");
            let problem = Problem::new("visible_secret", span, message);
            problems.push(problem.help("hand it over in another way, such as an environment variable"));
        }
    };
    templates.value(with, &mut Vec::new(), &mut visible, problems);
}

/// Whether the value at a path, or anything around it, ends up where others can read it.
fn is_visible(schema: &Value, path: &[String]) -> bool {
    let mut here = Some(schema);
    let mut ways = path.iter();
    while let Some(schema) = here {
        if schema.get("x-visible") == Some(&Value::Bool(true)) {
            return true;
        }
        let Some(way) = ways.next() else { return false };
        let property = schema.get("properties").and_then(|properties| properties.get(way));
        here = property.or_else(|| schema.get("items")).or_else(|| schema.get("additionalProperties"));
    }
    false
}

fn parameters(call: &Call, problems: &mut Problems) -> Option<Value> {
    match &call.with {
        None => Some(Value::Object(Map::new())),
        Some(Node { kind: NodeKind::Refused, .. }) => None,
        Some(Node { kind: NodeKind::Scalar(scalar), .. }) if scalar.is_null() => {
            Some(Value::Object(Map::new()))
        }
        Some(node @ Node { kind: NodeKind::Mapping(_), .. }) => node.json(problems),
        Some(node @ Node { kind: NodeKind::Scalar(_) | NodeKind::Sequence(_), .. }) => {
            let message = format!("`with` must be a mapping of parameters, this is {}", node.describe());
            problems.push(Problem::new("wrong_type", node.span, message));
            None
        }
    }
}

/// The parameters with every input that is a list, where it is the whole value, written as a list: that it is one is
/// known before its items are, and not every parameter takes a list.
fn as_far_as_known<'v>(names: &Names<'_>, with: &'v Value) -> Cow<'v, Value> {
    fn write_lists(names: &Names<'_>, value: &mut Value) {
        match value {
            Value::String(text) if names.is_list(text) => *value = Value::Array(vec![value.take()]),
            Value::Array(items) => items.iter_mut().for_each(|item| write_lists(names, item)),
            Value::Object(map) => map.values_mut().for_each(|item| write_lists(names, item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    if !names.has_lists() {
        return Cow::Borrowed(with);
    }
    let mut with = with.clone();
    write_lists(names, &mut with);
    Cow::Owned(with)
}

/// Where a problem stands. A parameter that is missing is shown at the action that wants it.
pub(super) fn place(call: &Call, action: Span, wrong: &ParamProblem) -> Span {
    let path = wrong.place();
    match (&call.with, path.first()) {
        (Some(with), Some(_)) if wrong.on_key => with.key_place(path),
        (Some(with), Some(parameter)) if with.has(parameter) => with.place(path),
        _ => action,
    }
}

fn unknown_action(names: &Names<'_>, action: &Spanned<String>) -> Problem {
    let shown = shortened(&action.value);
    let known = names.catalog.names();
    let family = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let siblings: Vec<_> =
        known.iter().copied().filter(|name| family(name) == family(&action.value)).collect();
    let hint = if siblings.is_empty() {
        "`lifeboat actions` lists what there is".to_owned()
    } else {
        format!("there are: {}", siblings.join(", "))
    };
    let help = did_you_mean(&action.value, known.iter().copied());
    let help = help.or_else(|| {
        ActionName::new(&action.value).is_err().then(|| "write family.verb, such as `command.run`".to_owned())
    });
    Problem::new("unknown_action", action.span, format!("there is no action `{shown}`"))
        .help(hint)
        .help_maybe(help)
}
