//! What the write-ahead log of a node says, read from its files, so that it can be asked of a dead node too.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use crate::programs;

/// A position in the write-ahead log, `XX/XXXXXXXX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lsn(u64);

impl FromStr for Lsn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let complaint = || format!("not a position in the log: {text:?}");
        let (high, low) = text.split_once('/').ok_or_else(complaint)?;
        let half = |digits| u32::from_str_radix(digits, 16).map_err(|_| complaint());
        Ok(Self(u64::from(half(high)?) << 32 | u64::from(half(low)?)))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:08X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

/// Records that servers write of their own accord, or because somebody *read*: they change no data. The position of the log's
/// end moves with them, so it proves nothing about who wrote.
const BACKGROUND: [&str; 5] =
    ["RUNNING_XACTS", "CHECKPOINT_ONLINE", "CHECKPOINT_SHUTDOWN", "FPI_FOR_HINT", "PRUNE"];

/// Where the last record stands that changed something, in the log of a data folder; `None` when there is none.
///
/// # Panics
/// When the log cannot be read at all.
pub(crate) fn last_change(data: &Path) -> Option<Lsn> {
    let log = data.join("pg_wal");
    let (timeline, start) = beginning(&log)?;
    let words = programs::as_server(&programs::server("pg_waldump"));
    // It ends with an error where the log ends: the exit status says nothing.
    let output = Command::new(&words[0])
        .args(&words[1..])
        .arg(format!("--path={}", log.display()))
        .arg(format!("--timeline={timeline}"))
        .arg(format!("--start={start}"))
        .current_dir("/")
        .output()
        .unwrap_or_else(|error| panic!("pg_waldump did not start: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let changes = text.lines().filter(|line| !is_background(line));
    changes.filter_map(position).next_back()
}

/// The number of timeline history files: one for each promotion that led here.
///
/// # Panics
/// When the folder cannot be read.
pub(crate) fn promotions(data: &Path) -> usize {
    let names = names_in(&data.join("pg_wal"));
    names.iter().filter(|name| name.ends_with(".history")).count()
}

/// The newest timeline of a log, and where the oldest segment of it that is still there begins.
fn beginning(log: &Path) -> Option<(u32, Lsn)> {
    let mut segments = names_in(log);
    segments.retain(|name| name.len() == 24 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    segments.sort_unstable();
    let timeline = segments.last()?[..8].to_owned();
    let oldest = segments.iter().find(|name| name.starts_with(&timeline))?;
    let size = fs::metadata(log.join(oldest)).ok()?.len();
    let part = |digits| u64::from_str_radix(digits, 16).ok();
    let start = Lsn((part(&oldest[8..16])? << 32) + part(&oldest[16..])? * size);
    Some((u32::from_str_radix(&timeline, 16).ok()?, start))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn is_background(line: &str) -> bool {
    let described = line.split_once("desc: ").map_or("", |(_, rest)| rest);
    BACKGROUND.iter().any(|kind| described.starts_with(kind))
}

fn position(line: &str) -> Option<Lsn> {
    let (_, rest) = line.split_once("lsn: ")?;
    rest.split(',').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSERT: &str = "rmgr: Heap        len (rec/tot):     63/    63, tx:        735, lsn: 0/0300A0E8, prev 0/0300A0B0, desc: INSERT off 3 flags 0x08, blkref #0: rel 1663/5/16384 blk 0";
    const SNAPSHOT: &str = "rmgr: Standby     len (rec/tot):     50/    50, tx:          0, lsn: 0/0300A128, prev 0/0300A0E8, desc: RUNNING_XACTS nextXid 736 latestCompletedXid 735 oldestRunningXid 736";

    #[test]
    fn positions_compare_as_numbers_and_print_as_postgres_prints_them() {
        let (low, high): (Lsn, Lsn) = ("0/FFFFFFFF".parse().unwrap(), "1/0000000A".parse().unwrap());
        assert!(low < high);
        assert_eq!(high.to_string(), "1/0000000A");
        "0".parse::<Lsn>().unwrap_err();
    }

    #[test]
    fn a_snapshot_of_running_transactions_is_no_change() {
        assert!(is_background(SNAPSHOT));
        assert!(!is_background(INSERT));
        assert_eq!(position(INSERT), Some("0/0300A0E8".parse().unwrap()));
    }
}
