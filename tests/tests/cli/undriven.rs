//! A run that this lifeboat can read and cannot drive.

use std::fs;

use insta::assert_snapshot;
use lifeboat_engine::{Draft, Store as _};
use lifeboat_model::record::{Decision, RecordBody};
use lifeboat_store::FileStore;
use lifeboat_tests::cli::Sandbox;

/// A run that failed, with the record that a lifeboat which can roll back writes into it before it does.
fn rolling_back() -> Sandbox {
    let sandbox = Sandbox::with(
        "fails.yaml",
        "runbook: fails\nsteps:\n  - { id: one, action: command.run, with: { script: 'test -e mended' } }\n",
    );
    assert_eq!(sandbox.run("run fails.yaml --yes").code, Some(4));
    sandbox.run("retry one --reason mended");
    let store = FileStore::open(&sandbox.path("home")).unwrap();
    let run = store.list().unwrap().remove(0).run;
    let driver = store.load(&run).unwrap().state.driver().clone();
    let mut claim = store.claim(&run, &driver).unwrap();
    let (actor, reason) = ("tester".to_owned(), "the old region is back".to_owned());
    let body = RecordBody::OperatorDecided { node: None, decision: Decision::Rollback, actor, reason };
    let (expected, at) = (claim.state.seq().next(), claim.state.updated_at());
    claim.journal.append(expected, claim.epoch, vec![Draft { at, body }]).unwrap();
    sandbox
}

#[test]
fn it_is_let_alone() {
    let sandbox = rolling_back();
    let journal = || fs::read_to_string(sandbox.only_run().join("journal.jsonl")).unwrap();
    let before = journal();
    sandbox.file("mended", "");
    assert_snapshot!(sandbox.run("resume"), @r#"
    $ lifeboat resume
    exit 8
    -- stderr
    the newest unfinished run is meant: [RUN 1]
    error: [RUN 1] is being rolled back, and this lifeboat cannot drive such a run
    hint: nothing was done; use the lifeboat that drove it, or a newer one
    "#);
    for word in ["cancel", "retry one", "skip one", "mark-done one"] {
        let answer = sandbox.run(&format!("{word} --reason why"));
        assert_eq!(answer.code, Some(8), "{answer}");
        assert!(answer.stderr.contains("is being rolled back"), "{answer}");
    }
    assert_eq!(journal(), before);
}

#[test]
fn it_can_be_read() {
    let sandbox = rolling_back();
    for command in ["status --json", "runs", "journal", "journal --verify"] {
        let answer = sandbox.run(command);
        assert_eq!(answer.code, Some(0), "{answer}");
    }
    let answer = sandbox.run("status");
    assert!(answer.stderr.contains("shows how it came to this; this lifeboat cannot drive it"), "{answer}");
    assert!(!answer.stderr.contains("resume"), "{answer}");
}
