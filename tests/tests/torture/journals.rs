//! The journals that each release wrote are read for ever, and mean what they meant.

use std::fs;
use std::path::{Path, PathBuf};

use lifeboat_engine::Store as _;
use lifeboat_model::RunId;
use lifeboat_store::FileStore;
use lifeboat_tests::cli::Sandbox;
use serde_json::Value;

/// Every fixture: a folder with a run's files, and what its release said of it. `tests/fixtures/journals/make` made it.
fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journals");
    let folders = |path: &Path| -> Vec<PathBuf> {
        let paths = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_dir()).collect()
    };
    folders(&root).iter().flat_map(|release| folders(release)).collect()
}

fn expected(fixture: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(fixture.join("status.json")).unwrap()).unwrap()
}

/// A home that holds this run alone.
fn home_with(fixture: &Path, expected: &Value) -> (Sandbox, RunId) {
    let sandbox = Sandbox::new();
    let run = RunId::new(expected["run"].as_str().unwrap()).unwrap();
    let folder = sandbox.home().join("runs").join(run.as_str());
    fs::create_dir_all(&folder).unwrap();
    for name in ["journal.jsonl", "header.json"] {
        fs::copy(fixture.join(name), folder.join(name)).unwrap();
    }
    (sandbox, run)
}

/// Where `found` lacks something of `expected`. Later releases may say more; they may not say otherwise.
fn missing(expected: &Value, found: &Value, at: &str) -> Vec<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .flat_map(|(key, value)| {
                missing(value, found.get(key).unwrap_or(&Value::Null), &format!("{at}.{key}"))
            })
            .collect(),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let pairs = expected.iter().zip(found).enumerate();
            pairs.flat_map(|(place, (a, b))| missing(a, b, &format!("{at}[{place}]"))).collect()
        }
        (expected, found) if expected == found => Vec::new(),
        (expected, found) => vec![format!("{at}: {expected} became {found}")],
    }
}

#[test]
fn every_release_left_a_run_of_each_ending() {
    let mut endings: Vec<_> = fixtures()
        .iter()
        .map(|path| path.strip_prefix(path.ancestors().nth(2).unwrap()).unwrap().to_owned())
        .collect();
    endings.sort_unstable();
    for ending in ["failed", "finished", "in_doubt"] {
        let path = Path::new("0.1.0").join(ending);
        assert!(endings.contains(&path), "{} is missing", path.display());
    }
}

#[test]
fn the_program_says_of_an_old_run_what_it_always_said() {
    for fixture in fixtures() {
        let expected = expected(&fixture);
        let (sandbox, run) = home_with(&fixture, &expected);
        let strays = missing(&expected, &sandbox.status(), "");
        assert_eq!(strays, [""; 0], "{}", fixture.display());
        sandbox.run("journal --verify").assert_code(0);
        let journal = sandbox.run("journal");
        assert_eq!(journal.stdout, fs::read_to_string(fixture.join("journal.jsonl")).unwrap());
        assert!(sandbox.run("runs").stdout.contains(run.as_str()), "{}", fixture.display());
    }
}

#[test]
fn the_store_folds_an_old_run_to_the_state_it_always_had() {
    for fixture in fixtures() {
        let expected = expected(&fixture);
        let (sandbox, run) = home_with(&fixture, &expected);
        let loaded = FileStore::open(&sandbox.home()).unwrap().load(&run).unwrap();
        let state = &loaded.state;
        assert_eq!(state.seq().0, expected["seq"]);
        assert_eq!(loaded.notes, [""; 0]);
        for (at, step) in state.nodes().into_iter().zip(expected["steps"].as_array().unwrap()) {
            assert_eq!(state.path(at).as_str(), step["path"]);
            assert_eq!(serde_json::to_value(state.status(at)).unwrap(), step["state"], "{}", step["id"]);
            assert_eq!(state.attempts(at), step["attempts"], "{}", step["id"]);
        }
    }
}

#[test]
fn an_old_run_in_doubt_is_resumed() {
    for fixture in fixtures().iter().filter(|path| path.ends_with("in_doubt")) {
        let expected = expected(fixture);
        let (sandbox, _) = home_with(fixture, &expected);
        sandbox.run("resume").assert_code(6);
        sandbox.lifeboat(["mark-done", "--reason", "long ago"]).run().assert_code(0);
        sandbox.run("resume").assert_code(0);
        assert_eq!(sandbox.status()["verdict"], "succeeded_with_deviations");
    }
}
