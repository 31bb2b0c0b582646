//! The YAML parser counts characters, we count bytes: the way from one to the other.

use crate::source::Span;

/// Maps the parser's character positions to byte offsets of the source.
pub(super) struct Offsets<'t> {
    body: &'t str,
    /// Length of a byte order mark before the body.
    skipped: usize,
    /// The byte of each character of the body; nothing where they are the same, as in plain ASCII.
    bytes: Option<Vec<usize>>,
}

impl<'t> Offsets<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let bytes = (!body.is_ascii()).then(|| body.char_indices().map(|(at, _)| at).collect());
        Self { body, skipped: text.len() - body.len(), bytes }
    }

    /// The text to parse: the source without a byte order mark.
    pub(super) fn body(&self) -> &'t str {
        self.body
    }

    /// The byte offset of a character; past the end it is the end.
    pub(super) fn byte(&self, character: usize) -> usize {
        let byte = match &self.bytes {
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.body.len()),
            None => character.min(self.body.len()),
        };
        self.skipped + byte
    }

    pub(super) fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.byte(span.start.index());
        Span::new(start, self.byte(span.end.index()).max(start))
    }
}

#[cfg(test)]
mod tests {
    use super::Offsets;

    #[test]
    fn characters_map_to_bytes_past_a_byte_order_mark() {
        let offsets = Offsets::new("\u{feff}äb");
        assert_eq!(offsets.body(), "äb");
        assert_eq!((offsets.byte(0), offsets.byte(1), offsets.byte(2), offsets.byte(9)), (3, 5, 6, 6));
    }
}
