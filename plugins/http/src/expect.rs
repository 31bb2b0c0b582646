//! What an answer should be, and what is wrong with one that is not.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::exchange::{Answer, MOST_READ};
use crate::params::header_name;

/// What the answer must be. Everything that is given must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// The status: a number, a class such as `2xx`, or a list of them. `2xx` when not given.
    #[serde(default)]
    #[schemars(schema_with = "status_schema")]
    pub(crate) status: Statuses,
    /// A text that the body must contain.
    #[serde(default)]
    pub(crate) body_contains: Option<String>,
    /// Values in a JSON body, by JSON Pointer: `{ /status: ok, /replicas/0/lag: 0 }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub(crate) json: Pointers,
    /// Headers with exactly these values; names in any case.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) headers: ExpectedHeaders,
}

impl Expect {
    /// What is wrong with the status.
    pub(crate) fn wrong_status(&self, answer: &Answer) -> Option<String> {
        let status = answer.status.as_u16();
        let fits = self.status.0.iter().any(|expected| expected.fits(status));
        (!fits).then(|| format!("answered {status}, expected {}", self.status))
    }

    /// The first thing besides the status that is not as expected.
    pub(crate) fn wrong_content(&self, answer: &Answer) -> Option<String> {
        self.wrong_header(answer).or_else(|| self.wrong_text(answer)).or_else(|| self.wrong_json(answer))
    }

    fn wrong_header(&self, answer: &Answer) -> Option<String> {
        self.headers.0.iter().find_map(|(name, expected)| {
            let values = answer.headers.get_all(name.as_str());
            if values.iter().any(|value| value.as_bytes() == expected.as_bytes()) {
                return None;
            }
            let found = values.iter().next().map(|value| String::from_utf8_lossy(value.as_bytes()));
            let found = found.map_or_else(|| "missing".to_owned(), |value| format!("`{}`", short(&value)));
            Some(format!("header `{name}` is {found}, expected `{expected}`"))
        })
    }

    fn wrong_text(&self, answer: &Answer) -> Option<String> {
        let expected = self.body_contains.as_ref()?;
        if answer.text().contains(expected.as_str()) {
            return None;
        }
        let place = if answer.more { first_part() } else { "the body".to_owned() };
        Some(format!("{place} does not contain `{expected}`"))
    }

    fn wrong_json(&self, answer: &Answer) -> Option<String> {
        if self.json.0.is_empty() {
            return None;
        }
        let Some(json) = answer.json() else {
            let long = if answer.more {
                format!(": it is longer than {} KiB", MOST_READ >> 10)
            } else {
                String::new()
            };
            return Some(format!("the body is not JSON{long}"));
        };
        self.json.0.iter().find_map(|(pointer, expected)| match json.pointer(pointer) {
            Some(found) if found == expected => None,
            Some(found) => Some(format!("`{pointer}` is {}, expected {expected}", short(&found.to_string()))),
            None => Some(format!("`{pointer}` is missing, expected {expected}")),
        })
    }
}

fn first_part() -> String {
    format!("the body's first {} KiB", MOST_READ >> 10)
}

fn short(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// The statuses that are fine.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Statuses(Vec<Status>);

#[derive(Debug, Clone, Copy)]
enum Status {
    One(u16),
    /// The first digit.
    Class(u16),
}

impl Status {
    fn fits(self, status: u16) -> bool {
        match self {
            Self::One(one) => one == status,
            Self::Class(class) => class == status / 100,
        }
    }

    fn read(value: &Value) -> Result<Self, String> {
        let wrong = || format!("`{value}` is not a status: write it as 200 or `2xx`");
        let number = |text: &str| text.parse().ok().filter(|number| (100..600).contains(number));
        match value {
            Value::Number(_) => number(&value.to_string()).map(Self::One).ok_or_else(wrong),
            Value::String(text) => match text.strip_suffix("xx") {
                Some(class) => {
                    let first = number(&format!("{class}00")).filter(|_| class.len() == 1);
                    first.map(|first| Self::Class(first / 100)).ok_or_else(wrong)
                }
                None => number(text).map(Self::One).ok_or_else(wrong),
            },
            _ => Err(wrong()),
        }
    }
}

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![Status::Class(2)])
    }
}

impl TryFrom<Value> for Statuses {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Array(items) if items.is_empty() => Err("an empty list fits no status".to_owned()),
            Value::Array(items) => items.iter().map(Status::read).collect::<Result<_, _>>().map(Self),
            one => Ok(Self(vec![Status::read(&one)?])),
        }
    }
}

impl std::fmt::Display for Statuses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = self.0.iter().map(|status| match status {
            Status::One(one) => one.to_string(),
            Status::Class(class) => format!("{class}xx"),
        });
        f.write_str(&words.collect::<Vec<_>>().join(" or "))
    }
}

fn status_schema(_: &mut SchemaGenerator) -> Schema {
    let one = json_schema!({"type": ["integer", "string"], "minimum": 100, "maximum": 599});
    json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
}

/// Expected values by JSON Pointer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, Value>")]
pub(crate) struct Pointers(BTreeMap<String, Value>);

impl TryFrom<BTreeMap<String, Value>> for Pointers {
    type Error = String;

    fn try_from(values: BTreeMap<String, Value>) -> Result<Self, String> {
        match values.keys().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            Some(pointer) => Err(format!("`{pointer}` is not a JSON Pointer; did you mean `/{pointer}`?")),
            None => Ok(Self(values)),
        }
    }
}

/// Expected values by header.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub(crate) struct ExpectedHeaders(BTreeMap<String, String>);

impl TryFrom<BTreeMap<String, String>> for ExpectedHeaders {
    type Error = String;

    fn try_from(values: BTreeMap<String, String>) -> Result<Self, String> {
        values.keys().try_for_each(|name| header_name(name).map(drop))?;
        Ok(Self(values))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn statuses_are_numbers_classes_or_lists() {
        let fits = |written: Value, status| {
            Statuses::try_from(written).unwrap().0.iter().any(|expected| expected.fits(status))
        };
        assert!(fits(json!(200), 200) && !fits(json!(200), 204));
        assert!(fits(json!("2xx"), 204) && !fits(json!("2xx"), 304));
        assert!(fits(json!(["2xx", 304]), 304) && fits(json!("200"), 200));
        for wrong in
            [json!(20), json!("200x"), json!("xx"), json!("22xx"), json!([]), json!(true), json!(600)]
        {
            assert!(Statuses::try_from(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
