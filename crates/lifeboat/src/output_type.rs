//! What an output must be that a person gives in place of a step: as the step's action declares it.

use lifeboat_model::{ActionSpec, kind};
use serde_json::Value;

/// What an output must be: one of the types that its action declares, or anything where it declares none.
#[derive(Debug, Clone, Default)]
pub struct OutputType {
    types: Vec<String>,
}

impl OutputType {
    /// What an output must be by the action that gives it.
    pub(crate) fn of(spec: &ActionSpec, output: &str) -> Self {
        let schema = spec.outputs.get("properties").and_then(|all| all.get(output)?.get("type"));
        let types = match schema {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => {
                several.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        Self { types }
    }

    /// Reads what was typed: JSON where it is of a declared type, else text where that is one. The error says what it
    /// must be.
    ///
    /// # Errors
    /// When it is of no declared type.
    pub fn read(&self, text: String) -> Result<Value, String> {
        let json = serde_json::from_str(&text).ok();
        match json.filter(|value| self.takes(value)) {
            Some(value) => Ok(value),
            None if self.takes_text() => Ok(Value::String(text)),
            None => Err(format!("must be {}", self.in_words())),
        }
    }

    /// What it must be, in words.
    pub fn in_words(&self) -> String {
        if self.types.is_empty() {
            return "JSON or a text".to_owned();
        }
        let words: Vec<_> = self.types.iter().map(|declared| kind::of_schema_type(declared)).collect();
        words.join(" or ")
    }

    /// Whether JSON is of a declared type. A text is taken as it was typed, so JSON is never one.
    fn takes(&self, value: &Value) -> bool {
        self.types.is_empty() || self.types.iter().any(|declared| is_of(value, declared))
    }

    fn takes_text(&self) -> bool {
        self.types.is_empty() || self.types.iter().any(|declared| declared == "string")
    }
}

fn is_of(value: &Value, declared: &str) -> bool {
    match declared {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(types: &[&str], text: &str) -> Result<Value, String> {
        OutputType { types: types.iter().map(|&declared| declared.to_owned()).collect() }
            .read(text.to_owned())
    }

    #[test]
    fn a_value_is_what_its_type_says() {
        assert_eq!(read(&["string"], "10"), Ok(json!("10")));
        assert_eq!(read(&["string"], "\"a\""), Ok(json!("\"a\"")));
        assert_eq!(read(&["string", "null"], "null"), Ok(json!(null)));
        assert_eq!(read(&["integer", "null"], "-10"), Ok(json!(-10)));
        assert_eq!(read(&["number"], "1.5"), Ok(json!(1.5)));
        assert_eq!(read(&["boolean"], "true"), Ok(json!(true)));
        assert_eq!(read(&["array"], "[1]"), Ok(json!([1])));
        assert_eq!(read(&[], "[1]"), Ok(json!([1])));
        assert_eq!(read(&[], "[1"), Ok(json!("[1")));
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        let refused = |types: &[&str], text| read(types, text).expect_err("it is of another type");
        assert_eq!(refused(&["integer"], "abc"), "must be a whole number");
        assert_eq!(refused(&["integer"], "1.5"), "must be a whole number");
        assert_eq!(refused(&["integer", "null"], "\"1\""), "must be a whole number or null");
        assert_eq!(refused(&["boolean"], "yes"), "must be true or false");
        assert_eq!(refused(&["object"], "[]"), "must be a mapping");
    }
}
