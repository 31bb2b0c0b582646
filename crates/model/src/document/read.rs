//! Reads single values: text, numbers, durations, words from a list.

use jiff::SignedDuration;
use serde_json::Value;

use super::node::{Node, NodeKind, Scalar};
use super::syntax_error::shortened;
use crate::problem::Problem;
use crate::source::Spanned;
use crate::suggest::did_you_mean;

/// The longest duration of the language: long enough for any wait, short enough for any clock.
const MAX_DURATION: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Text as written. Numbers and words such as `no` are text here; nothing at all is not.
pub(super) fn text(node: &Node, key: &str) -> Result<Spanned<String>, Problem> {
    let scalar = scalar(node, key, "text")?;
    if scalar.is_null() || scalar.text.is_empty() {
        return Err(Problem::new("wrong_type", node.span, format!("`{key}` is empty")));
    }
    Ok(Spanned::new(scalar.text.clone(), node.span))
}

/// `true` or `false`, and no other spelling of them.
pub(super) fn flag(node: &Node, key: &str) -> Result<bool, Problem> {
    match scalar(node, key, "true or false")?.value(node.span)? {
        Value::Bool(value) => Ok(value),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(wrong_type(node, key, "true or false"))
        }
    }
}

/// A whole number from one up.
pub(super) fn count(node: &Node, key: &str) -> Result<u32, Problem> {
    let value = scalar(node, key, "a whole number")?.value(node.span)?;
    let count = value.as_u64().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    count.ok_or_else(|| wrong_type(node, key, "a whole number, 1 or more"))
}

/// A finite number, not below one: what a delay is multiplied with.
pub(super) fn factor(node: &Node, key: &str) -> Result<f64, Problem> {
    let value = scalar(node, key, "a number")?.value(node.span)?;
    value.as_f64().filter(|factor| *factor >= 1.0).ok_or_else(|| wrong_type(node, key, "a number, 1 or more"))
}

/// A duration such as `10s` or `1h 30m`.
pub(super) fn duration(node: &Node, key: &str) -> Result<SignedDuration, Problem> {
    let scalar = scalar(node, key, "a duration")?;
    parse_duration(&scalar.text).map_err(|why| {
        let message = format!("`{key}` must be a duration, {why}");
        Problem::new("wrong_type", node.span, message).help("write it like 250ms, 10s, 2m or 1h 30m")
    })
}

/// Reads a duration such as `10s` or `1h 30m`.
///
/// # Errors
/// Says what is wrong with the text, as the second half of a sentence.
pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let shown = shortened(text);
    if text.trim().parse::<f64>().is_ok() {
        return Err(format!("`{shown}` has no unit"));
    }
    let duration: SignedDuration =
        text.trim().parse().map_err(|_: jiff::Error| format!("`{shown}` is none"))?;
    if duration.is_negative() {
        return Err(format!("`{shown}` is negative"));
    }
    if duration > MAX_DURATION {
        return Err(format!("`{shown}` is longer than a year"));
    }
    Ok(duration)
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
            Err(wrong_type(node, key, "a list").help(help))
        }
        NodeKind::Scalar(_) | NodeKind::Mapping(_) | NodeKind::Refused => {
            Err(wrong_type(node, key, "a list"))
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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::parse_duration;

    #[test]
    fn durations_are_written_with_units() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(SignedDuration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, why) in [
            ("10", "`10` has no unit"),
            ("soon", "`soon` is none"),
            ("-5s", "`-5s` is negative"),
            ("90000h", "`90000h` is longer than a year"),
            ("", "`` is none"),
        ] {
            assert_eq!(parse_duration(text), Err(why.to_owned()), "{text}");
        }
    }
}
