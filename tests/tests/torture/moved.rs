//! A run is its folder: copied elsewhere, it resumes there.

use std::fs;

use crate::lifeboat::{Lifeboat, end_of};

use crate::bench::{Bench, Uninterrupted, copy_tree};
use crate::runbooks::EVERYTHING;

#[test]
fn a_run_copied_to_another_home_resumes_there() {
    let expected = Uninterrupted::of(EVERYTHING);
    for record in [1, expected.records / 3, expected.records / 2] {
        let mut bench = Bench::new(EVERYTHING);
        let mut run = bench.run();
        run.env("LIFEBOAT_CRASH_AT", format!("after:{record}"));
        assert!(end_of(run).was_killed());
        let other = Lifeboat::new();
        copy_tree(&bench.lifeboat.home().join("runs"), &other.home().join("runs"));
        fs::remove_dir_all(bench.lifeboat.home().join("runs")).unwrap();
        // The runbook does not travel: the run holds it.
        fs::remove_file(bench.file()).unwrap();
        bench.lifeboat = other;
        end_of(bench.resume()).assert_code(0);
        bench.assert_whole(&expected, &format!("moved after record {record}"));
    }
}
