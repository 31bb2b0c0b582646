//! From JSON to an action's own type of parameters.

use lifeboat_model::outcome::Without;
use lifeboat_model::template::is_templated;
use lifeboat_model::{ActionSpec, Failure, ParamProblem, nearest};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::params::{check_against_schema, of_given, takes_only_text};

/// Everything that is wrong with parameters some of whose values may not be known yet. What the schema refuses, or is not
/// known, is left out while the rest is judged.
pub(crate) fn check<P: DeserializeOwned>(
    spec: &ActionSpec,
    params: &Value,
    validate: impl FnOnce(&P) -> Vec<ParamProblem>,
) -> Vec<ParamProblem> {
    let mut problems = check_against_schema(&spec.params, params);
    let Some(params) = params.as_object() else { return problems };
    let mut judged = Judged { params: params.clone(), left_out: Vec::new() };
    problems.iter().for_each(|problem| judged.leave_out_wrong(spec, problem));
    let can_do_without = |name: &String| spec.rehearsed_without.contains(name);
    let unknown = params.iter().filter(|(_, value)| has_template(value)).map(|(name, _)| name);
    let (harmless, missed): (Vec<_>, Vec<_>) = unknown.partition(|name| can_do_without(name));
    harmless.iter().chain(&missed).for_each(|name| judged.leave_out(name));
    if let Some(typed) = judged.typed(&mut problems)
        && missed.is_empty()
    {
        problems.extend(validate(&typed).into_iter().filter(|problem| judged.can_tell(problem)));
    }
    problems
}

/// Parameters without those that cannot be judged.
struct Judged {
    params: Map<String, Value>,
    /// What must not be said to be missing, or to contradict another one.
    left_out: Vec<String>,
}

impl Judged {
    fn leave_out(&mut self, name: &str) {
        self.params.remove(name);
        self.left_out.push(name.to_owned());
    }

    /// Leaves out the parameters that a problem is about; of a misspelt name also the one that was probably meant.
    fn leave_out_wrong(&mut self, spec: &ActionSpec, problem: &ParamProblem) {
        for name in problem.about.iter().filter_map(|path| path.first()) {
            self.leave_out(name);
            if let Some(known) = spec.params["properties"].as_object()
                && let Some(meant) = nearest(name, known.keys().map(String::as_str))
                && !self.params.contains_key(meant)
            {
                self.leave_out(meant);
            }
        }
    }

    /// Whether a problem would also be there with the parameters that were left out.
    fn can_tell(&self, problem: &ParamProblem) -> bool {
        match problem.about.is_empty() {
            true => self.left_out.is_empty(),
            false => !self.left_out.iter().any(|name| problem.concerns(std::slice::from_ref(name))),
        }
    }

    /// The parameters, typed. One after the other is left out whose value its type refuses; that something is missing is
    /// a problem only if nothing was left out.
    fn typed<P: DeserializeOwned>(&mut self, problems: &mut Vec<ParamProblem>) -> Option<P> {
        loop {
            let error = match serde_path_to_error::deserialize(Value::Object(self.params.clone())) {
                Ok(typed) => return Some(typed),
                Err(error) => error,
            };
            let path: Vec<_> =
                error.path().iter().map(ToString::to_string).filter(|part| part != "?").collect();
            let name = path.first().filter(|name| self.params.contains_key(*name)).cloned();
            if name.is_some() || (self.left_out.is_empty() && problems.is_empty()) {
                let problem = ParamProblem::new(error.inner().to_string());
                problems.push(if path.is_empty() { problem } else { problem.about(path.clone()) });
            }
            self.leave_out(&name?);
        }
    }
}

