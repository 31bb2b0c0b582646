//! How fast lifeboat is, as ratios to floors measured in the same run: `cargo bench -p lifeboat-tests --bench speed`.
//!
//! Machines differ and are noisy, so nothing here asserts a time. It does fail when a step costs no sync: then the
//! figures would be worth nothing.

#![expect(clippy::print_stdout, reason = "the table is the result")]

mod cases;
mod floor;
mod measure;
mod runbook;

use std::env;
use std::path::Path;

use measure::Bench;

fn main() {
    let arguments: Vec<_> = env::args().collect();
    if let Some("floor-append") = arguments.get(1).map(String::as_str) {
        floor::append_once(Path::new(&arguments[2]));
        return;
    }
    let bench = Bench::new();
    println!("| case | measured | floor | ratio | reach |\n|---|---|---|---|---|");
    cases::one_step(&bench);
    cases::sequential(&bench);
    cases::supervised(&bench);
    cases::growth(&bench);
    cases::parallel(&bench);
    cases::resume(&bench);
    cases::check_and_drill(&bench);
    cases::list(&bench);
    cases::binary(&bench);
    cases::syncs(&bench);
}
