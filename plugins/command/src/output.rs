//! What a command printed: captured in files, given back masked and within limits.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use lifeboat_action::Masker;
use serde_json::Value;

/// The file in the attempt's folder that stdout goes to.
pub(crate) const STDOUT: &str = "stdout";
/// The file in the attempt's folder that stderr goes to.
pub(crate) const STDERR: &str = "stderr";

/// At most so much of a stream is read, and JSON is taken from a stream that is no longer than this.
const READ_BYTES: usize = 1024 * 1024;
/// At most so much of a stream becomes an output. Much less than what is read: a secret that the first limit cuts in
/// two, so that it cannot be masked, does not get past the second.
const OUTPUT_BYTES: usize = 64 * 1024;
const TAIL_BYTES: usize = 2 * 1024;
const TAIL_LINES: usize = 20;

/// One captured stream.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Captured {
    /// The end of it: masked, bytes that are not UTF-8 replaced, without the line ends at its end.
    pub(crate) text: String,
    /// Whether `text` is not all of it.
    pub(crate) truncated: bool,
    /// All of it, masked, where it is JSON.
    pub(crate) json: Option<Value>,
    /// How often secrets occur in what was read.
    pub(crate) secrets: usize,
}

impl Captured {
    /// Reads a stream's file: as much as the command had printed when it ended, where that was recorded. Fails when
    /// less is there.
    pub(crate) fn read(
        folder: &Path,
        name: &str,
        recorded: Option<u64>,
        masker: &Masker,
    ) -> io::Result<Self> {
        if recorded == Some(0) {
            return Ok(Self::default());
        }
        let mut file = File::open(folder.join(name))?;
        let found = file.metadata()?.len();
        let length = recorded.unwrap_or(found);
        if found < length {
            return Err(io::Error::other(format!("{found} of {length} bytes are left")));
        }
        let skipped = length.saturating_sub(READ_BYTES as u64);
        file.seek(SeekFrom::Start(skipped))?;
        let mut bytes = vec![0; (length - skipped) as usize];
        // A process that the command left behind may still be printing: no more than this.
        file.read_exact(&mut bytes)?;
        Ok(Self::new(&bytes, skipped > 0, masker))
    }

    fn new(bytes: &[u8], cut: bool, masker: &Masker) -> Self {
        let json = if cut { None } else { parse_json(bytes, masker) };
        let text = String::from_utf8_lossy(bytes);
        let masked = masker.mask(&text);
        let whole = masked.trim_end_matches(['\n', '\r']);
        let shown = last_bytes(whole, OUTPUT_BYTES);
        let secrets = masker.count(&text);
        Self { text: shown.to_owned(), truncated: cut || shown.len() < whole.len(), json, secrets }
    }

    /// The last lines, for a message.
    pub(crate) fn tail(&self) -> Option<&str> {
        let text = last_bytes(&self.text, TAIL_BYTES);
        let start = text.rmatch_indices('\n').nth(TAIL_LINES - 1).map_or(0, |(at, _)| at + 1);
        let tail = text.get(start..).unwrap_or(text);
        (!tail.trim().is_empty()).then_some(tail)
    }
}

fn parse_json(bytes: &[u8], masker: &Masker) -> Option<Value> {
    let mut json = serde_json::from_slice(bytes).ok()?;
    masker.mask_value(&mut json);
    Some(json)
}

/// The end of the text, at most so many bytes.
fn last_bytes(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn captured(bytes: &[u8]) -> Captured {
        Captured::new(bytes, false, &Masker::default())
    }

    #[test]
    fn line_ends_at_the_end_go_and_others_stay() {
        assert_eq!(captured(b"a\n\nb\r\n\n").text, "a\n\nb");
    }

    #[test]
    fn what_is_not_utf8_is_replaced() {
        assert_eq!(captured(b"\xffa\xc3").text, "\u{fffd}a\u{fffd}");
    }

    #[test]
    fn json_is_recognised_and_masked() {
        let masker = Masker::new(["pw\"x".to_owned()]);
        let captured = Captured::new(br#"{"a": "pw\"x", "b": [1]}"#, false, &masker);
        assert_eq!(captured.json, Some(json!({"a": "‹secret›", "b": [1]})));
        assert_eq!(Captured::new(b"{}", true, &masker).json, None);
    }

    #[test]
    fn the_end_is_kept() {
        let long = format!("{}\n{}end", "é".repeat(OUTPUT_BYTES), "x".repeat(OUTPUT_BYTES / 2));
        let captured = captured(long.as_bytes());
        assert!(captured.truncated && captured.text.len() <= OUTPUT_BYTES && captured.text.ends_with("xend"));
        assert_eq!(captured.tail().map(str::len), Some(TAIL_BYTES));
    }

    #[test]
    fn the_tail_is_the_last_lines() {
        let lines: Vec<_> = (0..100).map(|line| line.to_string()).collect();
        let captured = captured(lines.join("\n").as_bytes());
        assert_eq!(captured.tail(), Some(lines[80..].join("\n").as_str()));
        assert_eq!(Captured::default().tail(), None);
    }
}
