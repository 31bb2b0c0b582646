//! What the store costs, against the floor measured in the same run: `cargo bench -p lifeboat-store`.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use lifeboat_engine::store::{Claim, Draft, Store};
use lifeboat_model::record::StepEnd;
use lifeboat_model::{Attempt, Effort, NodeIndex, Outcome, RecordBody, RunId};
use lifeboat_store::FileStore;
use lifeboat_testkit::samples;
use lifeboat_testkit::store_suite::append;
use serde_json::json;
use tempfile::TempDir;

/// The size of the floor's record: that of a short step's start.
const RECORD: usize = 300;

fn main() {
    let home = TempDir::new().expect("a temporary folder");
    appends(home.path());
    creation(home.path());
    claims(home.path());
    lists(home.path());
}

/// One step, start and end, per sync, as in a sequential run; the floor in turns with it.
fn appends(home: &Path) {
    for (name, after) in
        [("append a step, no checkpoints", Duration::MAX), ("append a step, checkpoints", Duration::ZERO)]
    {
        let store = FileStore::open(home).expect("a folder").with_checkpoints_after(after);
        let steps = 2000;
        let (_, mut claim) = create(&store, u32::from(after == Duration::ZERO), steps);
        let mut raw = File::create(home.join("raw")).expect("a file");
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for at in 0..steps {
            let drafts = step(&claim, at);
            ours.push(timed(|| append_only(&mut claim, drafts)));
            floor.push(timed(|| {
                raw.write_all(&[b'x'; RECORD]).expect("written");
                raw.sync_data().expect("synced");
            }));
        }
        report(name, ours, floor);
    }
}

fn creation(home: &Path) {
    let store = FileStore::open(home).expect("a folder");
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for at in 0..200 {
        ours.push(timed(|| drop(create(&store, 100 + at, 1))));
        floor.push(timed(|| {
            let path = home.join(format!("raw-{at}"));
            let mut file = OpenOptions::new().append(true).create_new(true).open(path).expect("created");
            file.write_all(&[b'x'; RECORD]).expect("written");
            file.sync_data().expect("synced");
        }));
    }
    report("create a run and let go of it", ours, floor);
}

/// A run of 10,000 steps, killed in the middle.
fn claims(home: &Path) {
    let steps = 10_000;
    for (name, after) in [
        ("claim at step 5,000, folding", Duration::MAX),
        ("claim at step 5,000, checkpoints", Duration::ZERO),
    ] {
        let store = FileStore::open(home).expect("a folder").with_checkpoints_after(after);
        let (run, mut claim) = create(&store, 1000 + u32::from(after == Duration::ZERO), steps);
        for at in (0..steps / 2).step_by(50) {
            let drafts = (at..at + 50).flat_map(|at| step(&claim, at)).collect();
            append(&mut claim, drafts);
        }
        drop(claim);
        let bytes = fs::metadata(home.join("runs").join(run.as_str()).join("journal.jsonl"))
            .expect("a journal")
            .len();
        let again = FileStore::open(home).expect("a folder").with_checkpoints_after(Duration::MAX);
        let mut times: Vec<_> = (0..10)
            .map(|_| {
                let begin = Instant::now();
                let claim = again.claim(&run, &samples::driver(2)).expect("free");
                let time = begin.elapsed();
                assert_eq!(claim.state.seq().0, 10_001);
                time
            })
            .collect();
        println!(
            "{name:<36} {:>8.1} ms ({:.1} MB)",
            median(&mut times).as_secs_f64() * 1e3,
            bytes as f64 / 1e6
        );
    }
}

fn lists(home: &Path) {
    let store = FileStore::open(home).expect("a folder");
    for at in 0..1000 {
        drop(create(&store, 10_000 + at, 1));
    }
    let mut times: Vec<_> = (0..10).map(|_| timed(|| drop(store.list().expect("listed")))).collect();
    println!("{:<36} {:>8.1} ms", "list 1,200 runs", median(&mut times).as_secs_f64() * 1e3);
}

fn create(store: &FileStore, number: u32, steps: usize) -> (RunId, Claim) {
    let run = samples::run(number);
    let first = samples::created(&run, samples::sequence(steps));
    let claim = store.create(&run, &samples::driver(1), vec![first], &|_| Ok(())).expect("created");
    (run, claim)
}

/// The end of the step before would be in the same batch; here it is the step's own, which is as many bytes.
fn step(claim: &Claim, at: usize) -> Vec<Draft> {
    let (at, effort) = (NodeIndex(at as u32), Effort::Apply);
    let (node, key) = (claim.state.path(at), claim.state.key(at, effort));
    let started =
        RecordBody::StepStarted { node: node.clone(), effort, attempt: Attempt::FIRST, key, with: json!({}) };
    let outcome = Outcome { evidence: "did nothing".to_owned(), ..Outcome::default() };
    let end = StepEnd::Succeeded(outcome);
    let finished = RecordBody::StepFinished { node, attempt: Some(Attempt::FIRST), end };
    vec![samples::draft(1, started), samples::draft(2, finished)]
}

fn append_only(claim: &mut Claim, drafts: Vec<Draft>) {
    append(claim, drafts);
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn report(name: &str, mut ours: Vec<Duration>, mut floor: Vec<Duration>) {
    let total = ours.iter().sum::<Duration>().as_secs_f64() / floor.iter().sum::<Duration>().as_secs_f64();
    let (ours, floor) = (median(&mut ours), median(&mut floor));
    let ratio = ours.as_secs_f64() / floor.as_secs_f64();
    println!("{name:<36} {ours:>8.0?} against {floor:>8.0?}: {ratio:.2} x (in sum {total:.2} x)");
}
