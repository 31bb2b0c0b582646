//! Killed before and after every record.

use crate::bench::{Bench, Uninterrupted};
use crate::runbooks::EVERYTHING;

/// Resumes, or starts anew where there is no run yet, or leaves alone what was killed too late to leave anything to do.
fn finish(bench: &Bench) {
    if bench.run_folder().is_some() && bench.sandbox.status()["state"] == "finished" {
        return;
    }
    let command = if bench.run_folder().is_some() { bench.resume() } else { bench.new_run() };
    command.run().assert_code(0);
}

#[test]
fn a_run_killed_at_any_record_is_finished_by_a_resume() {
    let expected = Uninterrupted::of(EVERYTHING);
    let mut kills = 0;
    for record in 1..=expected.records {
        for side in ["before", "after"] {
            let (bench, point) = (Bench::new(EVERYTHING), format!("{side}:{record}"));
            let run = bench.new_run().env("LIFEBOAT_CRASH_AT", &point);
            assert!(run.run().was_killed(), "{point}");
            kills += 1;
            finish(&bench);
            bench.assert_whole(&expected, &point);
        }
    }
    println!("{kills} kill points");
}

#[test]
fn a_run_whose_every_driver_dies_over_its_next_record_still_ends_right() {
    let expected = Uninterrupted::of(EVERYTHING);
    for side in ["before", "after"] {
        let bench = Bench::new(EVERYTHING);
        let mut drivers = 0;
        bench.create_only();
        loop {
            drivers += 1;
            assert!(drivers < 200, "no end in sight: {}", bench.clues());
            // Each first says that it resumed, what is in doubt and what follows: some come a little further than that.
            let next = bench.sandbox.journal().len() + 3 + drivers % 8;
            let resume = bench.resume().env("LIFEBOAT_CRASH_AT", format!("{side}:{next}"));
            let ended = resume.run();
            if bench.sandbox.status()["state"] == "finished" {
                break;
            }
            assert!(ended.was_killed(), "{ended}");
        }
        bench.assert_whole(&expected, side);
        println!("{side}: {drivers} drivers");
    }
}
