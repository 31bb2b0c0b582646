//! What an action says of itself.

use std::collections::BTreeSet;

use lifeboat_action::{ActionSpec, Effect};
use serde_json::Value;

use super::MakeSuite;
use super::schema::{allows, alternatives, places};

/// What the check of parameters understands. Anything else in a schema would be promised and not kept.
const UNDERSTOOD: &[&str] = &[
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
    "allOf",
    "format",
];

/// Words for people and editors.
const WORDS: &[&str] = &["$schema", "title", "description", "default", "writeOnly", "x-visible"];

/// Each action of the plug-in has parameters to try it with.
pub fn every_action_is_tried(make: MakeSuite<'_>) {
    let suite = make();
    let offered: BTreeSet<_> = suite.registry.specs().map(|spec| spec.name.to_string()).collect();
    let tried: BTreeSet<_> = suite.cases.iter().map(|case| case.action.name().to_string()).collect();
    assert!(!offered.is_empty(), "the plug-in has no actions");
    assert_eq!(offered, tried, "the actions that there are, and those that are tried");
}

/// The summary is one line without a full stop, each parameter is explained, and no flag contradicts another.
pub fn the_description_is_complete(make: MakeSuite<'_>) {
    let suite = make();
    for spec in suite.registry.specs() {
        let ActionSpec { name, summary, .. } = spec;
        let is_line = summary.starts_with(char::is_uppercase) && !summary.contains('\n');
        assert!(is_line && !summary.ends_with('.'), "{name}: the summary is one line, no stop: {summary:?}");
        for place in places(&spec.params).into_iter().filter(|place| place.path.len() == 1) {
            let told = place.schema["description"].as_str().is_some_and(|text| !text.trim().is_empty());
            assert!(told, "{name}: parameter `{}` is not explained", place.path[0]);
        }
        if spec.effect == Effect::Read {
            assert!(spec.idempotent && spec.observable, "{name} only looks, which can be repeated");
            assert!(!spec.recoverable, "{name} only looks: there is nothing to recover");
        }
        if let Some(word) = &spec.vouched_by {
            let asked = &spec.params["properties"][word];
            assert!(
                allows(asked, "boolean"),
                "{name}: nobody can vouch with `{word}`, which is no true or false"
            );
        }
        for left_out in &spec.rehearsed_without {
            assert!(!spec.params["properties"][left_out].is_null(), "{name} has no parameter `{left_out}`");
        }
    }
}

/// Parameters and outputs are mappings; a mapping with named keys takes no others; nothing is asked for that is not checked.
pub fn schemas_are_closed_and_understood(make: MakeSuite<'_>) {
    let suite = make();
    for spec in suite.registry.specs() {
        let name = &spec.name;
        assert_eq!(spec.params["type"], "object", "{name}: parameters are a mapping");
        assert_eq!(spec.outputs["type"], "object", "{name}: outputs are a mapping");
        is_closed(&format!("{name}"), &spec.params);
        for place in places(&spec.params) {
            is_closed(&format!("{name}: {}", place.path.join(".")), place.schema);
        }
    }
}

fn is_closed(at: &str, schema: &Value) {
    for schema in alternatives(schema) {
        let Value::Object(keys) = schema else {
            assert!(schema.is_boolean(), "{at}: {schema} is no schema");
            continue;
        };
        for key in keys.keys().map(String::as_str) {
            assert!(UNDERSTOOD.contains(&key) || WORDS.contains(&key), "{at}: `{key}` would not be checked");
        }
        // Those of numbers are only names: their bounds stand beside them.
        let format = keys.get("format").and_then(Value::as_str).filter(|_| allows(schema, "string"));
        let checked = format.is_none_or(|format| ["duration", "date-time"].contains(&format));
        assert!(checked, "{at}: the format {format:?} would not be checked");
        let Some(properties) = keys.get("properties").and_then(Value::as_object) else { continue };
        assert_eq!(keys.get("additionalProperties"), Some(&Value::Bool(false)), "{at}: takes unknown keys");
        for required in keys.get("required").and_then(Value::as_array).into_iter().flatten() {
            let known = required.as_str().is_some_and(|key| properties.contains_key(key));
            assert!(known, "{at}: needs {required}, which it does not know");
        }
    }
}
