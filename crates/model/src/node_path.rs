//! Where a node stands in a run: its path, such as `outage/drain[users]/move`.
//!
//! A segment is a step's id; an item of a loop adds its key in brackets. Keys are any short text, so the characters that
//! have a meaning in a path are written as `%XX` inside of one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::ids::{InvalidId, StepId};

/// The characters of a key that would be read as part of the path around it.
const IN_KEY: &AsciiSet = &CONTROLS.add(b'%').add(b'/').add(b'[').add(b']');
/// The characters that a file name does not get: they mean something to shells, or to the path.
const IN_FILE_NAME: &AsciiSet = &IN_KEY
    .add(b' ')
    .add(b'"')
    .add(b'\'')
    .add(b'*')
    .add(b'?')
    .add(b'\\')
    .add(b'+')
    .add(b'&')
    .add(b'$')
    .add(b'`');
/// File systems allow 255 bytes; attempts and temporary names need some of them.
const LONGEST_FILE_NAME: usize = 200;
const LONGEST_KEY: usize = 256;

/// The key of a loop's item: unique in its loop, the same whatever the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemKey(Arc<str>);

impl ItemKey {
    /// Takes a text as a key: 1 to 256 bytes without control characters.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds a control character.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let valid = (1..=LONGEST_KEY).contains(&text.len()) && !text.contains(char::is_control);
        let invalid = || InvalidId {
            what: "item key",
            text: text.to_owned(),
            rule: "use 1 to 256 bytes without control characters",
        };
        valid.then(|| Self(text.into())).ok_or_else(invalid)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for ItemKey {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::new(&text)
    }
}

impl From<ItemKey> for String {
    fn from(key: ItemKey) -> String {
        key.0.as_ref().to_owned()
    }
}

/// A node's path in its run. Valid by construction; which nodes exist is for the run to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodePath(Arc<str>);

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The step's id.
    pub id: StepId,
    /// The item's key, for an item of a loop.
    pub key: Option<ItemKey>,
}

impl NodePath {
    /// Takes a text as a path.
    ///
    /// # Errors
    /// When a segment is neither `id` nor `id[key]`.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        for segment in text.split('/') {
            Segment::read(segment, text)?;
        }
        Ok(Self(text.into()))
    }

    /// The path of a node that stands in no block.
    pub fn top(id: &StepId) -> Self {
        Self(id.shared())
    }

    /// The path of the node with that id inside this one.
    #[must_use]
    pub fn child(&self, id: &StepId) -> Self {
        Self(format!("{self}/{id}").into())
    }

    /// The path of the item with that key, if this is a loop.
    #[must_use]
    pub fn item(&self, key: &ItemKey) -> Self {
        Self(format!("{self}[{}]", utf8_percent_encode(key.as_str(), IN_KEY)).into())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, from the outside in.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        let read = |text| Segment::read(text, &self.0).expect("bug: a path is checked when it is made");
        self.0.split('/').map(read)
    }

    /// The step's id, if the node stands in no block and is no item: the common case, without reading segments.
    pub(crate) fn as_top(&self) -> Option<&str> {
        (!self.0.contains(['/', '['])).then_some(&self.0)
    }

    /// The last segment without its key: the id of the step behind the node.
    pub fn id(&self) -> &str {
        let last = self.0.rsplit('/').next().unwrap_or(&self.0);
        last.split('[').next().unwrap_or(last)
    }

    /// A name for the node's folder, the same on every machine; `None` where the path is too long for one.
    pub fn file_name(&self) -> Option<String> {
        let name = |segment: Segment| match segment.key {
            None => segment.id.to_string(),
            Some(key) => format!("{}[{}]", segment.id, utf8_percent_encode(key.as_str(), IN_FILE_NAME)),
        };
        let name = self.segments().map(name).collect::<Vec<_>>().join("+");
        (name.len() <= LONGEST_FILE_NAME).then_some(name)
    }
}

impl Segment {
    fn read(text: &str, path: &str) -> Result<Self, InvalidId> {
        let invalid = |rule| InvalidId { what: "path", text: path.to_owned(), rule };
        let (id, key) = match text.split_once('[') {
            None => (text, None),
            Some((id, rest)) => {
                let key = rest.strip_suffix(']').ok_or_else(|| invalid("a key ends with `]`"))?;
                if key.contains(['[', ']']) {
                    return Err(invalid("write `[` and `]` inside a key as `%5B` and `%5D`"));
                }
                let key = percent_decode_str(key).decode_utf8().map_err(|_| invalid("a key is UTF-8"))?;
                (id, Some(ItemKey::new(&key)?))
            }
        };
        let id = StepId::new(id).map_err(|_| invalid("write ids separated by `/`, an item as `id[key]`"))?;
        Ok(Self { id, key })
    }
}

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for NodePath {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl TryFrom<String> for NodePath {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::new(&text)
    }
}

impl From<NodePath> for String {
    fn from(path: NodePath) -> String {
        path.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> StepId {
        StepId::new(text).unwrap()
    }

    #[test]
    fn a_path_names_blocks_and_items() {
        let path = NodePath::top(&id("outage")).child(&id("drain")).item(&ItemKey::new("a/b [1]").unwrap());
        assert_eq!(path.as_str(), "outage/drain[a%2Fb %5B1%5D]");
        assert_eq!(path.child(&id("move")).id(), "move");
        assert_eq!(path.id(), "drain");
        assert_eq!(path.file_name().unwrap(), "outage+drain[a%2Fb%20%5B1%5D]");
        assert_eq!(NodePath::new(path.as_str()), Ok(path));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in
            ["", "/", "a/", "a//b", "A", "a[", "a[]", "a]", "a[x]y", "a[x[y]]", "../etc", "a[%ff]", "a[\n]"]
        {
            assert!(NodePath::new(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_key_comes_back(key in "\\PC{1,40}") {
            let key = ItemKey::new(&key).unwrap();
            let path = NodePath::top(&id("each")).item(&key).child(&id("do"));
            let read: Vec<_> = NodePath::new(path.as_str()).unwrap().segments().collect();
            prop_assert_eq!(&read, &[Segment { id: id("each"), key: Some(key) }, Segment { id: id("do"), key: None }]);
            let name = path.file_name().unwrap_or_default();
            prop_assert!(name.len() <= LONGEST_FILE_NAME && !name.contains(['/', '\0', '*', ' ']));
        }
    }
}
