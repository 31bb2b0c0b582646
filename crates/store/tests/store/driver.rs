//! A driver in a process of its own, to be killed, starved and cut off. What it writes follows from what is there, so
//! whoever reads it can tell whether it is what was written.
//!
//! The process is this test program again, told by its environment to drive. It acknowledges what it was told is
//! durable on stderr, `ACK 7` for record 7, and ends with `DONE`, or with `FAILED` and why.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;
use std::{env, io, iter};

use lifeboat_engine::store::{Claim, Draft, Store, StoreError};
use lifeboat_model::record::StepEnd;
use lifeboat_model::{Attempt, Effort, Outcome, RecordBody, RunId, RunState, Seq, StepState};
use lifeboat_store::FileStore;
use lifeboat_testkit::samples;
use serde_json::json;

use crate::home::Home;

const VARIABLE: &str = "LIFEBOAT_TEST_DRIVE";
const STEPS: usize = 40;

/// The command of a driver that goes on until the run has so many records, behind `before` (such as strace).
pub(crate) fn command(before: &[String], home: &Path, records: u64) -> Command {
    let program = env::current_exe().expect("this program");
    let drive =
        ["driver::drives_to_the_end", "--exact", "--nocapture", "--test-threads=1"].map(str::to_owned);
    let words = before.iter().cloned().chain([program.to_str().expect("text").to_owned()]).chain(drive);
    let words: Vec<String> = words.collect();
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .env(VARIABLE, format!("{records} {}", home.display()))
        .env("RUST_BACKTRACE", "0");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// What a driver said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The newest record that it was told is durable.
    pub(crate) acked: u64,
    pub(crate) done: bool,
    pub(crate) failed: Option<String>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        if let Some(seq) = line.strip_prefix("ACK ").and_then(|seq| seq.parse().ok()) {
            self.acked = seq;
        } else if let Some(why) = line.strip_prefix("FAILED ") {
            self.failed = Some(why.to_owned());
        } else if line == "DONE" {
            self.done = true;
        }
    }
}

/// Runs a driver to its end, however that comes.
pub(crate) fn run(mut command: Command) -> Said {
    let mut child = command.spawn().expect("started");
    let said = listen(child.stderr.take().expect("a pipe"), u64::MAX);
    child.wait().expect("ended");
    said
}

/// Runs a driver and kills it once it has acknowledged a record.
pub(crate) fn run_and_kill(mut command: Command, at: u64) -> Said {
    let mut child: Child = command.spawn().expect("started");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = listen_to(&mut stderr, at);
    child.kill().expect("killed");
    child.wait().expect("ended");
    let rest = listen_to(&mut stderr, u64::MAX);
    said.acked = said.acked.max(rest.acked);
    said
}

fn listen(stderr: ChildStderr, until: u64) -> Said {
    listen_to(&mut BufReader::new(stderr), until)
}

fn listen_to(stderr: &mut BufReader<ChildStderr>, until: u64) -> Said {
    let mut said = Said::default();
    let mut line = String::new();
    while said.acked < until && stderr.read_line(&mut line).expect("text") > 0 {
        said.hear(line.trim_end());
        line.clear();
    }
    said
}

/// The run that drivers in this home drive.
pub(crate) fn the_run() -> RunId {
    samples::run(1)
}

/// Checks a home that a driver left behind: what it acknowledged is there, all that is there was written by a driver,
/// and the run goes on. `None` when it holds no run, which is right only if nothing was acknowledged.
pub(crate) fn check(home: &Path, acked: u64) -> Option<Vec<String>> {
    let store = FileStore::open(home).expect("a folder").with_checkpoints_after(Duration::ZERO);
    let run = the_run();
    let mut claim = match store.claim(&run, &samples::driver(2)) {
        Err(StoreError::NotFound { .. }) if acked == 0 => {
            assert!(store.list().expect("listed").is_empty());
            return None;
        }
        claim => claim.unwrap_or_else(|error| panic!("acknowledged {acked}, then: {error}")),
    };
    assert!(claim.state.seq() >= Seq(acked), "acknowledged {acked}, found {}", claim.state.seq());
    let loaded = store.load(&run).expect("loaded");
    assert_eq!(samples::description(&claim.state), samples::description(&loaded.state));
    written_by_a_driver(&loaded.records);
    append(&mut claim, vec![resumed()]).expect("goes on");
    let notes = claim.notes.clone();
    drop(claim);
    assert_eq!(store.list().expect("listed").len(), 1);
    Some(notes)
}

