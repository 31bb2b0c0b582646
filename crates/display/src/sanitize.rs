//! Texts from outside, made harmless for a terminal.

use std::borrow::Cow;

/// A text from outside, made harmless for a terminal: what would steer it is shown instead.
pub fn clean(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| c == '\n' || !(c.is_control() || turns_text(c));
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| match c {
        c if harmless(c) => c.to_string(),
        '\t' => "    ".to_owned(),
        '\r' => String::new(),
        c => c.escape_default().to_string(),
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Whether a character changes the direction of the text around it or breaks its line, without being seen.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text from outside on one line.
pub fn one_line(text: &str) -> String {
    let parts = text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty());
    clean(&parts.collect::<Vec<_>>().join(" / ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_shown() {
        assert_eq!(clean("a\u{1b}[2Jb\tc\r\nd"), "a\\u{1b}[2Jb    c\nd");
        assert_eq!(clean("fi\u{202e}le\u{2066}\u{2028}"), "fi\\u{202e}le\\u{2066}\\u{2028}");
        assert_eq!(one_line(" a\n\n  b\r\n"), "a / b");
    }
}
