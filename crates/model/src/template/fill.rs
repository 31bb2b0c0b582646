//! Fills templates in, when a step starts.
//!
//! A value that is not known stays not known: a text that uses the output of a step without outputs is no empty text but
//! [`Filled::Unknown`]. A text that is exactly one expression keeps its type.

use serde_json::{Map, Value};

use super::cannot_fill::CannotFill;
use super::render::Rendered;
use super::{Scope, Template, is_templated};
use crate::source::Span;

/// Parameters with their templates filled in.
#[derive(Debug, Clone, PartialEq)]
pub enum Filled {
    /// All of it is known.
    Known {
        /// For the action.
        value: Value,
        /// For the journal: every secret masked.
        masked: Value,
    },
    /// Some of it is not known.
    Unknown {
        /// What, and why not.
        why: String,
        /// What is known, with null for the rest and every secret masked.
        masked: Value,
    },
}

/// A condition with its template filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// It is true.
    True,
    /// It is false.
    False,
    /// It uses a value that is not known.
    Unknown {
        /// The reason, with the name of the value.
        why: String,
    },
}

/// Fills in every template inside `with`.
///
/// # Errors
/// A template that fails although everything it uses is known, such as one that looks into a value that is not there.
pub(super) fn fill(with: &Value, scope: &dyn Scope) -> Result<Filled, CannotFill> {
    let mut unknown = Vec::new();
    let (value, masked) = walk(with, scope, &mut unknown)?;
    Ok(match unknown.is_empty() {
        true => Filled::Known { value, masked },
        false => Filled::Unknown { why: unknown.join("; "), masked },
    })
}

fn walk(value: &Value, scope: &dyn Scope, unknown: &mut Vec<String>) -> Result<(Value, Value), CannotFill> {
    match value {
        Value::String(text) if is_templated(text) => {
            Ok(match Template::new(text.as_str(), Span::default()).render(scope)? {
                Rendered::Known { value, masked } => (value, masked),
                Rendered::Unknown(why) => {
                    unknown.extend(why);
                    (Value::Null, Value::Null)
                }
            })
        }
        Value::Array(items) => {
            let pairs: Result<Vec<_>, _> = items.iter().map(|item| walk(item, scope, unknown)).collect();
            let (values, masked) = pairs?.into_iter().unzip();
            Ok((Value::Array(values), Value::Array(masked)))
        }
        Value::Object(map) => {
            let (mut values, mut masked) = (Map::new(), Map::new());
            for (key, item) in map {
                let (value, mask) = walk(item, scope, unknown)?;
                values.insert(key.clone(), value);
                masked.insert(key.clone(), mask);
            }
            Ok((Value::Object(values), Value::Object(masked)))
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            Ok((value.clone(), value.clone()))
        }
    }
}

impl Template {
    /// Decides a condition.
    ///
    /// # Errors
    /// When the template fails although everything it uses is known, or its value is neither true nor false.
    pub fn decide(&self, scope: &dyn Scope) -> Result<Decided, CannotFill> {
        let value = match self.render(scope)? {
            Rendered::Unknown(why) => return Ok(Decided::Unknown { why: why.join("; ") }),
            Rendered::Known { value, .. } => value,
        };
        match &value {
            Value::Bool(true) => Ok(Decided::True),
            Value::Bool(false) => Ok(Decided::False),
            Value::String(text) if text.trim() == "true" => Ok(Decided::True),
            Value::String(text) if text.trim() == "false" => Ok(Decided::False),
            _ => {
                let why = format!("a condition must be true or false, this is {value}");
                Err(CannotFill { template: self.text().to_owned(), why })
            }
        }
    }
}
