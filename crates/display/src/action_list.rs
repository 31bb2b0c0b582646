//! The actions there are, and what one of them declares.

use std::fmt::Write as _;

use lifeboat_model::{ActionSpec, Effect};
use serde_json::Value;

use crate::sanitize::one_line;
use crate::style::{BOLD, FAINT};
use crate::table;

/// A line each.
pub fn list(all: &[&ActionSpec]) -> String {
    let head = ["ACTION", "EFFECT", "WHAT IT DOES"].map(|word| format!("{BOLD}{word}{BOLD:#}"));
    let row = |spec: &&ActionSpec| [spec.name.to_string(), effect(spec).to_owned(), one_line(&spec.summary)];
    table::rendered(&std::iter::once(head).chain(all.iter().map(row)).collect::<Vec<_>>())
}

fn effect(spec: &ActionSpec) -> &'static str {
    match spec.effect {
        Effect::Read => "looks",
        Effect::Write => "changes",
    }
}

/// One action with all that is declared of it.
pub fn description(spec: &ActionSpec) -> String {
    let mut text = format!("{BOLD}{}{BOLD:#}: {}\n\n", spec.name, one_line(&spec.summary));
    let mut put = |yes: bool, can: &str, cannot: &str| {
        writeln!(text, "  {}", if yes { can } else { cannot }).expect("writing to a text");
    };
    put(spec.effect == Effect::Read, "looks only", "may change something");
    put(
        spec.observable,
        "can look for its own effect: it is rehearsed, and looked at when in doubt",
        "cannot look for its own effect: give its steps a `check`",
    );
    put(spec.idempotent, "may be repeated", "is not repeated unless a person says so");
    put(
        spec.recoverable,
        "can find what became of an attempt whose driver died",
        "keeps no trace of an attempt whose driver died",
    );
    if !spec.rehearsed_without.is_empty() {
        let names = spec.rehearsed_without.join(", ");
        writeln!(text, "  is rehearsed even where these are not known: {names}").expect("writing to a text");
    }
    if let Some(parameter) = &spec.vouched_by {
        writeln!(
            text,
            "  a dry run makes a call that is sure to change nothing, or that its author vouches for: `{parameter}: true`"
        )
        .expect("writing to a text");
    }
    section(&mut text, "Parameters", &spec.params);
    section(&mut text, "Outputs", &spec.outputs);
    text
}

/// The properties of an object's schema, the required ones first.
fn section(text: &mut String, title: &str, schema: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|all| !all.is_empty())
    else {
        return;
    };
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut names: Vec<_> = properties.iter().collect();
    names.sort_by_key(|(name, _)| !required.contains(&name.as_str()));
    write!(text, "\n{BOLD}{title}{BOLD:#}\n").expect("writing to a text");
    for (name, property) in names {
        let needed =
            if title == "Parameters" && required.contains(&name.as_str()) { ", required" } else { "" };
        let default = property.get("default").filter(|value| !value.is_null());
        let default = default.map(|value| format!(", default {value}")).unwrap_or_default();
        writeln!(text, "  {BOLD}{name}{BOLD:#}  {FAINT}{}{needed}{default}{FAINT:#}", kind(schema, property))
            .expect("writing to a text");
        if let Some(help) = property.get("description").and_then(Value::as_str) {
            let help = help.split("\n\n").map(|part| part.replace('\n', " "));
            help.for_each(|part| writeln!(text, "      {}", one_line(&part)).expect("writing to a text"));
        }
    }
}

/// The type of a value by its schema, in a few words.
fn kind(root: &Value, schema: &Value) -> String {
    let schema = resolved(root, schema);
    if let Some(Value::Array(all)) = schema.get("enum") {
        return all.iter().map(plain).collect::<Vec<_>>().join(" | ");
    }
    if let Some(value) = schema.get("const") {
        return plain(value);
    }
    let any = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array());
    if let Some(any) = any {
        let kinds = any.iter().map(|one| kind(root, one)).filter(|kind| kind != "null");
        return kinds.collect::<Vec<_>>().join(" | ");
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind == "array" => match schema.get("items") {
            Some(items) => format!("list of {}", self::kind(root, items)),
            None => "list".to_owned(),
        },
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            kinds.collect::<Vec<_>>().join(" | ")
        }
        _ => "any".to_owned(),
    }
}

/// A schema, or what it refers to inside the root schema.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
    reference.and_then(|path| root.pointer(path)).unwrap_or(schema)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
