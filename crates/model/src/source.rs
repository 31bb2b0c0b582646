//! The text of one runbook, and where a byte of it stands.
//!
//! Everything that reads a runbook speaks in byte spans; only what shows a problem to a person turns them
//! into lines and columns, here.

use serde::{Deserialize, Serialize};

/// A range of bytes of a [`Source`]: `start` inclusive, `end` exclusive, both on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The span of no byte at all, just before `offset`.
    pub fn empty(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// Whether it holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A value and the place where it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Puts both together.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A line and a column, both counted from one; columns count characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The line, from one.
    pub line: usize,
    /// The column, from one.
    pub column: usize,
}

/// The name and the text of a runbook.
///
/// A source always holds text, also when the file did not: bytes that are not UTF-8 are replaced and the
/// first of them is remembered, so that the parser can refuse it with a position like any other mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    line_starts: Vec<usize>,
    not_utf8: Option<Span>,
}

impl Source {
    /// The largest runbook that is read, in bytes. A reader may stop one byte past it: the parser refuses
    /// the rest anyway.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// Takes a text; `name` is what messages call it, usually the path as the operator gave it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::build(name.into(), text.into(), None)
    }

    /// Takes the bytes of a file, whatever they are.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::new(name, text),
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let end = start + char::REPLACEMENT_CHARACTER.len_utf8();
                Self::build(name.into(), text, Some(Span::new(start, end)))
            }
        }
    }

    fn build(name: String, text: String, not_utf8: Option<Span>) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        Self { name, text, line_starts, not_utf8 }
    }

    /// What messages call the runbook.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the first bytes stood that are not UTF-8, if there were any.
    pub(crate) fn not_utf8(&self) -> Option<Span> {
        self.not_utf8
    }

    /// The text of a span; empty if the span does not fit this source.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The line and column of a byte; an offset past the end gives the end.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line_of(offset);
        let column = self.text[self.line_starts[line - 1]..offset].chars().count() + 1;
        Position { line, column }
    }

    /// The line of a byte, from one.
    pub fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// The text of a line counted from one, without its line break; empty if there is no such line.
    pub fn line(&self, line: usize) -> &str {
        let Some(&start) = line.checked_sub(1).and_then(|index| self.line_starts.get(index)) else {
            return "";
        };
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, Source, Span};

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = Source::new("a.yaml", "ä: 1\r\nbb: ü2\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(4), Position { line: 1, column: 4 });
        let two = source.text().find('2').expect("the text holds a 2");
        assert_eq!(source.position(two), Position { line: 2, column: 6 });
        assert_eq!(source.position(9999), Position { line: 3, column: 1 });
    }

    #[test]
    fn lines_come_without_their_breaks() {
        let source = Source::new("a.yaml", "one\r\ntwo\nthree");
        assert_eq!((source.line(1), source.line(2), source.line(3)), ("one", "two", "three"));
        assert_eq!((source.line(0), source.line(4)), ("", ""));
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced_and_remembered() {
        let source = Source::from_bytes("a.yaml", b"ok: \xff\xfe".to_vec());
        assert_eq!(source.not_utf8(), Some(Span::new(4, 7)));
        assert_eq!(source.slice(Span::new(4, 7)), "\u{fffd}");
    }
}
