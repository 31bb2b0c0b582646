//! The tree of a YAML document, every key and value with its place.
//!
//! This is the index from paths to positions: whoever holds a node knows where it was written, however deep.

use crate::kind;
use crate::source::{Span, Spanned};

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it is written.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values, in the order written; no key is there twice.
    Mapping(Vec<Entry>),
    /// Something that was refused while reading and has a problem already: nobody needs to complain again.
    Refused,
}

/// A scalar before it has a type: YAML decides by the text whether an unquoted one is a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, quotes and escapes resolved.
    pub text: String,
    /// Written without quotes and not as a block.
    pub plain: bool,
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The place of the value at the end of a path of keys and, as digits, places in lists; where the path leaves
    /// the document, the deepest place on the way there.
    pub fn place(&self, path: &[String]) -> Span {
        let Some((first, rest)) = path.split_first() else { return self.span };
        let child = match &self.kind {
            NodeKind::Mapping(entries) => {
                entries.iter().find(|entry| entry.key.value == *first).map(|entry| &entry.value)
            }
            NodeKind::Sequence(items) => first.parse().ok().and_then(|at: usize| items.get(at)),
            NodeKind::Scalar(_) | NodeKind::Refused => None,
        };
        child.map_or(self.span, |child| child.place(rest))
    }

    /// The place of the key at the end of a path; where there is none, as [`Node::place`].
    pub fn key_place(&self, path: &[String]) -> Span {
        match (&self.kind, path) {
            (NodeKind::Mapping(entries), [key, rest @ ..]) => {
                match entries.iter().find(|entry| entry.key.value == *key) {
                    Some(entry) if rest.is_empty() => entry.key.span,
                    Some(entry) => entry.value.key_place(rest),
                    None => self.span,
                }
            }
            (NodeKind::Sequence(items), [at, rest @ ..]) => {
                let item = at.parse().ok().and_then(|at: usize| items.get(at));
                item.map_or(self.span, |item| item.key_place(rest))
            }
            (NodeKind::Mapping(_) | NodeKind::Sequence(_) | NodeKind::Scalar(_) | NodeKind::Refused, _) => {
                self.span
            }
        }
    }

    /// Whether it is a mapping with that key.
    pub fn has(&self, key: &str) -> bool {
        matches!(&self.kind, NodeKind::Mapping(entries) if entries.iter().any(|entry| entry.key.value == key))
    }

    /// What the value is, in the words of a message: `a list`, `a number`, …
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(scalar) => scalar.describe(),
            NodeKind::Sequence(_) => kind::LIST,
            NodeKind::Mapping(_) => kind::MAPPING,
            NodeKind::Refused => "a value that was refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::document::compose::compose;
    use crate::problem::Problems;
    use crate::source::Source;

    #[test]
    fn a_path_leads_to_the_place_of_a_value() {
        let source = Source::new("a.yaml", "steps:\n  - id: ä\n    needs: [one, two]\n");
        let node = compose(&source, &mut Problems::new()).expect("the document is well-formed");
        let path = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(source.slice(node.place(&path("steps.0.needs.1"))), "two");
        assert_eq!(source.slice(node.place(&path("steps.0.needs.7"))), "[one, two]");
        assert_eq!(source.slice(node.key_place(&path("steps.0.needs"))), "needs");
    }
}
