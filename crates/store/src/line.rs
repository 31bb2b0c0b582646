//! One line of the journal.
//!
//! ```text
//! {"v":"1.0","seq":7,"batch":6,"epoch":1,"at":"…","type":"…","data":{…},"prev":"<64 hex>","hash":"<64 hex>"}
//!  └──────────────── head ─────────────────────┘└──────── body ───────┘└────────────── tail ──────────────┘
//! ```
//!
//! A record that changes nothing has `"skip":true` at the end of its head: a reader of an older minor version that does
//! not know its type passes over it. A reader that does not know another type refuses the journal.
//!
//! The order of the fields is part of the format: head and tail are read without parsing the body, so that a chain of
//! thousands of records is verified at the speed of the hash. `hash` covers every byte of the line before `,"hash"`,
//! `prev` among them. `batch` is the number of the first record that was written and synced together with this one:
//! it tells a torn batch from damage (see [`crate::text`]).

use std::fmt;
use std::io::Write as _;

use jiff::Timestamp;
use lifeboat_model::record::{FORMAT, FormatVersion};
use lifeboat_model::{Epoch, Record, RecordBody, Seq};

/// What marks a record that changes nothing.
const SKIP: &[u8] = br#","skip":true"#;

/// The hash of a line, as its 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineHash([u8; 64]);

impl LineHash {
    /// What the first line names as the hash of the line before.
    pub(crate) const START: Self = Self([b'0'; 64]);

    fn of(bytes: &[u8]) -> Self {
        let mut digits = [0; 64];
        digits.copy_from_slice(blake3::hash(bytes).to_hex().as_bytes());
        Self(digits)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("(not a hash)")
    }
}

