//! Takes a mapping apart by its known keys, and complains about every other one.

use super::node::{Entry, Node, NodeKind};
use super::read::items;
use super::syntax_error::shortened;
use crate::problem::{Problem, Problems};
use crate::source::{Span, Spanned};
use crate::suggest::{did_you_mean, nearest};

/// The keys a kind of mapping may have.
pub(super) struct Shape {
    /// What the mapping is called in messages: `a step`, `the runbook`.
    pub(super) what: &'static str,
    pub(super) keys: &'static [&'static str],
    /// Keys of the language that this version of Lifeboat does not carry out yet. Passing over one of them
    /// could remove a person from a promotion, so each is refused by name.
    pub(super) later: &'static [&'static str],
    /// Words that other tools use, with what to write here instead.
    pub(super) foreign: &'static [(&'static str, &'static str)],
}

/// A mapping of a known shape, its keys taken out one by one.
#[derive(Debug)]
pub(super) struct Fields {
    entries: Vec<Entry>,
    what: &'static str,
    /// Where to point if something is missing.
    place: Span,
    /// Known keys that are there under a misspelt name.
    misspelt: Vec<&'static str>,
}

impl Fields {
    /// Opens a mapping; keys that do not belong to its shape become problems at once.
    ///
    /// Gives nothing, with a problem, for anything but a mapping.
    pub(super) fn open(node: Node, shape: &Shape, problems: &mut Problems) -> Option<Self> {
        let described = node.describe();
        let NodeKind::Mapping(entries) = node.kind else {
            if node.kind != NodeKind::Refused {
                let message = format!("{} must be a mapping, this is {described}", shape.what);
                let help = format!("known keys: {}", shape.keys.join(", "));
                problems.push(Problem::new("wrong_type", node.span, message).help(help));
            }
            return None;
        };
        let mut misspelt = Vec::new();
        for entry in entries.iter().filter(|entry| !shape.keys.contains(&entry.key.value.as_str())) {
            if problems.is_full() {
                problems.omit();
                continue;
            }
            problems.push(unknown(&entry.key, shape));
            misspelt.extend(nearest(&entry.key.value, shape.keys.iter().copied()));
        }
        let place = entries.first().map_or(node.span, |entry| entry.key.span);
        Some(Self { entries, what: shape.what, place, misspelt })
    }

    /// Where the mapping begins.
    pub(super) fn place(&self) -> Span {
        self.place
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.value == key)
    }

    /// Takes the value of a key out, if it is there.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.key.value == key)?;
        Some(self.entries.swap_remove(at))
    }

    /// Takes a value out and reads it; a value that cannot be read is a problem and then nothing.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node, &'static str) -> Result<T, Problem>,
        problems: &mut Problems,
    ) -> Option<T> {
        let entry = self.take(key)?;
        if entry.value.kind == NodeKind::Refused {
            return None;
        }
        problems.keep(read(&entry.value, key))
    }

    /// Takes out a list and reads each item; items that cannot be read are problems and left out.
    pub(super) fn read_list<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&Node, &'static str) -> Result<T, Problem>,
        problems: &mut Problems,
    ) -> Option<Vec<T>> {
        let entry = self.take(key)?;
        if entry.value.kind == NodeKind::Refused {
            return None;
        }
        let items = problems.keep(items(&entry.value, key))?.iter();
        let readable = items.filter(|item| item.kind != NodeKind::Refused);
        Some(readable.filter_map(|item| problems.keep(read(item, key))).collect())
    }

    /// As [`Fields::read`], for a key that must be there.
    pub(super) fn require<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node, &'static str) -> Result<T, Problem>,
        problems: &mut Problems,
    ) -> Option<T> {
        if !self.has(key) && !self.misspelt.contains(&key) {
            let problem = Problem::new("missing_key", self.place, format!("{} needs `{key}`", self.what));
            problems.push(problem);
        }
        self.read(key, read, problems)
    }
}

/// The entries of a mapping whose keys are names that the author chose.
pub(super) fn named(node: Node, what: &str, problems: &mut Problems) -> Vec<Entry> {
    let described = node.describe();
    match node.kind {
        NodeKind::Mapping(entries) => {
            entries.into_iter().filter(|entry| problems.keep(name(&entry.key)).is_some()).collect()
        }
        NodeKind::Refused => Vec::new(),
        NodeKind::Scalar(_) | NodeKind::Sequence(_) => {
            let message = format!("{what} must be a mapping, this is {described}");
            problems.push(Problem::new("wrong_type", node.span, message));
            Vec::new()
        }
    }
}

/// A name that a template can hold: `inputs.NAME`.
fn name(key: &Spanned<String>) -> Result<(), Problem> {
    let first = key.value.starts_with(|first: char| first.is_ascii_alphabetic());
    let rest = key.value.chars().all(|rest| rest.is_ascii_alphanumeric() || matches!(rest, '_' | '-'));
    if first && rest && key.value.len() <= 64 {
        return Ok(());
    }
    let message = format!("`{}` is not a valid name", shortened(&key.value));
    Err(Problem::new("invalid_name", key.span, message)
        .help("use up to 64 letters, digits, `-` and `_`, starting with a letter"))
}

fn unknown(key: &Spanned<String>, shape: &Shape) -> Problem {
    let name = shortened(&key.value);
    if shape.later.contains(&key.value.as_str()) {
        let message = format!("`{name}` is not supported by this version of lifeboat");
        return Problem::new("not_supported", key.span, message);
    }
    let problem = Problem::new("unknown_key", key.span, format!("{} has no key `{name}`", shape.what));
    if let Some((_, instead)) = shape.foreign.iter().find(|(foreign, _)| *foreign == key.value) {
        return problem.help(*instead);
    }
    let known = shape.keys.iter().chain(shape.later).copied();
    problem.help(format!("known keys: {}", shape.keys.join(", "))).help_maybe(did_you_mean(&key.value, known))
}
