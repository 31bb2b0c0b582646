//! The failover with Lifeboat killed on the way, and resumed by a second process.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use lifeboat_tests::cli::Answer;
use lifeboat_tests::scene::{Node, Role};

use super::{Failover, SOON, assert_code};

/// Scenes side by side: they mostly wait.
const WORKERS: usize = 2;

#[test]
fn lifeboat_may_be_killed_at_every_record() {
    let records = {
        let failover = Failover::broken();
        assert_code(&failover.run(&[]), 0);
        failover.journal().len()
    };
    let points = (1..=records).flat_map(|record| [format!("before:{record}"), format!("after:{record}")]);
    let points: Mutex<VecDeque<String>> = Mutex::new(points.collect());
    let next = || points.lock().unwrap().pop_front();
    let work = || std::iter::from_fn(next).map(|at| killed_at(&at)).collect::<Vec<_>>();
    let reports: Vec<Report> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|why| resume_unwind(why)))
            .collect()
    });
    assert_eq!(reports.len(), 2 * records);
    let doubts: usize = reports.iter().map(|report| report.doubts).sum();
    let mut outages: Vec<_> = reports.iter().map(|report| report.outage).collect();
    outages.sort_unstable();
    assert!(doubts > 0, "a run that is killed while a step runs leaves a doubt");
    let [best, middle, worst] = [0, outages.len() / 2, outages.len() - 1].map(|place| outages[place]);
    println!(
        "crash sweep: {} points in {records} records, {doubts} doubts resolved; RTO {best:?} at best, {middle:?} in the \
         middle, {worst:?} at worst",
        reports.len(),
    );
}

struct Report {
    doubts: usize,
    outage: Duration,
}

/// One crash and one resume on a scene of its own.
fn killed_at(at: &str) -> Report {
    let sweep = || {
        let failover = Failover::broken();
        let ended = crashing(&failover, at, failover.words("run", &[]));
        assert!(was_killed(&ended), "{ended}");
        let before = failover.journal();
        if before.is_empty() {
            // It died before the run existed: there is nothing to resume.
            assert_code(&failover.resume(), 2);
            assert_code(&failover.run(&[]), 0);
        } else if before.verdict().is_none() {
            assert_code(&failover.resume(), 0);
        }
        failover.assert_failed_over();
        let doubts = failover.journal().all("doubt_resolved").count();
        Report { doubts, outage: failover.scene.ledger().longest_gap() }
    };
    catch_unwind(AssertUnwindSafe(sweep)).unwrap_or_else(|why| {
        println!("killed at {at}:");
        resume_unwind(why)
    })
}

/// A command during which Lifeboat kills itself there.
fn crashing(failover: &Failover, at: &str, words: Vec<String>) -> Answer {
    failover.sandbox.lifeboat(words).env("LIFEBOAT_CRASH_AT", at).run()
}

/// Whether a signal ended it, and it had no say in it.
fn was_killed(ended: &Answer) -> bool {
    ended.code.is_none()
}

/// Each driver lives just long enough to get one step further: nine records are room for two doubts, and two steps begun
/// again of which one ends.
#[test]
fn a_failover_by_drivers_that_keep_dying_comes_to_the_same_end() {
    let failover = Failover::broken();
    let mut drivers = 0;
    loop {
        let last = failover.journal().len();
        let at = format!("before:{}", last + 9);
        let ended = if last == 0 {
            crashing(&failover, &at, failover.words("run", &[]))
        } else {
            crashing(&failover, &at, vec!["resume".to_owned(), "--json".to_owned()])
        };
        drivers += 1;
        if !was_killed(&ended) {
            assert_code(&ended, 0);
            break;
        }
        assert!(failover.journal().len() > last, "a driver wrote nothing: {ended}");
    }
    failover.assert_failed_over();
    assert!(drivers > 2, "{drivers} drivers were enough");
    println!("{drivers} drivers: RTO {:?}", failover.scene.ledger().longest_gap());
}

/// The promotion was asked for and goes on while nobody drives the run.
#[test]
fn a_promotion_that_came_about_after_the_crash_is_found_and_not_repeated() {
    let failover = killed_while_promoting();
    failover.scene.thaw(Node::B);
    failover.scene.wait_until("b is promoted", SOON, || failover.scene.role(Node::B) == Role::Primary);
    assert_code(&failover.resume(), 0);
    failover.assert_failed_over();
    let journal = failover.journal();
    assert_eq!(journal.about("step_started", "promote").count(), 1);
    let doubt = journal.about("doubt_resolved", "promote").next().expect("the promotion was in doubt");
    assert_eq!(doubt["rule"], "observed");
    assert!(doubt["evidence"].as_str().is_some_and(|seen| seen.contains("timeline 2")), "{doubt}");
}

/// The promotion was asked for and has not come about when it is asked for again.
#[test]
fn a_promotion_asked_for_twice_is_still_one() {
    let failover = killed_while_promoting();
    let second = failover.sandbox.lifeboat(["resume", "--json"]).spawn();
    failover.scene.wait_until("the promotion is asked for again", SOON, || {
        failover.journal().about("step_started", "promote").count() == 2
    });
    failover.scene.thaw(Node::B);
    let answered = second.wait_with_output().unwrap();
    assert!(answered.status.success(), "{}", String::from_utf8_lossy(&answered.stdout));
    failover.assert_failed_over();
}

/// The old primary comes back while nobody drives the run: clients of the front are led past it, and the run says so.
#[test]
fn an_old_primary_that_came_back_meanwhile_is_told_of() {
    let failover = killed_while_promoting();
    let scene = &failover.scene;
    scene.thaw(Node::B);
    scene.wait_until("b is promoted", SOON, || scene.role(Node::B) == Role::Primary);
    scene.restart(Node::A);
    assert_code(&failover.resume(), 0);
    let journal = failover.journal();
    assert_eq!(journal.verdict(), Some("succeeded_with_deviations"));
    let why = journal.failure("old-primary").unwrap_or_default();
    assert!(why.contains("primary, accepting writes, timeline 1"), "{why}");
    assert_eq!(failover.proxied(Node::A).as_deref(), Some("MAINT"));
}

/// Lifeboat dead between the request for the promotion and its effect.
fn killed_while_promoting() -> Failover {
    let failover = Failover::broken();
    let scene = &failover.scene;
    scene.stop_startup(Node::B);
    let mut first = failover.sandbox.lifeboat(failover.words("run", &[])).spawn();
    let request = scene.data(Node::B).join("promote");
    scene.wait_until("the promotion is asked for", SOON, || request.exists());
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(scene.role(Node::B), Role::Standby);
    failover
}
