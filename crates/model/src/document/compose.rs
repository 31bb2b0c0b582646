//! One pass over the YAML events: builds the tree and refuses what could hurt or mislead.
//!
//! Nothing here recurses and nothing is expanded, so time and memory are bounded by the size of the text:
//! anchors and aliases (the road to a billion laughs) are refused, as are tags, merge keys, duplicate keys,
//! keys that are not text, a second document, and anything deeper or larger than the limits below.

use std::collections::{HashMap, hash_map};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::node::{Entry, Node, NodeKind, Scalar};
use super::offsets::Offsets;
use super::precheck::precheck;
use super::syntax_error;
use crate::problem::{Problem, Problems};
use crate::source::{Source, Span, Spanned};

/// How deep lists and mappings may be nested.
const MAX_DEPTH: usize = 64;
/// How many scalars, lists and mappings one runbook may hold, keys included.
const MAX_NODES: usize = 100_000;

/// Reads the text of a runbook into a tree.
///
/// Mistakes that leave the rest readable go to `problems`, and what they touch is left out or marked as
/// refused.
///
/// # Errors
/// The mistake that makes it impossible to read on.
pub(super) fn compose(source: &Source, problems: &mut Problems) -> Result<Node, Problem> {
    precheck(source)?;
    let offsets = Offsets::new(source.text());
    let mut composer = Composer { source, problems, open: Vec::new(), nodes: 0, root: None };
    for next in &mut Parser::new_from_str(offsets.body()) {
        let (event, span) = next.map_err(|error| unreadable(source, &offsets, &error))?;
        composer.event(event, offsets.span(span))?;
    }
    composer.root.ok_or_else(syntax_error::empty)
}

struct Composer<'s> {
    source: &'s Source,
    problems: &'s mut Problems,
    open: Vec<Open>,
    nodes: usize,
    root: Option<Node>,
}

/// A list or mapping whose end has not come yet.
struct Open {
    start: Span,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping(OpenMapping),
}

#[derive(Default)]
struct OpenMapping {
    entries: Vec<Entry>,
    seen: HashMap<String, Span>,
    key: Option<Key>,
    /// The whole mapping was a mistake.
    refused: bool,
}

/// A key that waits for its value.
enum Key {
    Usable(Spanned<String>),
    /// The key was a mistake; its value is read and dropped.
    Refused,
}

impl Composer<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => self.document(span),
            Event::Alias(_) => {
                self.problems.push(syntax_error::anchor(span));
                self.node(Node { span, kind: NodeKind::Refused })
            }
            Event::Scalar(text, style, anchor, tag) => {
                let kind = if self.marked(anchor, tag.is_some(), span) {
                    NodeKind::Refused
                } else {
                    NodeKind::Scalar(Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain })
                };
                self.node(Node { span: trimmed(self.source, span), kind })
            }
            Event::SequenceStart(anchor, tag) => {
                self.marked(anchor, tag.is_some(), span);
                self.open(span, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.marked(anchor, tag.is_some(), span);
                self.open(span, Content::Mapping(OpenMapping::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(span);
                Ok(())
            }
        }
    }

    fn document(&mut self, span: Span) -> Result<(), Problem> {
        if self.root.is_none() {
            return Ok(());
        }
        Err(syntax_error::second_document(span))
    }

    /// Complains about an anchor or a tag, and says whether there was one.
    fn marked(&mut self, anchor: usize, tagged: bool, value: Span) -> bool {
        if anchor > 0 {
            self.problems.push(syntax_error::anchor(syntax_error::mark(self.source, value, '&')));
        }
        if tagged {
            self.problems.push(syntax_error::tag(syntax_error::mark(self.source, value, '!')));
        }
        anchor > 0 || tagged
    }

    fn open(&mut self, start: Span, content: Content) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(syntax_error::too_deep(start, MAX_DEPTH));
        }
        self.open.push(Open { start, content });
        self.count(start)
    }

    fn count(&mut self, span: Span) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(syntax_error::too_many_values(span, MAX_NODES));
        }
        Ok(())
    }

    fn close(&mut self, end: Span) {
        let Some(Open { start, content }) = self.open.pop() else { return };
        let (kind, last) = match content {
            Content::Sequence(items) => {
                let last = items.last().map(|item| item.span);
                (NodeKind::Sequence(items), last)
            }
            Content::Mapping(mapping) => {
                let last = mapping.entries.last().map(|entry| entry.key.span.to(entry.value.span));
                let kind =
                    if mapping.refused { NodeKind::Refused } else { NodeKind::Mapping(mapping.entries) };
                (kind, last)
            }
        };
        // A block ends where its last value does; the event itself comes after blank lines and comments.
        let span = if end.is_empty() { last.map_or(start, |last| start.to(last)) } else { start.to(end) };
        let span = trimmed(self.source, span);
        self.put(Node { span, kind });
    }

    fn node(&mut self, node: Node) -> Result<(), Problem> {
        self.count(node.span)?;
        self.put(node);
        Ok(())
    }

    /// Puts a whole node where it belongs.
    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { content: Content::Sequence(items), .. }) => items.push(node),
            Some(Open { content: Content::Mapping(mapping), start }) => match mapping.key.take() {
                Some(key) => mapping.value(key, node),
                None => {
                    let problem = mapping.key(self.source, *start, &node).err().flatten();
                    problem.into_iter().for_each(|problem| self.problems.push(problem));
                }
            },
        }
    }
}

impl OpenMapping {
    /// Takes a node as the next key; fails without a problem where there is one already.
    fn key(&mut self, source: &Source, start: Span, node: &Node) -> Result<(), Option<Problem>> {
        self.key = Some(Key::Refused);
        let text = match &node.kind {
            NodeKind::Refused => return Err(None),
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                let template = syntax_error::unquoted_template(source, start);
                self.refused |= template.is_some();
                return Err(template.or_else(|| Some(syntax_error::not_a_key(node.span))));
            }
            NodeKind::Scalar(scalar) if scalar.plain && scalar.text == "<<" => {
                return Err(Some(syntax_error::merge_key(node.span)));
            }
            NodeKind::Scalar(scalar) => &scalar.text,
        };
        match self.seen.entry(text.clone()) {
            hash_map::Entry::Occupied(first) => {
                Err(Some(syntax_error::duplicate_key(text, node.span, *first.get())))
            }
            hash_map::Entry::Vacant(free) => {
                free.insert(node.span);
                self.key = Some(Key::Usable(Spanned::new(text.clone(), node.span)));
                Ok(())
            }
        }
    }

    fn value(&mut self, key: Key, mut node: Node) {
        let Key::Usable(key) = key else { return };
        // A value that is not there has its place at the key.
        if node.span.is_empty() {
            node.span = key.span;
        }
        self.entries.push(Entry { key, value: node });
    }
}

fn unreadable(source: &Source, offsets: &Offsets<'_>, error: &ScanError) -> Problem {
    let at = offsets.byte(error.marker().index());
    match error.info() {
        why if why.contains("recursion limit") => syntax_error::too_deep(Span::empty(at), MAX_DEPTH),
        why if why.contains("unknown anchor") => {
            let rest = Span::new(at, source.text().len());
            syntax_error::anchor(syntax_error::mark(source, rest, '*'))
        }
        why => syntax_error::syntax(source, at, why),
    }
}

/// Some values span the white space after them too; what a person sees as the value does not.
fn trimmed(source: &Source, span: Span) -> Span {
    Span::new(span.start, span.start + source.slice(span).trim_end().len())
}
