//! Every shipped runbook is valid, and a drill of it changes nothing.

use std::fs;
use std::path::PathBuf;

use lifeboat_tests::cli::Sandbox;
use lifeboat_tests::journal::Journal;
use lifeboat_tests::programs::shipped_runbooks;

/// Inputs with which each runbook can be drilled anywhere: what they lead to is not there.
const INPUTS: [(&str, &[&str]); 2] = [
    (
        "demo-region-failover.yaml",
        &["front=http://127.0.0.1:1", "west=http://127.0.0.1:1", "west_data=/nonexistent/lifeboat"],
    ),
    (
        "postgres-failover.yaml",
        &[
            "primary=127.0.0.1:1",
            "standby=127.0.0.1:2",
            "front=127.0.0.1:1",
            "haproxy=/nonexistent/lifeboat.sock",
        ],
    ),
];

fn shipped() -> Vec<PathBuf> {
    let entries = fs::read_dir(shipped_runbooks()).expect("runbooks are shipped").flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

#[test]
fn every_shipped_runbook_is_valid() {
    let files = shipped();
    assert!(!files.is_empty());
    for file in files {
        let answer = Sandbox::new().lifeboat(["check".as_ref(), file.as_os_str()]).run();
        assert_eq!(answer.code, Some(0), "{answer}");
    }
}

#[test]
fn a_drill_of_every_shipped_runbook_starts_nothing() {
    for file in shipped() {
        let name = file.file_name().and_then(|name| name.to_str()).expect("names are plain");
        let inputs = INPUTS.iter().find(|(known, _)| *known == name);
        let (_, inputs) = inputs.unwrap_or_else(|| panic!("{name}: say with which inputs it can be drilled"));
        let sandbox = Sandbox::new();
        let mut words = vec!["drill".to_owned(), file.display().to_string()];
        words.extend(inputs.iter().flat_map(|input| ["-i".to_owned(), (*input).to_owned()]));
        // Nothing answers, so nothing is ready.
        let answer = sandbox.lifeboat(words).run();
        assert_eq!(answer.code, Some(13), "{answer}");
        let journal = Journal::of(&sandbox.run("journal").stdout);
        assert!(journal.all("step_started").next().is_none(), "{name}: a drill started a step");
        assert!(journal.all("step_rehearsed").next().is_some(), "{name}: nothing was rehearsed");
    }
}
