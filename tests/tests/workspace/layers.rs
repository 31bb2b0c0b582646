//! The direction of dependencies: the model knows nobody, plug-ins know neither engine nor store, only the program
//! knows everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each package of the workspace may depend on, inside the workspace.
const ALLOWED: &[(&str, &[&str])] = &[
    ("lifeboat-model", &[]),
    ("lifeboat-action", &["lifeboat-model"]),
    ("lifeboat-engine", &["lifeboat-model", "lifeboat-action"]),
    ("lifeboat-store", &["lifeboat-model", "lifeboat-engine"]),
    ("lifeboat-command", &["lifeboat-model", "lifeboat-action"]),
    ("lifeboat-haproxy", &["lifeboat-model", "lifeboat-action"]),
    ("lifeboat-http", &["lifeboat-model", "lifeboat-action"]),
    ("lifeboat-postgres", &["lifeboat-model", "lifeboat-action"]),
    ("lifeboat-wait", &["lifeboat-model", "lifeboat-action"]),
    (
        "lifeboat",
        &[
            "lifeboat-model",
            "lifeboat-action",
            "lifeboat-engine",
            "lifeboat-store",
            "lifeboat-command",
            "lifeboat-haproxy",
            "lifeboat-http",
            "lifeboat-postgres",
            "lifeboat-wait",
        ],
    ),
    ("lifeboat-display", &["lifeboat-model"]),
    ("lifeboat-demo", &[]),
];

/// Crates that only one place may know. Tests may know more: stores and plug-ins run the suites of `lifeboat-testkit`.
const ONLY: &[(&str, &[&str])] = &[
    ("sled", &["lifeboat-store"]),
    ("clap", &["lifeboat-cli"]),
    ("handlebars", &["lifeboat-model"]),
    ("serde_yaml", &["lifeboat-model"]),
    ("yaml_serde", &["lifeboat-model"]),
    ("lifeboat-testkit", &["lifeboat-tests"]),
];

/// Crates that the pure model may not know.
const NOT_IN_MODEL: &[&str] = &["tokio", "async-trait", "rustix", "tracing", "ulid", "tempfile"];

/// The dependencies of each package, those for tests and build scripts left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path", manifest])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers JSON");
    let names = |package: &Value| {
        let listed = package["dependencies"].as_array().expect("a list");
        let normal = listed.iter().filter(|dependency| dependency["kind"].is_null());
        normal.map(|dependency| text(&dependency["name"])).collect()
    };
    let packages = metadata["packages"].as_array().expect("a list");
    packages.iter().map(|package| (text(&package["name"]), names(package))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[test]
fn the_layers_know_only_those_below() {
    let all = dependencies();
    for (package, allowed) in ALLOWED {
        let ours: BTreeSet<_> =
            all[*package].iter().filter(|name| all.contains_key(*name)).cloned().collect();
        let allowed: BTreeSet<_> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert!(ours.is_subset(&allowed), "{package} depends on {:?}", ours.difference(&allowed));
    }
    let listed: BTreeSet<_> = ALLOWED.iter().map(|(package, _)| *package).collect();
    let above = ["lifeboat-cli", "lifeboat-testkit", "lifeboat-tests"];
    let unknown: Vec<_> = all
        .keys()
        .filter(|name| !listed.contains(name.as_str()) && !above.contains(&name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "say what these may depend on: {unknown:?}");
}

#[test]
fn some_crates_are_known_in_one_place_only() {
    for (package, names) in dependencies() {
        for (name, only) in ONLY {
            assert!(
                !names.contains(*name) || only.contains(&package.as_str()),
                "{package} depends on {name}"
            );
        }
    }
}

#[test]
fn the_model_is_pure() {
    let names = &dependencies()["lifeboat-model"];
    for name in NOT_IN_MODEL {
        assert!(!names.contains(*name), "the model depends on {name}");
    }
}

#[test]
fn every_plugin_passes_the_suite_of_actions() {
    let plugins = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins");
    for plugin in std::fs::read_dir(plugins).expect("a folder").flatten() {
        let tests = plugin.path().join("tests");
        let sources = [tests.clone()].into_iter().chain(folders(&tests)).flat_map(|folder| files(&folder));
        let texts = sources.filter_map(|file| std::fs::read_to_string(file).ok());
        let runs = texts.into_iter().any(|text| text.contains("lifeboat_testkit::action_suite!("));
        assert!(runs, "{} does not run the suite of actions", plugin.path().display());
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
