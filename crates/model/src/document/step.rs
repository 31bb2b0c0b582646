//! Reads `steps` and `finally`.

use jiff::SignedDuration;

use super::fields::{Fields, Shape};
use super::node::{Entry, Node, NodeKind};
use super::read::{count, duration, factor, items, one_of, text};
use crate::plan::{OnFailure, OnUnknown};
use crate::problem::{Problem, Problems};
use crate::source::{Span, Spanned};

/// An item of a list of steps.
#[derive(Debug, Clone)]
pub enum Item {
    /// A step that calls an action.
    Step(Box<Step>),
    /// Steps that may run side by side.
    Block(Block),
}

/// A step as written.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it begins.
    pub place: Span,
    /// Its id; missing only if that is a problem already.
    pub id: Option<Spanned<String>>,
    /// What people call it.
    pub title: Option<Spanned<String>>,
    /// The call of an action.
    pub call: Call,
    /// The steps it waits for; nothing said means the one above it.
    pub needs: Option<Vec<Spanned<String>>>,
    /// A template that must be true, or the step is skipped.
    pub when: Option<Spanned<String>>,
    /// How long one attempt may take.
    pub timeout: Option<SignedDuration>,
    /// Whether and when to try again.
    pub retry: Retry,
    /// What a failure means for the run.
    pub on_failure: OnFailure,
    /// What to do when looking does not tell.
    pub on_unknown: Option<Spanned<OnUnknown>>,
    /// Whether the author vouches that repeating the step does no harm.
    pub idempotent: bool,
    /// A read-only call that says whether the effect is in place.
    pub check: Option<Call>,
}

/// A block as written.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it begins.
    pub place: Span,
    /// Its id; missing only if that is a problem already.
    pub id: Option<Spanned<String>>,
    /// What people call it.
    pub title: Option<Spanned<String>>,
    /// The steps it waits for; nothing said means the one above it.
    pub needs: Option<Vec<Spanned<String>>>,
    /// A template that must be true, or the whole block is skipped.
    pub when: Option<Spanned<String>>,
    /// What stands inside.
    pub steps: Vec<Item>,
}

/// The call of an action as written.
#[derive(Debug, Clone)]
pub struct Call {
    /// The action's name; missing only if that is a problem already.
    pub action: Option<Spanned<String>>,
    /// The parameters, each with its place.
    pub with: Option<Node>,
}

/// When to try again, as written: what is not said stays open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Retry {
    /// How many attempts in all.
    pub attempts: Option<u32>,
    /// The wait before the second attempt.
    pub delay: Option<SignedDuration>,
    /// The factor by which each further wait grows.
    pub backoff: Option<f64>,
    /// The longest wait.
    pub max_delay: Option<SignedDuration>,
}

const LATER: &[&str] = &[
    "gate",
    "by",
    "expires",
    "undo",
    "point_of_no_return",
    "guards",
    "for_each",
    "max_parallel",
    "batch_size",
    "max_failures",
    "runbook",
];

const STEP: Shape = Shape {
    what: "a step",
    keys: &[
        "id",
        "title",
        "action",
        "with",
        "needs",
        "when",
        "timeout",
        "retry",
        "on_failure",
        "on_unknown",
        "idempotent",
        "check",
    ],
    later: LATER,
    foreign: &[
        ("name", "write `id`, and `title` for people"),
        ("description", "write `title`"),
        ("depends_on", "write `needs`"),
        ("depends", "write `needs`"),
        ("if", "write `when`"),
        ("uses", "write `action`"),
        ("run", "write `action: command.run` and `with: { argv: [...] }`"),
        ("command", "write `action: command.run` and `with: { argv: [...] }`"),
        ("script", "write `action: command.run` and `with: { script: ... }`"),
        ("params", "write `with`"),
        ("retries", "write `retry: { attempts: 3 }`"),
        ("continue_on_error", "write `on_failure: continue`"),
        ("ignore_errors", "write `on_failure: continue`"),
        ("steps", "a block of steps begins with `parallel: ID`"),
    ],
};

const BLOCK: Shape = Shape {
    what: "a block",
    keys: &["parallel", "title", "needs", "when", "steps"],
    later: LATER,
    foreign: &[
        ("id", "a block has its id in `parallel: ID`"),
        ("action", "actions stand in the `steps` of the block"),
        ("timeout", "put it on the steps of the block"),
        ("retry", "put it on the steps of the block"),
        ("on_failure", "put it on the steps of the block"),
    ],
};

const RETRY: Shape =
    Shape { what: "`retry`", keys: &["attempts", "delay", "backoff", "max_delay"], later: &[], foreign: &[] };
