//! Reads `inputs`: what the operator gives when a run starts.

use super::fields::{Fields, Shape, named};
use super::node::Node;
use super::read::{flag, items, one_of, text};
use crate::plan::InputType;
use crate::problem::{Problem, Problems};
use crate::source::{Span, Spanned};

/// An input as declared.
#[derive(Debug, Clone)]
pub struct Input {
    /// The name, as in `inputs.NAME`.
    pub name: Spanned<String>,
    /// The type; missing only if that is a problem already.
    pub kind: Option<InputType>,
    /// The value where none is given, with its place.
    pub default: Option<Node>,
    /// The values that are allowed, each with its place; empty if all of the type are.
    pub choices: Vec<Node>,
    /// What it is for.
    pub help: Option<Spanned<String>>,
}

const INPUT: Shape = Shape {
    what: "an input",
    keys: &["type", "default", "help", "required", "choices"],
    later: &[],
    foreign: &[
        ("secret", "inputs are kept in the journal; declare it under `secrets`"),
        ("enum", "write `choices`"),
        ("options", "write `choices`"),
        ("description", "write `help`"),
    ],
};

const TYPES: &[(&str, InputType)] = &[
    ("string", InputType::String),
    ("integer", InputType::Integer),
    ("number", InputType::Number),
    ("boolean", InputType::Boolean),
    ("duration", InputType::Duration),
    ("list", InputType::List),
];

pub(super) fn read_all(node: Node, problems: &mut Problems) -> Vec<Input> {
    named(node, "`inputs`", problems)
        .into_iter()
        .map(|entry| read(entry.key, entry.value, problems))
        .collect()
}

fn read(name: Spanned<String>, node: Node, problems: &mut Problems) -> Input {
    let nothing = Input { name, kind: None, default: None, choices: Vec::new(), help: None };
    let Some(mut fields) = Fields::open(node, &INPUT, problems) else { return nothing };
    let required =
        fields.read("required", |node, key| Ok(Spanned::new(flag(node, key)?, node.span)), problems);
    let input = Input {
        kind: fields.require("type", one_of(TYPES), problems),
        default: fields.take("default").map(|entry| entry.value),
        choices: fields
            .read("choices", |node, key| items(node, key).map(<[Node]>::to_vec), problems)
            .unwrap_or_default(),
        help: fields.read("help", text, problems),
        ..nothing
    };
    if let Some(required) = required {
        agrees(&input, &required).map_err(|problem| problems.push(problem)).unwrap_or_default();
    }
    input
}

/// An input is required exactly if it has no default; saying so is welcome, contradicting it is not.
fn agrees(input: &Input, required: &Spanned<bool>) -> Result<(), Problem> {
    let contradiction = |span: Span, message: &str| Err(Problem::new("required_default", span, message));
    match (required.value, &input.default) {
        (true, Some(_)) => contradiction(required.span, "an input with a `default` is never required"),
        (false, None) => contradiction(required.span, "an input that may be left out needs a `default`"),
        (true, None) | (false, Some(_)) => Ok(()),
    }
}