impl fmt::Debug for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Appends the line of a record, with its line break, to a buffer and returns its hash.
pub(crate) fn write(
    buffer: &mut Vec<u8>,
    record: &Record,
    batch: Seq,
    prev: &LineHash,
) -> std::io::Result<LineHash> {
    let start = buffer.len();
    let Record { seq, epoch, at, body } = record;
    write!(buffer, r#"{{"v":"{FORMAT}","seq":{seq},"batch":{batch},"epoch":{epoch},"at":"{at}""#)?;
    if body.may_be_skipped() {
        buffer.extend_from_slice(SKIP);
    }
    // The body is an object of its own, `{"type":…,"data":…}`: its braces give way to the line's.
    let body_start = buffer.len();
    serde_json::to_writer(&mut *buffer, body)?;
    buffer[body_start] = b',';
    buffer.pop();
    buffer.extend_from_slice(br#","prev":""#);
    buffer.extend_from_slice(&prev.0);
    buffer.push(b'"');
    let hash = LineHash::of(&buffer[start..]);
    buffer.extend_from_slice(br#","hash":""#);
    buffer.extend_from_slice(&hash.0);
    buffer.extend_from_slice(b"\"}\n");
    Ok(hash)
}

/// A line whose own hash is right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) version: FormatVersion,
    pub(crate) seq: Seq,
    pub(crate) batch: Seq,
    pub(crate) epoch: Epoch,
    pub(crate) prev: LineHash,
    pub(crate) hash: LineHash,
    /// When it was decided, as written.
    pub(crate) at: &'a str,
    /// Whether a reader that does not know its type may pass over it.
    skip: bool,
    /// `"type":…,"data":…`
    body: &'a [u8],
}

impl<'a> Line<'a> {
    /// Reads a line, given without its line break.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let (hashed, hash) =
            split_hash(bytes, br#","hash":""#, b"\"}").ok_or("it does not end as a record does")?;
        if LineHash::of(hashed) != hash {
            return Err("its hash does not fit its text");
        }
        let (rest, prev) =
            split_hash(hashed, br#","prev":""#, b"\"").ok_or("it does not end as a record does")?;
        let mut head = Head(rest);
        head.line(prev, hash).ok_or("it does not begin as a record does")
    }

    /// The record in the line.
    pub(crate) fn record(&self) -> Result<Record, String> {
        let at: Timestamp = self.at.parse().map_err(|error: jiff::Error| error.to_string())?;
        let mut object = Vec::with_capacity(self.body.len() + 2);
        object.push(b'{');
        object.extend_from_slice(self.body);
        object.push(b'}');
        let body = match serde_json::from_slice(&object) {
            Ok(body) => body,
            Err(_) if self.version > FORMAT && self.skip => self.unknown_body(),
            Err(error) => return Err(error.to_string()),
        };
        Ok(Record { seq: self.seq, epoch: self.epoch, at, body })
    }

    /// A fact this program does not know, in a journal it may read: shown as a note, which changes nothing.
    fn unknown_body(&self) -> RecordBody {
        let name =
            self.body.strip_prefix(br#""type":""#).and_then(|rest| rest.split(|byte| *byte == b'"').next());
        let name = String::from_utf8_lossy(name.unwrap_or_default());
        RecordBody::Note {
            text: format!("a record `{name}` of the newer format {}, not understood here", self.version),
        }
    }
}

/// The version that a line claims to be of, whether or not the rest of it can be read.
pub(crate) fn claimed_version(bytes: &[u8]) -> Option<FormatVersion> {
    Head(bytes).version()
}

/// The moment that a line claims to be of.
pub(crate) fn claimed_moment(bytes: &[u8]) -> Option<&str> {
    Head(bytes).moment()
}

/// Takes `<name><64 digits><end>` off the end of a text.
fn split_hash<'a>(bytes: &'a [u8], name: &[u8], end: &[u8]) -> Option<(&'a [u8], LineHash)> {
    let (rest, digits) = bytes.strip_suffix(end)?.split_last_chunk::<64>()?;
    Some((rest.strip_suffix(name)?, LineHash(*digits)))
}

/// What is left of a line while its head is read.
struct Head<'a>(&'a [u8]);

impl<'a> Head<'a> {
    fn line(&mut self, prev: LineHash, hash: LineHash) -> Option<Line<'a>> {
        let (version, seq, batch, epoch) = self.numbers()?;
        let at = self.at()?;
        self.literal(b"\"")?;
        let skip = self.literal(SKIP).is_some();
        self.literal(b",")?;
        Some(Line { version, seq, batch, epoch, prev, hash, at, skip, body: self.0 })
    }

    fn moment(&mut self) -> Option<&'a str> {
        self.numbers().and_then(|_| self.at())
    }

    fn numbers(&mut self) -> Option<(FormatVersion, Seq, Seq, Epoch)> {
        let version = self.version()?;
        let seq = Seq(self.field(br#"","seq":"#)?);
        let batch = Seq(self.field(br#","batch":"#)?);
        let epoch = Epoch(self.field(br#","epoch":"#)?);
        Some((version, seq, batch, epoch))
    }

    fn at(&mut self) -> Option<&'a str> {
        self.literal(br#","at":""#)?;
        std::str::from_utf8(self.until(b'"')?).ok()
    }

    fn version(&mut self) -> Option<FormatVersion> {
        let major = self.field(br#"{"v":""#)?;
        let minor = self.field(b".")?;
        Some(FormatVersion { major: major.try_into().ok()?, minor: minor.try_into().ok()? })
    }

    /// A number after a literal.
    fn field(&mut self, name: &[u8]) -> Option<u64> {
        self.literal(name)?;
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    fn literal(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn until(&mut self, end: u8) -> Option<&'a [u8]> {
        let length = self.0.iter().position(|byte| *byte == end)?;
        let (found, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(seq: u64) -> Record {
        let at = Timestamp::from_second(1_700_000_000).expect("a valid time");
        Record {
            seq: Seq(seq),
            epoch: Epoch(3),
            at,
            body: RecordBody::Note { text: "a \"b\" ü\n".to_owned() },
        }
    }

    fn line_of(record: &Record) -> Vec<u8> {
        let mut buffer = b"line before\n".to_vec();
        write(&mut buffer, record, Seq(4), &LineHash::START).expect("written to memory");
        assert_eq!(buffer.pop(), Some(b'\n'));
        buffer.split_off(12)
    }

    #[test]
    fn a_record_is_one_object_with_its_fields_in_order() {
        let text = String::from_utf8(line_of(&note(5))).expect("text");
        let (start, end) = text.split_once(r#","prev":""#).expect("a tail");
        assert_eq!(
            start,
            r#"{"v":"1.0","seq":5,"batch":4,"epoch":3,"at":"2023-11-14T22:13:20Z","skip":true,"type":"note","data":{"text":"a \"b\" ü\n"}"#
        );
        assert_eq!(end.len(), 64 + r#"","hash":""#.len() + 64 + 2);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn a_line_gives_its_record_back() {
        let bytes = line_of(&note(5));
        let line = Line::read(&bytes).expect("a good line");
        assert_eq!((line.seq, line.batch, line.epoch), (Seq(5), Seq(4), Epoch(3)));
        assert_eq!(line.record(), Ok(note(5)));
    }

    #[test]
    fn any_flipped_bit_is_found() {
        let bytes = line_of(&note(5));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << bit;
                assert!(Line::read(&bad).is_err(), "bit {bit} of byte {at}");
            }
        }
    }
}
