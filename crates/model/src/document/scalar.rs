//! The types of scalars: what YAML takes an unquoted text for, as JSON values.

use serde_json::Value;

use super::node::{Entry, Node, NodeKind, Scalar};
use crate::kind;
use crate::problem::{Problem, Problems};
use crate::source::Span;

impl Scalar {
    /// The typed value: quoted text is text, plain text is what YAML says it is.
    ///
    /// # Errors
    /// Infinity and what is not a number: JSON has neither, and `null` would be quietly something else.
    pub fn value(&self, span: Span) -> Result<Value, Problem> {
        if !self.plain || !may_be_typed(&self.text) {
            return Ok(Value::String(self.text.clone()));
        }
        match serde_yaml::from_str::<serde_yaml::Value>(&self.text) {
            Ok(serde_yaml::Value::Null) => Ok(Value::Null),
            Ok(serde_yaml::Value::Bool(value)) => Ok(Value::Bool(value)),
            Ok(serde_yaml::Value::Number(number)) => exact(&number).ok_or_else(|| {
                Problem::new("not_finite", span, format!("`{}` is not a finite number", self.text))
                    .help("put it in quotes to keep it as text")
            }),
            Ok(_) | Err(_) => Ok(Value::String(self.text.clone())),
        }
    }

    /// Whether nothing stands there: an empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    pub(super) fn describe(&self) -> &'static str {
        match self.value(Span::default()) {
            Ok(Value::Null) => kind::NULL,
            Ok(Value::Bool(_)) => kind::BOOLEAN,
            Ok(Value::Number(_)) | Err(_) => kind::NUMBER,
            Ok(Value::String(_) | Value::Array(_) | Value::Object(_)) => kind::TEXT,
        }
    }
}

impl Node {
    /// The value as JSON, every scalar typed; nothing if any part of it was refused, now or before.
    pub fn json(&self, problems: &mut Problems) -> Option<Value> {
        match &self.kind {
            NodeKind::Scalar(scalar) => problems.keep(scalar.value(self.span)),
            NodeKind::Sequence(items) => {
                let values: Vec<_> = items.iter().map(|item| item.json(problems)).collect();
                values.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
            }
            NodeKind::Mapping(entries) => {
                let value = |entry: &Entry, problems: &mut _| {
                    entry.value.json(problems).map(|value| (entry.key.value.clone(), value))
                };
                let values: Vec<_> = entries.iter().map(|entry| value(entry, problems)).collect();
                values.into_iter().collect::<Option<_>>().map(Value::Object)
            }
            NodeKind::Refused => None,
        }
    }
}

/// Whether a plain text can be anything but text. Most cannot, and a parser for each would cost more than
/// reading the whole document.
fn may_be_typed(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return true };
    let word = text.len() <= "false".len() && first.is_ascii_alphabetic();
    let number = text.len() <= 400 && (first.is_ascii_digit() || "+-.".contains(first)) && text != "---";
    word || number || text == "~"
}

/// The JSON number of the same worth, if there is one.
fn exact(number: &serde_yaml::Number) -> Option<Value> {
    if let Some(whole) = number.as_i64() {
        return Some(Value::from(whole));
    }
    if let Some(whole) = number.as_u64() {
        return Some(Value::from(whole));
    }
    number.as_f64().and_then(serde_json::Number::from_f64).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Scalar;
    use crate::source::Span;

    fn plain(text: &str) -> Option<Value> {
        Scalar { text: text.to_owned(), plain: true }.value(Span::default()).ok()
    }

    #[test]
    fn plain_scalars_have_the_type_of_their_text() {
        for (text, value) in [
            ("5432", json!(5432)),
            ("-1", json!(-1)),
            ("1.5", json!(1.5)),
            ("0x10", json!(16)),
            ("true", json!(true)),
            ("null", Value::Null),
            ("~", Value::Null),
            ("", Value::Null),
            ("18446744073709551615", json!(u64::MAX)),
        ] {
            assert_eq!(plain(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_only_looks_special_stays_text() {
        for text in [
            "no",
            "yes",
            "on",
            "012",
            "10s",
            "1.2.3",
            "2026-01-01",
            "12:30:45",
            "---",
            "...",
            "- a",
            "db-a",
            "123456789012345678901234567890",
        ] {
            assert_eq!(plain(text), Some(json!(text)), "{text}");
        }
        let quoted = Scalar { text: "5432".to_owned(), plain: false };
        assert_eq!(quoted.value(Span::default()), Ok(json!("5432")));
    }

    #[test]
    fn numbers_that_json_does_not_have_are_refused() {
        for text in [".nan", ".inf", "-.inf"] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
