//! The tree of a YAML document, every key and value with its place.
//!
//! This is the index from paths to positions: whoever holds a node knows where it was written, however deep.

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

/// One step of the way from a value to a value inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathSegment {
    /// Into a mapping, by key.
    Key(String),
    /// Into a list, by place from zero.
    Index(usize),
}

impl Node {
    /// The place of the value at the end of a path; where the path leaves the document, the deepest place on
    /// the way there.
    pub fn place(&self, path: &[PathSegment]) -> Span {
        let Some((first, rest)) = path.split_first() else { return self.span };
        let child = match (&self.kind, first) {
            (NodeKind::Mapping(entries), PathSegment::Key(key)) => {
                entries.iter().find(|entry| entry.key.value == *key).map(|entry| &entry.value)
            }
            (NodeKind::Sequence(items), PathSegment::Index(index)) => items.get(*index),
            (NodeKind::Mapping(_) | NodeKind::Sequence(_) | NodeKind::Scalar(_) | NodeKind::Refused, _) => {
                None
            }
        };
        child.map_or(self.span, |child| child.place(rest))
    }

    /// Whether it is a mapping with that key.
    pub fn has(&self, key: &str) -> bool {
        matches!(&self.kind, NodeKind::Mapping(entries) if entries.iter().any(|entry| entry.key.value == key))
    }

    /// What the value is, in the words of a message: `a list`, `a number`, …
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(scalar) => scalar.describe(),
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a mapping",
            NodeKind::Refused => "a value that was refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PathSegment;
    use crate::document::compose::compose;
    use crate::problem::Problems;
    use crate::source::Source;

    #[test]
    fn a_path_leads_to_the_place_of_a_value() {
        let source = Source::new("a.yaml", "steps:\n  - id: ä\n    needs: [one, two]\n");
        let node = compose(&source, &mut Problems::new()).expect("the document is well-formed");
        let key = |name: &str| PathSegment::Key(name.to_owned());
        let path = [key("steps"), PathSegment::Index(0), key("needs"), PathSegment::Index(1)];
        assert_eq!(source.slice(node.place(&path)), "two");
        let nowhere = [key("steps"), PathSegment::Index(0), key("needs"), PathSegment::Index(7)];
        assert_eq!(source.slice(node.place(&nowhere)), "[one, two]");
    }
}
