//! Checking parameters against their JSON Schema before anything runs, when some values are still templates.
//!
//! Only the part of JSON Schema that derived parameter types use is understood: `type`, `enum`, `const`, `properties`,
//! `required`, `additionalProperties`, `items`, `minItems`, `minimum`, `maximum`, `anyOf`, `oneOf`, `allOf`, and the
//! formats `duration` and `date-time`. Whatever else a schema says is left to the typed parameters themselves.

use lifeboat_model::template::is_templated;
use lifeboat_model::{ParamProblem, duration, kind};
use serde_json::{Map, Value};

/// Everything in `params` that the schema refuses. A text that holds a template is accepted wherever a value may be.
pub fn check_against_schema(schema: &Value, params: &Value) -> Vec<ParamProblem> {
    let mut checker = Checker { path: Vec::new(), problems: Vec::new() };
    checker.value(schema, params);
    checker.problems
}

struct Checker {
    path: Vec<String>,
    problems: Vec<ParamProblem>,
}

impl Checker {
    fn report(&mut self, message: String, help: Option<String>) {
        let about = if self.path.is_empty() { Vec::new() } else { vec![self.path.clone()] };
        self.problems.push(ParamProblem { about, on_key: false, message, help });
    }

    fn within(&mut self, key: &str, check: impl FnOnce(&mut Self)) {
        self.path.push(key.to_owned());
        check(self);
        self.path.pop();
    }

    fn value(&mut self, schema: &Value, value: &Value) {
        if matches!(value, Value::String(text) if is_templated(text)) {
            return;
        }
        if !self.alternatives(schema, value) || !self.type_and_choice(schema, value) {
            return;
        }
        match value {
            Value::Object(map) => self.object(schema, map),
            Value::Array(items) => self.array(schema, items),
            Value::String(text) => self.format(schema, text),
            Value::Number(number) => self.range(schema, number.as_f64().unwrap_or(f64::NAN)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// `anyOf`, `oneOf` and `allOf`. The problems of the alternative that comes closest are reported.
    fn alternatives(&mut self, schema: &Value, value: &Value) -> bool {
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.value(part, value);
        }
        let tries = alternatives(schema).map(|alternative| {
            let mut checker = Self { path: self.path.clone(), problems: Vec::new() };
            checker.value(alternative, value);
            (type_fits(alternative, value), checker.problems)
        });
        let closest = tries.min_by_key(|(fits, problems)| (!problems.is_empty(), !fits, problems.len()));
        let Some((_, problems)) = closest.filter(|(_, problems)| !problems.is_empty()) else { return true };
        match choices(schema).filter(|_| !value.is_object() && !value.is_array()) {
            Some(choices) => self.not_a_choice(&choices, value),
            None => self.problems.extend(problems),
        }
        false
    }

    fn type_and_choice(&mut self, schema: &Value, value: &Value) -> bool {
        if !type_fits(schema, value) {
            self.report(format!("this is {}, expected {}", shown(value), types_of(schema)), None);
            return false;
        }
        match own_choices(schema) {
            Some(choices) if !choices.contains(value) => {
                self.not_a_choice(&choices.iter().collect::<Vec<_>>(), value);
                false
            }
            _ => true,
        }
    }

    fn not_a_choice(&mut self, choices: &[&Value], value: &Value) {
        let known: Vec<_> = choices.iter().map(|choice| plain(choice)).collect();
        let given = plain(value);
        let near = lifeboat_model::nearest(&given, known.iter().map(String::as_str));
        let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let help = format!("{near}choose one of: {}", known.join(", "));
        self.report(format!("`{given}` is not one of the choices"), Some(help));
    }

    fn object(&mut self, schema: &Value, map: &Map<String, Value>) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        for (key, value) in map {
            match (properties.get(key), schema.get("additionalProperties")) {
                (Some(property), _) => self.within(key, |checker| checker.value(property, value)),
                (None, Some(Value::Bool(false))) => self.unknown_key(key, properties),
                (None, Some(open @ Value::Object(_))) => {
                    self.within(key, |checker| checker.value(open, value));
                }
                (None, _) => {}
            }
        }
        for key in
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if !map.contains_key(key) {
                let what = properties.get(key).and_then(|p| p.get("description")).and_then(Value::as_str);
                let help = what.map(|what| format!("{key}: {what}"));
                self.within(key, |checker| checker.report(format!("`{key}` is missing"), help));
            }
        }
    }

    fn unknown_key(&mut self, key: &str, properties: &Map<String, Value>) {
        let known: Vec<_> = properties.keys().map(String::as_str).collect();
        let help = match lifeboat_model::nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "it takes no parameters".to_owned(),
            None => format!("known parameters: {}", known.join(", ")),
        };
        self.within(key, |checker| {
            let (about, message) = (vec![checker.path.clone()], format!("unknown parameter `{key}`"));
            checker.problems.push(ParamProblem { about, on_key: true, message, help: Some(help) });
        });
    }

    fn array(&mut self, schema: &Value, items: &[Value]) {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        if (items.len() as u64) < least {
            self.report(format!("needs at least {least} item(s)"), None);
        }
        if let Some(item_schema) = schema.get("items") {
            for (at, item) in items.iter().enumerate() {
                self.within(&at.to_string(), |checker| checker.value(item_schema, item));
            }
        }
    }

    fn format(&mut self, schema: &Value, text: &str) {
        match schema.get("format").and_then(Value::as_str) {
            Some("duration") => {
                if let Err(wrong) = duration::parse(text) {
                    self.report(wrong.message(text), Some(duration::HOW_TO_WRITE.to_owned()));
                }
            }
            Some("date-time") if text.parse::<jiff::Timestamp>().is_err() => {
                let help = "write a moment with its offset, such as 2026-11-23T18:00:00Z".to_owned();
                self.report(format!("`{text}` is not a moment in time"), Some(help));
            }
            _ => {}
        }
    }

    fn range(&mut self, schema: &Value, number: f64) {
        let bound = |key| schema.get(key).and_then(Value::as_f64);
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            self.report(format!("{number} is less than {least}"), None);
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            self.report(format!("{number} is more than {most}"), None);
        }
    }
}