/// The typed parameters of a call that is about to be made. Also runs the validation across parameters, which `check`
/// cannot do when a value is a template. `without` are the parameters that a rehearsal leaves out.
pub(crate) fn usable_params<P: DeserializeOwned>(
    spec: &ActionSpec,
    params: &Value,
    without: &Without,
    validate: impl FnOnce(&P) -> Vec<ParamProblem>,
) -> Result<P, Failure> {
    let typed = read_params(spec, params, without)?;
    let is_left_out =
        |problem: &ParamProblem| without.keys().any(|name| problem.concerns(std::slice::from_ref(name)));
    let wrong = validate(&typed).into_iter().filter(|problem| !is_left_out(problem));
    let wrong: Vec<_> = wrong.map(|problem| problem.message).collect();
    match wrong.is_empty() {
        true => Ok(typed),
        false => Err(Failure::permanent(format!("{}: {}", spec.name, wrong.join("; ")))),
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

/// Writes numbers and booleans as texts where only a text may stand. The check of the runbook refuses a literal of the
/// wrong type, so such a value comes from a template, which keeps its type: an exit code in an `argv`.
pub(crate) fn as_texts(schema: &Value, value: &mut Value) {
    let schema = of_given(schema);
    match value {
        Value::Number(_) | Value::Bool(_) if takes_only_text(schema) => {
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
            vouched_by: None,
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

    #[derive(Debug, serde::Deserialize)]
    struct Call {
        port: u16,
        argv: Option<Vec<String>>,
        retries: Option<u8>,
    }

    fn problems_of(params: &Value) -> Vec<String> {
        let spec = ActionSpec {
            name: ActionName::new("test.call").unwrap(),
            summary: String::new(),
            effect: Effect::Read,
            idempotent: true,
            observable: true,
            recoverable: false,
            rehearsed_without: vec!["retries".to_owned()],
            vouched_by: None,
            params: json!({
                "properties": {
                    "port": {"type": "integer"},
                    "argv": {"type": "array"},
                    "retries": {"type": "integer"},
                },
                "required": ["port"],
                "additionalProperties": false,
            }),
            outputs: json!({}),
        };
        let validate = |call: &Call| {
            let argv = match &call.argv {
                None => Some(ParamProblem::new("`argv` is needed").about(["argv"])),
                Some(argv) if argv.is_empty() => Some(ParamProblem::new("`argv` is empty").about(["argv"])),
                Some(_) => None,
            };
            let retries = ParamProblem::new("without `retries` it is tried once").about(["retries"]);
            let retries = call.retries.is_none().then_some(retries);
            let low = (call.port < 1024).then(|| ParamProblem::new("the port is low").about(["port"]));
            argv.into_iter().chain(retries).chain(low).collect()
        };
        check::<Call>(&spec, params, validate).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn what_the_schema_refuses_hides_nothing_else() {
        let unknown = "unknown parameter `speed`";
        let all = json!({"port": 1, "argv": [], "retries": 1, "speed": 9});
        assert_eq!(problems_of(&all), [unknown, "`argv` is empty", "the port is low"]);
        let types = json!({"port": 70_000, "argv": [1], "retries": 1, "speed": 9});
        let [first, port, argv] = problems_of(&types).try_into().unwrap();
        assert_eq!(first, unknown);
        assert!(port.contains("70000") || argv.contains("70000"), "{port}, {argv}");
    }

    #[test]
    fn what_cannot_be_judged_is_not_said_to_be_missing() {
        assert_eq!(
            problems_of(&json!({"port": 1, "argvv": [], "retries": 1})),
            ["unknown parameter `argvv`", "the port is low"]
        );
        assert_eq!(problems_of(&json!({"argv": [], "retries": 1})), ["`port` is missing"]);
        let unknown = "{{ steps.a.b }}";
        assert_eq!(problems_of(&json!({"port": 1, "argv": ["x"], "retries": unknown})), ["the port is low"]);
        assert_eq!(problems_of(&json!({"port": 1, "argv": unknown})), Vec::<String>::new());
        let too_high = problems_of(&json!({"port": 70_000, "argv": unknown}));
        assert!(matches!(too_high.as_slice(), [one] if one.contains("70000")), "{too_high:?}");
    }

    #[test]
    fn values_of_templates_become_texts_where_texts_are_wanted() {
        let schema = json!({"type": "object", "properties": {
            "argv": {"type": ["array", "null"], "items": {"type": "string"}},
            "env": {"type": "object", "additionalProperties": {"type": "string"}},
            "port": {"type": "integer"},
            "any": {},
            "text_or_number": {"type": ["string", "integer"]},
            "script": {"type": ["string", "null"]},
            "cwd": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "rows": {"anyOf": [{"type": "array", "items": {"type": ["string", "null"]}}, {"type": "null"}]},
            "mode": {"oneOf": [{"const": "a", "type": "string"}, {"enum": ["1", "2"], "type": "string"}]},
        }});
        let mut params = json!({
            "argv": ["sleep", 5], "env": {"ON": true}, "port": 5432, "any": 1, "text_or_number": 1,
            "script": 42, "cwd": true, "rows": [1, null], "mode": 2,
        });
        as_texts(&schema, &mut params);
        let texts = json!({
            "argv": ["sleep", "5"], "env": {"ON": "true"}, "port": 5432, "any": 1, "text_or_number": 1,
            "script": "42", "cwd": "true", "rows": ["1", null], "mode": "2",
        });
        assert_eq!(params, texts);
        let mut left_out = json!({"script": null});
        as_texts(&schema, &mut left_out);
        assert_eq!(left_out, json!({"script": null}));
    }
}
