//! A run is its folder: copied elsewhere, it resumes there.

use std::fs;

use crate::bench::{Bench, Uninterrupted, copy_tree, ids_and_states};
use crate::runbooks::EVERYTHING;

/// A copy proves of no command that it never began: who copied the run knows that, and says so.
fn resume(bench: &Bench) {
    let resumed = bench.resume().run();
    if resumed.code == Some(6) {
        for (step, _) in ids_and_states(&bench.sandbox.status()).filter(|(_, state)| state == "in_doubt") {
            assert!(!bench.effects().contains(&step), "{resumed}");
            bench.expect(0, &["retry", &step, "--reason", "its driver had died before it began"]);
        }
        return bench.resume().run().assert_code(0);
    }
    resumed.assert_code(0);
}

#[test]
fn a_run_copied_to_another_home_resumes_there() {
    let expected = Uninterrupted::of(EVERYTHING);
    for record in [1, expected.records / 3, expected.records / 2] {
        let mut bench = Bench::new(EVERYTHING);
        let run = bench.new_run().env("LIFEBOAT_CRASH_AT", format!("after:{record}"));
        assert!(run.run().was_killed());
        let home = bench.sandbox.home();
        bench.sandbox.use_home("other");
        copy_tree(&home, &bench.sandbox.home());
        fs::remove_dir_all(home).unwrap();
        // The runbook does not travel: the run holds it.
        fs::remove_file(bench.file()).unwrap();
        resume(&bench);
        bench.assert_whole(&expected, &format!("moved after record {record}"));
    }
}