/// The values that a schema allows in its own words.
fn own_choices(schema: &Value) -> Option<&[Value]> {
    let fixed = schema.get("const").map(std::slice::from_ref);
    fixed.or_else(|| schema.get("enum").and_then(Value::as_array).map(Vec::as_slice))
}

/// The values that a schema allows, if it lists them all: a documented one is an alternative of its own. That it may be
/// left out is no choice.
fn choices(schema: &Value) -> Option<Vec<&Value>> {
    if let Some(own) = own_choices(schema) {
        return Some(own.iter().collect());
    }
    let any = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)?;
    let alternatives = any.iter().filter(|alternative| types(alternative) != ["null"]);
    let choices: Option<Vec<_>> = alternatives.map(choices).collect();
    choices.map(|choices| choices.concat())
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn type_fits(schema: &Value, value: &Value) -> bool {
    let types = types(schema);
    types.is_empty()
        || types.iter().any(|expected| match *expected {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        })
}

/// The schema of a value that is there: schemars writes an optional one as an alternative to null.
pub(crate) fn of_given(schema: &Value) -> &Value {
    let mut given = alternatives(schema).filter(|alternative| types(alternative) != ["null"]);
    match (given.next(), given.next()) {
        (Some(only), None) => of_given(only),
        _ => schema,
    }
}

/// Whether a text may stand there and nothing else, except null.
pub(crate) fn takes_only_text(schema: &Value) -> bool {
    let own = types(schema);
    let is_text = |word: &&str| matches!(*word, "string" | "null");
    match own.is_empty() {
        true => alternatives(schema).next().is_some() && alternatives(schema).all(takes_only_text),
        false => own.contains(&"string") && own.iter().all(is_text),
    }
}

/// The schemas of which a value has to fit one.
fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let any = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    any.into_iter().flatten()
}

fn types_of(schema: &Value) -> String {
    let words = types(schema).into_iter().filter(|word| *word != "null").map(kind::of_schema_type);
    words.collect::<Vec<_>>().join(" or ")
}

/// A value in a message: itself, where it is short enough.
fn shown(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Number(_) | Value::String(_) => format!("`{}`", plain(value)),
        Value::Null | Value::Array(_) | Value::Object(_) => kind::of(value).to_owned(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(params: &Value) -> Vec<String> {
        let schema = json!({
            "type": "object",
            "properties": {
                "host": {"type": "string", "description": "host:port"},
                "port": {"type": ["integer", "null"], "minimum": 1},
                "state": {"enum": ["ready", "maint"]},
                "argv": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "for": {"type": "string", "format": "duration"},
            },
            "required": ["host"],
            "additionalProperties": false,
        });
        let problems = check_against_schema(&schema, params);
        problems
            .iter()
            .map(|p| format!("{}: {} ({})", p.place().join("."), p.message, p.help.as_deref().unwrap_or("")))
            .collect()
    }

    #[test]
    fn all_problems_come_at_once() {
        let params = json!({"hots": 1, "port": 0, "state": "drain", "argv": ["a", 1], "for": "5 parsecs"});
        assert_eq!(
            messages(&params),
            [
                "hots: unknown parameter `hots` (did you mean `host`?)",
                "port: 0 is less than 1 ()",
                "state: `drain` is not one of the choices (choose one of: ready, maint)",
                "argv.1: this is `1`, expected a text ()",
                "for: `5 parsecs` is not a duration (write it like 250ms, 10s, 2m or 1h 30m)",
                "host: `host` is missing (host: host:port)",
            ]
        );
    }

    #[test]
    fn all_choices_are_named_however_the_schema_lists_them() {
        let documented = json!({"oneOf": [
            {"enum": ["disable", "prefer"], "type": "string"},
            {"const": "verify-full", "type": "string", "description": "Checks the certificate"},
        ]});
        let optional = json!({"anyOf": [documented, {"type": "null"}]});
        let said = |schema: &Value, value: Value| {
            let problems = check_against_schema(schema, &value);
            problems.into_iter().map(|p| (p.message, p.help.unwrap_or_default())).collect::<Vec<_>>()
        };
        for schema in [&documented, &optional] {
            let all = "choose one of: disable, prefer, verify-full";
            let foo = ("`foo` is not one of the choices".to_owned(), all.to_owned());
            assert_eq!(said(schema, json!("foo")), [foo]);
            let near = (
                "`verify_ful` is not one of the choices".to_owned(),
                format!("did you mean `verify-full`? {all}"),
            );
            assert_eq!(said(schema, json!("verify_ful")), [near]);
            assert_eq!(said(schema, json!("prefer")), []);
        }
        assert_eq!(said(&optional, Value::Null), []);
        let text_or_list =
            json!({"anyOf": [{"const": "all", "type": "string"}, {"type": "array", "minItems": 1}]});
        assert_eq!(said(&text_or_list, json!([])), [("needs at least 1 item(s)".to_owned(), String::new())]);
    }

    #[test]
    fn a_template_is_accepted_wherever_a_value_may_be() {
        let template = "{{ inputs.x }}";
        let params =
            json!({"host": template, "port": template, "state": template, "argv": template, "for": template});
        assert_eq!(messages(&params), Vec::<String>::new());
    }
}
