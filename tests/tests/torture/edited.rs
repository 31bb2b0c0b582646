//! A run is pinned: an edit of its file is noticed, and changes nothing.

use std::fs;

use crate::bench::Bench;
use crate::runbooks::WAITING;

/// A run that only just exists, and a file that says something else since.
fn edited() -> Bench {
    let bench = Bench::new(WAITING);
    bench.create_only();
    fs::write(bench.path("go"), "").unwrap();
    let text = fs::read_to_string(bench.file()).unwrap();
    fs::write(bench.file(), text.replace("echo after", "echo something else")).unwrap();
    bench
}

#[test]
fn an_edited_runbook_is_shown_as_a_diff_and_needs_a_word() {
    let bench = edited();
    let ended = bench.resume().run();
    ended.assert_code(6);
    for line in ["\n-  - { id: after", "\n+  - { id: after", "echo something else", "--keep-pinned"] {
        assert!(ended.stderr.contains(line), "{line:?} is missing: {ended}");
    }
    assert_eq!(bench.effects(), [""; 0]);
    bench.command(&["resume", "--keep-pinned", "--strict"]).run().assert_code(9);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
    let status = bench.sandbox.status();
    assert_eq!(status["verdict"], "succeeded_with_deviations");
    assert_eq!(status["deviations"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["deviations"][0]["actor"], "tester");
    assert_eq!(bench.journal().breaches(), [""; 0]);
}

#[test]
fn the_same_edit_is_not_asked_about_twice() {
    let bench = edited();
    let records = bench.sandbox.journal().len();
    let resume = bench.command(&["resume", "--keep-pinned"]);
    let killed = resume.env("LIFEBOAT_CRASH_AT", format!("after:{}", records + 3)).run();
    assert!(killed.was_killed(), "{killed}");
    bench.resume().run().assert_code(0);
    assert_eq!(bench.sandbox.status()["deviations"].as_array().unwrap().len(), 1);
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
}
