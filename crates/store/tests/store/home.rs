//! A home folder with runs in it, and ways to hurt them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lifeboat_engine::store::{Claim, Loaded, Store};
use lifeboat_model::RunId;
use lifeboat_store::FileStore;
use lifeboat_testkit::store_suite::append;
use lifeboat_testkit::{histories, samples, store_suite};
use tempfile::TempDir;

pub(crate) struct Home(pub(crate) TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    /// A store that never makes checkpoints.
    pub(crate) fn store(&self) -> FileStore {
        self.store_after(Duration::MAX)
    }

    pub(crate) fn store_after(&self, after: Duration) -> FileStore {
        FileStore::open(self.0.path()).expect("a folder").with_checkpoints_after(after)
    }

    pub(crate) fn folder(&self, run: &RunId) -> PathBuf {
        self.0.path().join("runs").join(run.as_str())
    }

    pub(crate) fn journal(&self, run: &RunId) -> PathBuf {
        self.folder(run).join("journal.jsonl")
    }

    /// A run of so many records, each a batch of its own.
    pub(crate) fn run_of(&self, number: u32, records: i64) -> RunId {
        let run = samples::run(number);
        let first = samples::created(&run, samples::sequence(2));
        let mut claim =
            self.store().create(&run, &samples::driver(1), vec![first], &|_| Ok(())).expect("created");
        for second in 1..records {
            append(&mut claim, vec![samples::note(second, "as it was")]);
        }
        run
    }

    /// A run with a long random history and checkpoints up to its end.
    pub(crate) fn run_with_checkpoints(&self, number: u32) -> RunId {
        let run = samples::run(number);
        let choices: Vec<u16> = (0..60).map(|at: u16| at.wrapping_mul(40_503) | 1).collect();
        let moves = histories::history(&run, samples::mixed(), &choices);
        store_suite::write_history(&self.store_after(Duration::ZERO), &run, &moves);
        assert!(self.folder(&run).join("checkpoints").is_dir());
        run
    }

    /// The run in a home, as anybody reads it.
    pub(crate) fn load(home: &Path, run: &RunId) -> Loaded {
        FileStore::open(home).expect("a folder").load(run).expect("loaded")
    }

    pub(crate) fn claim(&self, run: &RunId) -> Claim {
        self.store().claim(run, &samples::driver(2)).expect("a run that can be taken over")
    }
}

/// The lines of a file, without their line breaks.
pub(crate) fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).expect("text").lines().map(str::to_owned).collect()
}

pub(crate) fn write_lines(path: &Path, lines: &[String]) {
    fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).expect("written");
}

/// Chains lines anew from the ground up, as the format says: for edits that a writer might have made.
pub(crate) fn chain(lines: &mut [String]) {
    let mut prev = "0".repeat(64);
    for line in lines {
        let (text, _) = line.split_once(r#","prev":""#).expect("a tail");
        let hashed = format!(r#"{text},"prev":"{prev}""#);
        prev = blake3::hash(hashed.as_bytes()).to_hex().to_string();
        *line = format!(r#"{hashed},"hash":"{prev}"}}"#);
    }
}
