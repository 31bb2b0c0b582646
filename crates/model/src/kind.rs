//! The words for kinds of values, the same in every message.

use serde_json::Value;

/// Nothing at all.
pub const NULL: &str = "null";
/// A boolean.
pub const BOOLEAN: &str = "true or false";
/// A number without a fraction.
pub const INTEGER: &str = "a whole number";
/// Any number.
pub const NUMBER: &str = "a number";
/// A string.
pub const TEXT: &str = "a text";
/// An array.
pub const LIST: &str = "a list";
/// An object.
pub const MAPPING: &str = "a mapping";

/// The words for what a value is.
pub fn of(value: &Value) -> &'static str {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        Value::Number(_) => NUMBER,
        Value::String(_) => TEXT,
        Value::Array(_) => LIST,
        Value::Object(_) => MAPPING,
    }
}

/// The words for a `type` of JSON Schema; a type that JSON Schema does not have stays as it is written.
pub fn of_schema_type(name: &str) -> &str {
    match name {
        "null" => NULL,
        "boolean" => BOOLEAN,
        "integer" => INTEGER,
        "number" => NUMBER,
        "string" => TEXT,
        "array" => LIST,
        "object" => MAPPING,
        other => other,
    }
}
