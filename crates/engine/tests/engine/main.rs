//! The engine over fake actions, a store in memory and simulated time.

mod checks;
mod crash_sweep;
mod doubts;
mod dry_run;
mod harmlessness;
mod never_begun;
mod reporting;
mod retries;
mod scripted;
mod signals;
mod steps;
mod undriven;
mod unknown_parameters;
mod warnings;

use std::future::Future;

use lifeboat_engine::{Drive, Left};
use lifeboat_model::record::Verdict;
use lifeboat_testkit::runs::{plan, statuses};
use lifeboat_testkit::{Driving, MemoryStore, World, samples};

/// Runs the future on a runtime of its own whose time is simulated; whatever it left running dies with it.
fn simulate<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// A live run of a runbook from beginning to end.
fn run(world: &World, text: &str) -> Drive {
    let registry = world.registry();
    let plan = plan(&registry, text);
    let driving = Driving::with(registry);
    simulate(driving.create(&MemoryStore::new(), &samples::run(1), plan)).expect("memory takes every record")
}

/// The verdict and the states of the steps, in words.
fn summary(drive: &Drive) -> (Option<&'static str>, Vec<String>) {
    let verdict = match drive.left {
        Left::Finished(verdict) => Some(Verdict::as_str(verdict)),
        Left::Stopped(_) | Left::Abandoned => None,
    };
    (verdict, statuses(&drive.state).into_iter().map(|(step, status)| format!("{step} {status}")).collect())
}
