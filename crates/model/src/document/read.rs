//! Reads single values: text, numbers, durations, words from a list.

use jiff::SignedDuration;
use serde_json::Value;

use super::node::{Node, NodeKind, Scalar};
use super::syntax_error::shortened;
use crate::problem::Problem;
use crate::source::Spanned;
use crate::suggest::did_you_mean;
use crate::{duration, kind};

/// Text as written. Numbers and words such as `no` are text here; nothing at all is not.
pub(super) fn text(node: &Node, key: &str) -> Result<Spanned<String>, Problem> {
    let scalar = scalar(node, key, kind::TEXT)?;
    if scalar.is_null() || scalar.text.is_empty() {
        return Err(Problem::new("wrong_type", node.span, format!("`{key}` is empty")));
    }
    Ok(Spanned::new(scalar.text.clone(), node.span))
}

/// `true` or `false`, and no other spelling of them.
pub(super) fn flag(node: &Node, key: &str) -> Result<bool, Problem> {
    match scalar(node, key, kind::BOOLEAN)?.value(node.span)? {
        Value::Bool(value) => Ok(value),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(wrong_type(node, key, kind::BOOLEAN))
        }
    }
}

/// A whole number from one up.
pub(super) fn count(node: &Node, key: &str) -> Result<u32, Problem> {
    let value = scalar(node, key, kind::INTEGER)?.value(node.span)?;
    let count = value.as_u64().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    count.ok_or_else(|| wrong_type(node, key, "a whole number, 1 or more"))
}

/// A finite number, not below one: what a delay is multiplied with.
pub(super) fn factor(node: &Node, key: &str) -> Result<f64, Problem> {
    let value = scalar(node, key, kind::NUMBER)?.value(node.span)?;
    value.as_f64().filter(|factor| *factor >= 1.0).ok_or_else(|| wrong_type(node, key, "a number, 1 or more"))
}

/// A duration such as `10s` or `1h 30m`.
pub(super) fn duration(node: &Node, key: &str) -> Result<SignedDuration, Problem> {
    let scalar = scalar(node, key, "a duration")?;
    duration::parse(&scalar.text).map_err(|wrong| {
        let why = wrong.message(&shortened(&scalar.text));
        Problem::new("wrong_type", node.span, format!("`{key}`: {why}")).help(duration::HOW_TO_WRITE)
    })
}

/// One word of a fixed set, and what it stands for.
pub(super) fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&Node, &'static str) -> Result<T, Problem> {
    move |node, key| {
        let given = text(node, key)?;
        let found = words.iter().find(|(word, _)| *word == given.value);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("`{key}` cannot be `{}`", shortened(&given.value));
            Problem::new("unknown_word", node.span, message)
                .help(format!("it is one of: {}", known.join(", ")))
                .help_maybe(did_you_mean(&given.value, known))
        })
    }
}

/// The items of a list.
pub(super) fn items<'n>(node: &'n Node, key: &str) -> Result<&'n [Node], Problem> {
    match &node.kind {
        NodeKind::Sequence(items) => Ok(items),
        NodeKind::Scalar(scalar) if !scalar.is_null() => {
            let help = format!("write `{key}: [{}]`", shortened(&scalar.text));
            Err(wrong_type(node, key, kind::LIST).help(help))
        }
        NodeKind::Scalar(_) | NodeKind::Mapping(_) | NodeKind::Refused => {
            Err(wrong_type(node, key, kind::LIST))
        }
    }
}

fn scalar<'n>(node: &'n Node, key: &str, wanted: &str) -> Result<&'n Scalar, Problem> {
    match &node.kind {
        NodeKind::Scalar(scalar) => Ok(scalar),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) | NodeKind::Refused => {
            Err(wrong_type(node, key, wanted))
        }
    }
}

fn wrong_type(node: &Node, key: &str, wanted: &str) -> Problem {
    let given = match &node.kind {
        NodeKind::Scalar(scalar) if !scalar.is_null() => format!("`{}`", shortened(&scalar.text)),
        NodeKind::Scalar(_) | NodeKind::Sequence(_) | NodeKind::Mapping(_) | NodeKind::Refused => {
            node.describe().to_owned()
        }
    };
    Problem::new("wrong_type", node.span, format!("`{key}` must be {wanted}, this is {given}"))
}
