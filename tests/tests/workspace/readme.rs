//! What the README shows is true: its runbook passes the check, and its links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lifeboat_tests::programs::built;
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn its_runbook_is_one() {
    let readme = readme();
    let (_, from_start) = readme.split_once("```yaml\n").expect("the README shows a runbook");
    let (runbook, _) = from_start.split_once("```").unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("readme.yaml");
    fs::write(&file, runbook).unwrap();
    let checked = Command::new(built("lifeboat")).arg("check").arg(&file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn its_links_lead_somewhere() {
    let readme = readme();
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let files: Vec<_> = links.filter(|link| !link.contains("://")).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert!(root().join(file).exists(), "`{file}` is not there");
    }
}
