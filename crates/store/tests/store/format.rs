//! Journals of every release stay readable for ever, and the format does not change by accident.
//!
//! `fixtures/journals/<format>.jsonl` was written by the release that had that format, `<format>.txt` says what follows
//! from it. A change of the format adds a pair (`LIFEBOAT_WRITE_FIXTURE=1` writes the present one); it never touches one
//! that was released.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use jiff::Timestamp;
use lifeboat_engine::store::{Draft, Store};
use lifeboat_model::record::{
    Decision, DoubtRule, FORMAT, GateDecision, GuardEffect, Identity, Item, OpenGate, Quorum, Resolution,
    StepEnd, StopReason, ToldEnd, Verdict, Vote,
};
use lifeboat_model::{
    Attempt, AttemptKey, Digest, Effort, Epoch, Failure, ItemKey, NodePath, Outcome, RecordBody, RunState,
    Seq, StepId,
};
use lifeboat_testkit::samples;
use lifeboat_testkit::store_suite::append;
use serde_json::{Map, json};

use crate::home::Home;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journals")
}

fn step(name: &str) -> NodePath {
    NodePath::new(name).expect("a path")
}

fn started(name: &str, effort: Effort, attempt: u32) -> RecordBody {
    let (node, attempt) = (step(name), Attempt(attempt));
    RecordBody::StepStarted {
        key: AttemptKey::of(&samples::run(1), &node, 1, effort),
        node,
        effort,
        attempt,
        with: json!({ "host": "db-b", "password": "***", "ports": [5432, null, 0.5] }),
    }
}

fn finished(name: &str, attempt: Option<u32>, end: StepEnd) -> RecordBody {
    RecordBody::StepFinished { node: step(name), attempt: attempt.map(Attempt), end }
}

fn in_doubt(name: &str, attempt: u32) -> RecordBody {
    let cause = "the driver died".to_owned();
    RecordBody::StepInDoubt { node: step(name), attempt: Attempt(attempt), cause }
}

fn resolved(name: &str, attempt: u32, rule: DoubtRule, resolution: Resolution) -> RecordBody {
    let (node, attempt, evidence) = (step(name), Attempt(attempt), "looked at it".to_owned());
    RecordBody::DoubtResolved { node, attempt, rule, evidence, resolution, retry_at: None }
}

fn decided(name: Option<&str>, decision: Decision) -> RecordBody {
    let (actor, reason) = ("ana".to_owned(), "seen on the \"console\", ünd so".to_owned());
    RecordBody::OperatorDecided { node: name.map(step), decision, actor, reason }
}

fn outcome() -> Outcome {
    let outputs = Map::from_iter([("lsn".to_owned(), json!("0/3000148")), ("lag".to_owned(), json!(1.25))]);
    Outcome { evidence: "primary, timeline 2".to_owned(), outputs, warnings: vec!["slow".to_owned()] }
}

fn failure() -> Failure {
    let failure = Failure::permanent("no connection").caused_by(&std::fmt::Error);
    Failure { tail: Some("line 1\nline 2".to_owned()), ..failure }
}

fn gate() -> OpenGate {
    let quorum = Quorum { count: 1, role: Some("commander".to_owned()), not_initiator: true };
    let (expires, shows) = (Some(samples::at(900)), Some(Digest::of(b"shown")));
    OpenGate { question: "Promote?".to_owned(), quorum, expires, shows, votes: Vec::new() }
}

fn vote() -> Vote {
    let roles = vec!["commander".to_owned()];
    let by = Identity { name: "ana".to_owned(), roles, proof: Some("os".to_owned()) };
    let reason = "lag is 0".to_owned();
    Vote { by, approves: true, reason, saw: Some(Digest::of(b"shown")), outputs: Map::new() }
}

fn items() -> lifeboat_model::record::Items {
    let item = |key: &str| Item { key: ItemKey::new(key).expect("a key"), value: json!({ "name": key }) };
    ["east", "west"].map(item).into()
}

