//! What is refused before the YAML parser sees the text.

use crate::problem::Problem;
use crate::source::{Source, Span};

/// Refuses text that is too large, not UTF-8, or holds characters that a reader cannot see.
///
/// Invisible characters are refused everywhere: a NUL ends the document for the YAML parser, silently, and
/// direction marks make a runbook look different from what it does.
pub(super) fn precheck(source: &Source) -> Result<(), Problem> {
    if let Some(span) = source.not_utf8() {
        return Err(Problem::new("not_utf8", span, "this is not UTF-8 text"));
    }
    if source.text().len() > Source::MAX_BYTES {
        let end = source.text().floor_char_boundary(Source::MAX_BYTES);
        let message = format!("the file is larger than {} KiB", Source::MAX_BYTES / 1024);
        return Err(Problem::new("too_large", Span::empty(end), message));
    }
    let hidden = source.text().char_indices().find(|(_, character)| is_hidden(*character));
    hidden.map_or(Ok(()), |(at, character)| {
        let span = Span::new(at, at + character.len_utf8());
        let message = format!("the invisible character U+{:04X} is not allowed", u32::from(character));
        Err(Problem::new("invisible_character", span, message))
    })
}

fn is_hidden(character: char) -> bool {
    let direction = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    direction || (character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::precheck;
    use crate::source::{Source, Span};

    fn refusal(source: &Source) -> Option<(&'static str, Span)> {
        precheck(source).err().map(|problem| (problem.code, problem.span))
    }

    #[test]
    fn invisible_characters_are_refused_where_they_are() {
        let found = |text: &str| refusal(&Source::new("a.yaml", text));
        assert_eq!(found("a: \0b"), Some(("invisible_character", Span::new(3, 4))));
        assert_eq!(found("a: \u{202e}b"), Some(("invisible_character", Span::new(3, 6))));
        assert_eq!(found("a:\tü\r\n"), None);
    }

    #[test]
    fn the_size_is_bounded() {
        let largest = "a".repeat(Source::MAX_BYTES);
        assert_eq!(refusal(&Source::new("a.yaml", largest.clone())), None);
        let refused = refusal(&Source::new("a.yaml", largest + "ü"));
        assert_eq!(refused, Some(("too_large", Span::empty(Source::MAX_BYTES))));
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_where_they_are() {
        let source = Source::from_bytes("a.yaml", b"a: b\xc3(".to_vec());
        assert_eq!(refusal(&source), Some(("not_utf8", Span::new(4, 7))));
    }
}
