//! What the machine itself costs, without lifeboat.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const RECORD: [u8; 300] = [b'x'; 300];

/// A whole program that appends 300 bytes to a file and syncs once; the benchmark starts itself for it.
pub(crate) fn append_once(file: &Path) {
    let mut file = open(file);
    file.write_all(&RECORD).expect("a write");
    file.sync_data().expect("a sync");
}

/// Appends 300 bytes and syncs, so many times; the time of one.
pub(crate) fn append_and_sync(folder: &Path, times: u32) -> Duration {
    let mut file = open(&folder.join("floor"));
    let begin = Instant::now();
    for _ in 0..times {
        file.write_all(&RECORD).expect("a write");
        file.sync_data().expect("a sync");
    }
    begin.elapsed() / times
}

/// A shell loop that starts `/bin/true` so many times and records nothing; the time of one.
pub(crate) fn shell_loop(times: u32) -> Duration {
    let script = format!("for ((i = 0; i < {times}; i++)); do /bin/true; done");
    let begin = Instant::now();
    let status = Command::new("bash").args(["-c", &script]).status().expect("bash");
    assert!(status.success());
    begin.elapsed() / times
}

fn open(file: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(file).expect("a file")
}