/// What the first driver of the run writes, up to its interruption.
fn first_part() -> Vec<RecordBody> {
    let retry = RecordBody::AttemptFailed {
        node: step("s1"),
        attempt: Attempt::FIRST,
        failure: Failure::transient("not yet"),
        retry_at: Timestamp::UNIX_EPOCH,
    };
    vec![
        started("s0", Effort::Apply, 1),
        finished("s0", Some(1), StepEnd::Succeeded(outcome())),
        started("s1", Effort::Apply, 1),
        retry,
        started("s1", Effort::Apply, 2),
        finished(
            "s1",
            Some(2),
            StepEnd::InPlace {
                evidence: "there".to_owned(),
                outputs: outcome().outputs,
                warnings: Vec::new(),
            },
        ),
        finished("s2", None, StepEnd::Skipped { why: "`when` is false".to_owned() }),
        started("s3", Effort::Apply, 1),
        in_doubt("s3", 1),
        decided(None, Decision::Pause),
        RecordBody::RunStopped { reason: StopReason::Interrupted },
    ]
}

/// What the second driver writes, to the end.
fn second_part() -> Vec<RecordBody> {
    vec![
        RecordBody::RunResumed { driver: samples::driver(2), actor: "ben".to_owned() },
        decided(None, Decision::KeepPinned { edited: "0f".repeat(32) }),
        resolved("s3", 1, DoubtRule::OnUnknown, Resolution::Ask),
        decided(Some("s3"), Decision::Retry),
        started("s3", Effort::Apply, 2),
        in_doubt("s3", 2),
        resolved("s3", 2, DoubtRule::Observed, Resolution::Done(outcome())),
        RecordBody::GateOpened { node: step("s4"), gate: gate() },
        RecordBody::GateVoted { node: step("s4"), vote: vote() },
        RecordBody::GateDecided { node: step("s4"), decision: GateDecision::Approved, why: "ana".to_owned() },
        started("s5", Effort::Apply, 1),
        finished("s5", Some(1), StepEnd::Failed(failure())),
        decided(Some("s5"), Decision::MarkDone { outputs: outcome().outputs }),
        RecordBody::LockTaken { name: "shop".to_owned() },
        RecordBody::RequirementMet {
            node: step("s6"),
            required: step("s0"),
            seen_at: samples::at(30),
            evidence: "still primary".to_owned(),
        },
        started("s6", Effort::Apply, 1),
        RecordBody::AttemptNoted {
            node: step("s6"),
            attempt: Attempt::FIRST,
            note: json!({ "was": "ready" }),
        },
        RecordBody::ChangeAccepted {
            node: step("s6"),
            attempt: Attempt::FIRST,
            outcome: outcome(),
            until: samples::at(60),
        },
        finished("s6", Some(1), StepEnd::Succeeded(Outcome::default())),
        RecordBody::LoopExpanded { node: step("s7"), items: items() },
        started("s7[east]", Effort::Apply, 1),
        finished("s7[east]", Some(1), StepEnd::Succeeded(Outcome::default())),
        RecordBody::BatchOpened { node: step("s7"), batch: 1 },
        started("s7[west]", Effort::Apply, 1),
        finished("s7[west]", Some(1), StepEnd::Succeeded(Outcome::default())),
        RecordBody::NodeOpened {
            node: step("s8"),
            inputs: Map::from_iter([("site".to_owned(), json!("west"))]),
        },
        started("s8/s10", Effort::Apply, 1),
        finished("s8/s10", Some(1), StepEnd::Succeeded(Outcome::default())),
        RecordBody::GuardTripped {
            guard: StepId::new("serves").expect("an id"),
            node: None,
            evidence: "503".to_owned(),
            then: GuardEffect::Rollback,
        },
        RecordBody::Told { entry: 0, about: Seq(12), end: ToldEnd::Failed { why: "no answer".to_owned() } },
        RecordBody::RunEdited {
            actor: "ben".to_owned(),
            reason: "one more host".to_owned(),
            digest: Digest::of(b"edited"),
            edit: json!({ "items": { "s7": ["north"] } }),
        },
        RecordBody::RollbackBegan { node: None, why: "the guard `serves` tripped".to_owned() },
        started("s8/s10", Effort::Undo, 2),
        finished("s8/s10", Some(2), StepEnd::Succeeded(Outcome::default())),
        started("s7[west]", Effort::Undo, 2),
        finished("s7[west]", Some(2), StepEnd::Succeeded(Outcome::default())),
        started("s7[east]", Effort::Undo, 2),
        finished("s7[east]", Some(2), StepEnd::Succeeded(Outcome::default())),
        started("s6", Effort::Undo, 2),
        finished("s6", Some(2), StepEnd::Succeeded(Outcome::default())),
        started("s5", Effort::Undo, 2),
        finished("s5", Some(2), StepEnd::Succeeded(Outcome::default())),
        started("s3", Effort::Undo, 3),
        finished("s3", Some(3), StepEnd::Succeeded(Outcome::default())),
        started("s0", Effort::Undo, 2),
        finished("s0", Some(2), StepEnd::Succeeded(Outcome::default())),
        RecordBody::LockReleased { name: "shop".to_owned(), cools_until: Some(samples::at(3600)) },
        RecordBody::Note { text: "that was it".to_owned() },
        RecordBody::RunFinished { verdict: Verdict::RolledBack },
    ]
}

