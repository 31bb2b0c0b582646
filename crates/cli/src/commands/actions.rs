//! `lifeboat actions`

use std::fmt::Write as _;

use lifeboat_action::{Catalog as _, Registry};
use lifeboat_model::{ActionSpec, Effect, nearest};
use serde_json::{Value, json};

use super::print;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::words::{BOLD, FAINT, one_line};
use crate::{registry, table};

/// List the actions there are, or describe one
///
/// With a name, shows the action's parameters and outputs, and what lifeboat can rely on: whether it can look for its
/// own effect, whether it may be repeated, and whether it can find what became of an attempt after a crash.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The action, such as `postgres.promote`, or a family, such as `postgres`
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print JSON: one object for each action, with the schemas of its parameters and outputs
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let registry = registry::registry();
    let all = meant(&registry, args.name.as_deref())?;
    let described = args.name.as_deref().and_then(|name| registry.spec(name));
    let text = match (args.json, described) {
        (true, _) => all.iter().map(|spec| format!("{}\n", json!(spec))).collect(),
        (false, Some(spec)) => description(spec),
        (false, None) => list(&all),
    };
    print(context, &text)?;
    Ok(Exit::Done)
}

/// The actions that a name means: one, a family, or all.
fn meant<'r>(registry: &'r Registry, name: Option<&str>) -> Result<Vec<&'r ActionSpec>, CliError> {
    let Some(name) = name else { return Ok(registry.specs().collect()) };
    if let Some(spec) = registry.spec(name) {
        return Ok(vec![spec]);
    }
    let family =
        |spec: &&ActionSpec| spec.name.as_str().split_once('.').is_some_and(|(family, _)| family == name);
    let all: Vec<_> = registry.specs().filter(family).collect();
    if all.is_empty() {
        let error = CliError::usage(format!("there is no action `{name}`"));
        return Err(match nearest(name, registry.names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`lifeboat actions` lists all"),
        });
    }
    Ok(all)
}

fn list(all: &[&ActionSpec]) -> String {
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

fn description(spec: &ActionSpec) -> String {
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
