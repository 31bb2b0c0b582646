//! A run is its folder: copied elsewhere, it resumes there.

use std::fs;

use crate::bench::{Bench, Uninterrupted, copy_tree};
use crate::runbooks::EVERYTHING;

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
        bench.resume().run().assert_code(0);
        bench.assert_whole(&expected, &format!("moved after record {record}"));
    }
}
