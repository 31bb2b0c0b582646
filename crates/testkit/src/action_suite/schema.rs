//! Walking through the parameters that a schema describes.

use serde_json::{Map, Value, json};

/// A key that no action has as a parameter; where any key may stand, it stands for all of them.
pub(super) const ANY_KEY: &str = "suite-key";

/// A place for a value, and what may stand there.
#[derive(Debug, Clone)]
pub(super) struct Place<'s> {
    /// Keys on the way; `0` in a list.
    pub(super) path: Vec<String>,
    pub(super) schema: &'s Value,
    /// Whether others can read what stands there, so that no secret may.
    pub(super) visible: bool,
}

/// Every place for a value inside parameters, those within maps and lists included.
pub(super) fn places(schema: &Value) -> Vec<Place<'_>> {
    let root = Place { path: Vec::new(), schema, visible: false };
    let mut all = vec![root];
    let mut next = 0;
    while let Some(place) = all.get(next).cloned() {
        all.extend(within(&place));
        next += 1;
    }
    all.split_off(1)
}

fn within<'s>(place: &Place<'s>) -> Vec<Place<'s>> {
    let below = |key: &str, schema: &'s Value| {
        let path = place.path.iter().cloned().chain([key.to_owned()]).collect();
        let visible = place.visible || schema.get("x-visible") == Some(&Value::Bool(true));
        Place { path, schema, visible }
    };
    let mut found = Vec::new();
    for schema in alternatives(place.schema) {
        let properties = schema.get("properties").and_then(Value::as_object);
        found.extend(properties.into_iter().flatten().map(|(key, schema)| below(key, schema)));
        found.extend(
            schema
                .get("additionalProperties")
                .filter(|open| open.is_object())
                .map(|open| below(ANY_KEY, open)),
        );
        found.extend(schema.get("items").filter(|items| items.is_object()).map(|items| below("0", items)));
    }
    found
}

/// The schema itself, and those of which a value needs to satisfy only one.
pub(super) fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let any = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    std::iter::once(schema).chain(any)
}

/// One value of each kind, with the kinds' names in JSON Schema.
pub(super) fn kinds() -> [(&'static str, Value); 6] {
    [
        ("null", Value::Null),
        ("boolean", json!(true)),
        ("integer", json!(7)),
        ("string", json!("suite")),
        ("array", json!([])),
        ("object", json!({})),
    ]
}

/// Whether a value of that kind may stand there, as far as the schema says.
pub(super) fn allows(schema: &Value, kind: &str) -> bool {
    let fits = |found: &str| found == kind || (found == "number" && kind == "integer");
    let by_type = match schema.get("type") {
        Some(Value::String(one)) => Some(fits(one)),
        Some(Value::Array(many)) => Some(many.iter().filter_map(Value::as_str).any(fits)),
        _ => None,
    };
    let choices = schema.get("enum").and_then(Value::as_array);
    let by_choice = choices.map(|choices| choices.iter().any(|choice| fits(kind_of(choice))));
    let any = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    let by_any = any.map(|any| any.iter().any(|schema| allows(schema, kind)));
    let by_const = schema.get("const").map(|only| fits(kind_of(only)));
    [by_type, by_choice, by_any, by_const].into_iter().flatten().all(|fits| fits)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The value at a place.
pub(super) fn get<'v>(params: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(params, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    })
}

/// The parameters with another value at a place; what leads there is made.
pub(super) fn with(params: &Value, path: &[String], value: Value) -> Value {
    let Some((key, rest)) = path.split_first() else { return value };
    match params {
        Value::Array(items) => {
            let inner = with(items.first().unwrap_or(&Value::Null), rest, value);
            std::iter::once(inner).chain(items.iter().skip(1).cloned()).collect()
        }
        Value::Object(map) => {
            let mut map = map.clone();
            let inner = with(map.get(key).unwrap_or(&Value::Null), rest, value);
            map.insert(key.clone(), inner);
            Value::Object(map)
        }
        _ if key == "0" => Value::Array(vec![with(&Value::Null, rest, value)]),
        _ => with(&Value::Object(Map::new()), path, value),
    }
}

/// The parameters without one.
pub(super) fn without(params: &Value, key: &str) -> Value {
    let mut params = params.clone();
    params.as_object_mut().expect("parameters are a mapping").shift_remove(key);
    params
}
