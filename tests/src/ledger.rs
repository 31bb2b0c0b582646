//! The writer's ledger: what a client of the service was told about each row it tried to write.
//!
//! One line a row: `NUMBER START END ANSWER DETAIL`, times in milliseconds since the Unix epoch. No row is tried twice,
//! so what was promised and what is there can be compared number by number.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// What the client knows about its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The server acknowledged the row.
    Acked,
    /// The row was surely not taken: no connection, or the statement was refused.
    Failed,
    /// It was sent and no answer came: it may be there or not.
    Unknown,
}

/// One attempt to write one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The row's number.
    pub number: u64,
    /// When the attempt began, in milliseconds since the Unix epoch.
    pub start: u64,
    /// When the answer came, in milliseconds since the Unix epoch.
    pub end: u64,
    /// The answer.
    pub answer: Answer,
    /// What was said in a failure, for people.
    pub detail: String,
}

/// All attempts of a writer so far, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// Reads a ledger; a last line that is still being written is left out, a missing file is an empty ledger.
    ///
    /// # Errors
    /// When the file cannot be read or holds a line that is none.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let entries = whole.lines().map(str::parse).collect::<Result<_, _>>();
        entries.map(|entries| Self { entries }).map_err(io::Error::other)
    }

    /// All attempts, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The last attempt.
    pub fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// The numbers of the acknowledged rows.
    pub fn acked(&self) -> BTreeSet<u64> {
        self.acks().map(|entry| entry.number).collect()
    }

    /// The acknowledged rows that are not among `present`: the data loss (RPO, in rows).
    pub fn lost(&self, present: &BTreeSet<u64>) -> BTreeSet<u64> {
        self.acked().difference(present).copied().collect()
    }

    /// The longest time between two acknowledgements: the outage as a client saw it (RTO).
    pub fn longest_gap(&self) -> Duration {
        let ends: Vec<u64> = self.acks().map(|entry| entry.end).collect();
        let longest = ends.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max();
        Duration::from_millis(longest.unwrap_or(0))
    }

    fn acks(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.answer == Answer::Acked)
    }
}

/// Appends entries to a ledger's file.
#[derive(Debug)]
pub struct LedgerFile {
    file: File,
}

impl LedgerFile {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file })
    }

    /// Appends one entry, in one write, so that a reader never sees half of it followed by another.
    ///
    /// # Errors
    /// When the write fails.
    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        self.file.write_all(format!("{entry}\n").as_bytes())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = self.detail.replace(['\n', '\r'], " ");
        write!(f, "{} {} {} {} {detail}", self.number, self.start, self.end, self.answer)
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let complaint = || format!("not a line of a ledger: {line:?}");
        let mut words = line.splitn(5, ' ');
        let mut word = || words.next().ok_or_else(complaint);
        let number = |word: &str| word.parse::<u64>().map_err(|_| complaint());
        Ok(Self {
            number: number(word()?)?,
            start: number(word()?)?,
            end: number(word()?)?,
            answer: word()?.parse().map_err(|()| complaint())?,
            detail: word()?.to_owned(),
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acked => "acked",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        })
    }
}

impl FromStr for Answer {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Acked, Self::Failed, Self::Unknown]
            .into_iter()
            .find(|answer| answer.to_string() == word)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, end: u64, answer: Answer) -> Entry {
        Entry { number, start: end - 1, end, answer, detail: String::new() }
    }

    fn ledger() -> Ledger {
        let entries = vec![
            entry(1, 100, Answer::Acked),
            entry(2, 120, Answer::Unknown),
            entry(3, 130, Answer::Failed),
            entry(4, 190, Answer::Acked),
            entry(5, 200, Answer::Acked),
        ];
        Ledger { entries }
    }

    #[test]
    fn only_acknowledged_rows_count_as_lost() {
        assert_eq!(ledger().lost(&BTreeSet::from([1, 5])), BTreeSet::from([4]));
    }

    #[test]
    fn the_longest_gap_is_between_acknowledgements() {
        assert_eq!(ledger().longest_gap(), Duration::from_millis(90));
        assert_eq!(Ledger::default().longest_gap(), Duration::ZERO);
    }

    #[test]
    fn an_entry_reads_back_as_written_and_half_a_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        assert_eq!(Ledger::read(&path).unwrap(), Ledger::default());
        let mut failed = entry(7, 9, Answer::Failed);
        failed.detail = "server said: no".to_owned();
        let mut file = LedgerFile::open(&path).unwrap();
        file.append(&failed).unwrap();
        file.file.write_all(b"8 10 1").unwrap();
        assert_eq!(Ledger::read(&path).unwrap().entries(), [failed]);
    }

    #[test]
    fn a_foreign_line_is_refused() {
        for line in ["", "1 2 3", "1 2 3 perhaps x", "one 2 3 acked x"] {
            line.parse::<Entry>().unwrap_err();
        }
    }
}
