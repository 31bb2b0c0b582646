//! From JSON to an action's own type of parameters.

use std::borrow::Cow;

use lifeboat_model::catalog::is_templated;
use lifeboat_model::outcome::Without;
use lifeboat_model::{ActionSpec, Failure, ParamProblem};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::params::check_against_schema;

/// Everything that is wrong with parameters some of whose values may not be known yet.
pub(crate) fn check<P: DeserializeOwned>(
    spec: &ActionSpec,
    params: &Value,
    validate: impl FnOnce(&P) -> Vec<String>,
) -> Vec<ParamProblem> {
    let problems = check_against_schema(&spec.params, params);
    let Some(params) = known(spec, params).filter(|_| problems.is_empty()) else { return problems };
    let whole = |message| ParamProblem { path: Vec::new(), on_key: false, message, help: None };
    match serde_path_to_error::deserialize::<_, P>(&*params) {
        Ok(typed) => validate(&typed).into_iter().map(whole).collect(),
        Err(error) => {
            let path = error.path().iter().map(ToString::to_string).filter(|part| part != "?").collect();
            vec![ParamProblem { path, ..whole(error.inner().to_string()) }]
        }
    }
}

/// The parameters, typed. `without` are those that a rehearsal leaves out.
pub(crate) fn read_params<P: DeserializeOwned>(
    spec: &ActionSpec,
    params: &Value,
    without: &Without,
) -> Result<P, Failure> {
    if let Some(name) = missing(spec, params).find(|name| !without.contains_key(*name)) {
        return Err(Failure::permanent(format!("{}: parameter `{name}` is missing", spec.name)));
    }
    let mut params = params.clone();
    as_texts(&spec.params, &mut params);
    serde_path_to_error::deserialize(params).map_err(|error| {
        Failure::permanent(format!("{}: parameter `{}`: {}", spec.name, error.path(), error.inner()))
    })
}

/// The parameters that must be given, are not, and could be left out of a rehearsal. Of all others the type of the
/// parameters says so.
fn missing<'s>(spec: &'s ActionSpec, params: &'s Value) -> impl Iterator<Item = &'s String> {
    let required = spec.params["required"].as_array();
    let is_required = move |name: &&String| required.is_some_and(|all| all.iter().any(|one| one == *name));
    let is_missing = |name: &&String| params.get(name.as_str()).is_none_or(Value::is_null);
    spec.rehearsed_without.iter().filter(is_required).filter(is_missing)
}

/// Writes numbers and booleans as texts where only a text may stand. A literal of the wrong type was refused when the
/// runbook was checked, so these are values of templates, which keep their type: an exit code in an `argv`.
pub(crate) fn as_texts(schema: &Value, value: &mut Value) {
    match value {
        Value::Number(_) | Value::Bool(_) if schema.get("type").is_some_and(|only| only == "string") => {
            *value = Value::String(value.to_string());
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| as_texts(schema, item));
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let named = schema.get("properties").and_then(|properties| properties.get(key));
                if let Some(schema) = named.or_else(|| schema.get("additionalProperties")) {
                    as_texts(schema, item);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The parameters that the action can judge as a whole: all must be known, but those that it can do without.
fn known<'p>(spec: &ActionSpec, params: &'p Value) -> Option<Cow<'p, Value>> {
    if !has_template(params) {
        return Some(Cow::Borrowed(params));
    }
    let mut map = params.as_object()?.clone();
    map.retain(|name, value| !(spec.rehearsed_without.contains(name) && has_template(value)));
    let known = Value::Object(map);
    (!has_template(&known)).then_some(Cow::Owned(known))
}

fn has_template(value: &Value) -> bool {
    match value {
        Value::String(text) => is_templated(text),
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(map) => map.values().any(has_template),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use lifeboat_model::{ActionName, Effect};
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Params {
        proof: Option<String>,
    }

    #[test]
    fn what_must_be_given_may_only_be_left_out_of_a_rehearsal() {
        let spec = ActionSpec {
            name: ActionName::new("test.do").unwrap(),
            summary: String::new(),
            effect: Effect::Write,
            idempotent: true,
            observable: true,
            recoverable: false,
            rehearsed_without: vec!["proof".to_owned()],
            params: json!({"properties": {"proof": {"type": "string"}}, "required": ["proof"]}),
            outputs: json!({}),
        };
        let read = |params: Value, without| read_params::<Params>(&spec, &params, &without);
        for missing in [json!({}), json!({"proof": null})] {
            let failure = read(missing, Without::new()).unwrap_err();
            assert_eq!(failure.message, "test.do: parameter `proof` is missing");
        }
        let without = Without::from([("proof".to_owned(), "not yet".to_owned())]);
        assert_eq!(read(json!({}), without).unwrap(), Params { proof: None });
        let given = Params { proof: Some("seen".to_owned()) };
        assert_eq!(read(json!({"proof": "seen"}), Without::new()).unwrap(), given);
    }

    #[test]
    fn values_of_templates_become_texts_where_texts_are_wanted() {
        let schema = json!({"type": "object", "properties": {
            "argv": {"type": ["array", "null"], "items": {"type": "string"}},
            "env": {"type": "object", "additionalProperties": {"type": "string"}},
            "port": {"type": "integer"},
            "any": {},
        }});
        let mut params = json!({"argv": ["sleep", 5], "env": {"ON": true}, "port": 5432, "any": 1});
        as_texts(&schema, &mut params);
        assert_eq!(params, json!({"argv": ["sleep", "5"], "env": {"ON": "true"}, "port": 5432, "any": 1}));
    }
}