fn drafts(bodies: Vec<RecordBody>) -> Vec<Draft> {
    (1..).zip(bodies).map(|(second, body)| samples::draft(second, body)).collect()
}

/// The journal that the present program writes.
fn written_now() -> (String, RunState) {
    let home = Home::new();
    let run = samples::run(1);
    let first = samples::created(&run, samples::nested());
    let mut claim =
        home.store().create(&run, &samples::driver(1), vec![first], &|_| Ok(())).expect("created");
    drafts(first_part()).chunks(4).for_each(|batch| drop(append(&mut claim, batch.to_vec())));
    drop(claim);
    let mut claim = home.claim(&run);
    assert_eq!(claim.epoch, Epoch(2));
    drafts(second_part()).chunks(3).for_each(|batch| drop(append(&mut claim, batch.to_vec())));
    (fs::read_to_string(home.journal(&run)).expect("a journal"), claim.state)
}

/// What follows from a journal, in words that outlive its types.
fn summary(state: &RunState) -> String {
    let mut text = format!("{} {} {:?}\n", state.run(), state.seq(), state.phase());
    for at in state.nodes() {
        let outputs = state.outputs(at).map(|outputs| json!(outputs).to_string()).unwrap_or_default();
        let (path, status, attempts) = (state.path(at), state.status(at).as_str(), state.attempts(at));
        writeln!(text, "{path} {status} {attempts} {outputs}").expect("written to memory");
    }
    for deviation in state.deviations() {
        writeln!(text, "deviation: {} {:?}", deviation.what, deviation.actor).expect("written to memory");
    }
    text.lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

#[test]
fn this_program_writes_the_format_it_names() {
    let (journal, state) = written_now();
    let fixture = folder().join(format!("{FORMAT}.jsonl"));
    if env::var_os("LIFEBOAT_WRITE_FIXTURE").is_some() {
        fs::write(&fixture, &journal).expect("written");
        fs::write(fixture.with_extension("txt"), summary(&state)).expect("written");
    }
    let kept = fs::read_to_string(&fixture).expect("the fixture of this format");
    for (number, (now, then)) in journal.lines().zip(kept.lines()).enumerate() {
        assert_eq!(now, then, "record {}: the format changed, see the top of this file", number + 1);
    }
    assert_eq!(journal.lines().count(), kept.lines().count());
}

#[test]
fn journals_of_all_releases_are_read() {
    let fixtures = fs::read_dir(folder()).expect("fixtures").map(|entry| entry.expect("an entry").path());
    let journals: Vec<_> =
        fixtures.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    assert!(!journals.is_empty());
    for journal in journals {
        let home = Home::new();
        let run = home.run_of(1, 1);
        fs::copy(&journal, home.journal(&run)).expect("copied");
        let loaded = home.store().load(&run).unwrap_or_else(|error| panic!("{}: {error}", journal.display()));
        assert_eq!(loaded.notes, Vec::<String>::new());
        let expected = fs::read_to_string(journal.with_extension("txt")).expect("a summary");
        assert_eq!(summary(&loaded.state), expected, "{}", journal.display());
        drop(home.claim(&run));
    }
}