fn written_by_a_driver(records: &[lifeboat_model::Record]) {
    let mut state = RunState::new(&records[0]).expect("a first record");
    for record in &records[1..] {
        if !matches!(record.body, RecordBody::RunResumed { .. }) {
            assert_eq!(record.body, next(&state), "record {}", record.seq);
        }
        state.apply(record).expect("legal");
    }
}

/// What a driver writes next.
fn next(state: &RunState) -> RecordBody {
    let text = "what it looked like ".repeat(usize::try_from(state.seq().0 * 37 % 300).expect("small"));
    let running = state.indices().find(|at| matches!(state.step(*at), StepState::Running { .. }));
    match (running, state.next().start.first()) {
        (Some(at), _) => RecordBody::StepFinished {
            node: state.path(at),
            attempt: Some(Attempt::FIRST),
            end: StepEnd::Succeeded(Outcome { evidence: text, ..Outcome::default() }),
        },
        (None, Some(at)) => RecordBody::StepStarted {
            node: state.path(*at),
            effort: Effort::Apply,
            attempt: Attempt::FIRST,
            key: state.key(*at, Effort::Apply),
            with: json!({ "text": text }),
        },
        (None, None) => RecordBody::Note { text },
    }
}

fn resumed() -> Draft {
    samples::draft(1, RecordBody::RunResumed { driver: samples::driver(1), actor: "tester".to_owned() })
}

fn append(claim: &mut Claim, drafts: Vec<Draft>) -> Result<(), StoreError> {
    let records = claim.journal.append(claim.state.seq().next(), claim.epoch, drafts)?;
    records.iter().for_each(|record| claim.state.apply(record).expect("legal"));
    Ok(())
}

/// Tells the parent, when there is one, how far the run is on disk.
fn acknowledge(claim: &Claim) {
    if env::var(VARIABLE).is_ok() {
        say(&format!("ACK {}", claim.state.seq()));
    }
}

/// Drives the run in a home until it has so many records, in batches of one to three.
fn drive(home: &Path, records: u64) -> Result<(), StoreError> {
    let store = FileStore::open(home)?.with_checkpoints_after(Duration::ZERO);
    let (run, driver) = (the_run(), samples::driver(1));
    let mut claim = match store.claim(&run, &driver) {
        Err(StoreError::NotFound { .. }) => {
            let first = samples::created(&run, samples::sequence(STEPS));
            store.create(&run, &driver, vec![first], &|_| Ok(()))?
        }
        claim => claim?,
    };
    if claim.epoch > claim.state.epoch() {
        append(&mut claim, vec![resumed()])?;
    }
    acknowledge(&claim);
    while claim.state.seq().0 < records {
        let batch = batch(&claim.state);
        if let Err(error) = append(&mut claim, batch) {
            let again = append(&mut claim, vec![resumed()]);
            assert!(matches!(again, Err(StoreError::Io { .. })), "after a failed append: {again:?}");
            return Err(error);
        }
        acknowledge(&claim);
    }
    drop(claim);
    Ok(())
}

/// In one write, so that whoever watches the calls sees it whole.
fn say(line: &str) {
    io::stderr().write_all(format!("{line}\n").as_bytes()).expect("heard");
}

fn batch(state: &RunState) -> Vec<Draft> {
    let mut state = state.clone();
    let size = usize::try_from(state.seq().0 % 3 + 1).expect("small");
    let drafts = iter::repeat_with(|| {
        let body = next(&state);
        let draft = samples::draft(2, body.clone());
        let record =
            lifeboat_model::Record { seq: state.seq().next(), epoch: state.epoch(), at: draft.at, body };
        state.apply(&record).expect("legal");
        draft
    });
    drafts.take(size).collect()
}

/// Without being told where, drives a run in a home of its own.
#[test]
fn drives_to_the_end() {
    let Ok(told) = env::var(VARIABLE) else {
        let home = Home::new();
        drive(home.0.path(), 30).expect("driven");
        assert_eq!(check(home.0.path(), 30), Some(Vec::new()));
        return;
    };
    let (records, home) = told.split_once(' ').expect("a number and a folder");
    let (records, home) = (records.parse().expect("a number"), PathBuf::from(home));
    let end = drive(&home, records).map_or_else(|error| format!("FAILED {error}"), |()| "DONE".to_owned());
    say(&end);
}