const CHECK: Shape = Shape { what: "`check`", keys: &["action", "with"], later: &[], foreign: &[] };

const ON_FAILURE: &[(&str, OnFailure)] = &[("stop", OnFailure::Stop), ("continue", OnFailure::Continue)];
const YES_NO: &[(&str, bool)] = &[("true", true), ("false", false)];
const ON_UNKNOWN: &[(&str, OnUnknown)] =
    &[("ask", OnUnknown::Ask), ("rerun", OnUnknown::Rerun), ("fail", OnUnknown::Fail)];

/// Reads a list of steps and blocks; what cannot be read is left out, with its problems.
pub(super) fn read_all(list: Entry, problems: &mut Problems) -> Vec<Item> {
    if list.value.kind == NodeKind::Refused {
        return Vec::new();
    }
    let key = list.key;
    match problems.keep(items(&list.value, &key.value).map(<[Node]>::is_empty)) {
        Some(true) => {
            problems.push(Problem::new("empty_list", key.span, format!("`{}` holds no step", key.value)));
            Vec::new()
        }
        None => Vec::new(),
        Some(false) => match list.value.kind {
            NodeKind::Sequence(nodes) => nodes.into_iter().filter_map(|node| item(node, problems)).collect(),
            NodeKind::Scalar(_) | NodeKind::Mapping(_) | NodeKind::Refused => Vec::new(),
        },
    }
}

fn item(node: Node, problems: &mut Problems) -> Option<Item> {
    if node.has("parallel") {
        let fields = Fields::open(node, &BLOCK, problems)?;
        Some(Item::Block(block(fields, problems)))
    } else {
        let fields = Fields::open(node, &STEP, problems)?;
        Some(Item::Step(Box::new(step(fields, problems))))
    }
}

fn block(mut fields: Fields, problems: &mut Problems) -> Block {
    let place = fields.place();
    Block {
        place,
        id: fields.read("parallel", text, problems),
        title: fields.read("title", text, problems),
        needs: fields.read_list("needs", text, problems),
        when: fields.read("when", text, problems),
        steps: match fields.take("steps") {
            Some(entry) => read_all(entry, problems),
            None => {
                problems.push(Problem::new("missing_key", place, "a block needs `steps`"));
                Vec::new()
            }
        },
    }
}

fn step(mut fields: Fields, problems: &mut Problems) -> Step {
    // What a later version carries out needs no action, and has been refused by name.
    let is_later = LATER.iter().any(|key| fields.has(key));
    let action = match is_later {
        true => fields.read("action", text, problems),
        false => fields.require("action", text, problems),
    };
    Step {
        place: fields.place(),
        id: fields.require("id", text, problems),
        title: fields.read("title", text, problems),
        call: Call { action, with: fields.take("with").map(|entry| entry.value) },
        needs: fields.read_list("needs", text, problems),
        when: fields.read("when", text, problems),
        timeout: fields.read("timeout", timeout, problems),
        retry: fields.take("retry").map(|entry| retry(entry.value, problems)).unwrap_or_default(),
        on_failure: fields.read("on_failure", one_of(ON_FAILURE), problems).unwrap_or_default(),
        on_unknown: fields.read("on_unknown", on_unknown, problems),
        idempotent: fields.read("idempotent", one_of(YES_NO), problems).unwrap_or_default(),
        check: fields.take("check").and_then(|entry| check(entry.value, problems)),
    }
}

fn on_unknown(node: &Node, key: &'static str) -> Result<Spanned<OnUnknown>, Problem> {
    Ok(Spanned::new(one_of(ON_UNKNOWN)(node, key)?, node.span))
}

fn timeout(node: &Node, key: &'static str) -> Result<SignedDuration, Problem> {
    let timeout = duration(node, key)?;
    if timeout.is_zero() {
        return Err(Problem::new("wrong_type", node.span, "`timeout` must be longer than 0s"));
    }
    Ok(timeout)
}

fn retry(node: Node, problems: &mut Problems) -> Retry {
    let Some(mut fields) = Fields::open(node, &RETRY, problems) else { return Retry::default() };
    Retry {
        attempts: fields.require("attempts", count, problems),
        delay: fields.read("delay", duration, problems),
        backoff: fields.read("backoff", factor, problems),
        max_delay: fields.read("max_delay", duration, problems),
    }
}

fn check(node: Node, problems: &mut Problems) -> Option<Call> {
    let mut fields = Fields::open(node, &CHECK, problems)?;
    Some(Call {
        action: fields.require("action", text, problems),
        with: fields.take("with").map(|entry| entry.value),
    })
}
