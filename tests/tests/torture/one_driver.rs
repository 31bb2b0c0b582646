//! Two processes never drive one run.

use lifeboat_tests::cli::Sandbox;

use crate::bench::Bench;
use crate::runbooks::WAITING;
use lifeboat_tests::driving::PATIENCE;

fn words(sandbox: &Sandbox) -> (String, String) {
    let status = sandbox.status();
    let driver = &status["holder"]["driver"];
    (driver["pid"].to_string(), driver["host"].as_str().unwrap().to_owned())
}

#[test]
fn a_second_resume_is_told_who_holds_the_run() {
    let bench = Bench::new(WAITING);
    bench.create_only();
    let first = bench.resume().start();
    bench.wait_for("pid");
    let second = bench.expect(7, &["resume"]);
    let (pid, host) = words(&bench.sandbox);
    assert_eq!(pid, first.pid().to_string());
    let since = bench.sandbox.status()["holder"]["since"].as_str().unwrap()[..10].to_owned();
    for word in [&pid, &host, &since] {
        assert!(second.stderr.contains(word), "{word} is missing: {second}");
    }
    for word in ["retry", "skip", "mark-done"] {
        bench.expect(7, &[word, "waits", "--reason", "impatience"]);
    }
    bench.expect(7, &["cancel", "--reason", "impatience"]);
    std::fs::write(bench.path("go"), "").unwrap();
    assert_eq!(first.code(), Some(0));
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
}

#[test]
fn of_many_resumes_at_once_exactly_one_drives() {
    const DRIVERS: usize = 8;
    let bench = Bench::new(WAITING);
    bench.create_only();
    std::thread::scope(|scope| {
        let start = |_| scope.spawn(|| bench.resume().run());
        let drivers: Vec<_> = (0..DRIVERS).map(start).collect();
        // Nobody can win twice: the winner is kept waiting until all others have given up.
        let losers = || drivers.iter().filter(|driver| driver.is_finished()).count();
        let all_but_one = || losers() == DRIVERS - 1;
        lifeboat_tests::wait::wait_until("all but one gave up", PATIENCE, || "", all_but_one);
        std::fs::write(bench.path("go"), "").unwrap();
        let mut codes: Vec<_> = drivers.into_iter().map(|driver| driver.join().unwrap().code).collect();
        codes.sort_unstable();
        let mut expected = vec![Some(7); DRIVERS];
        expected[0] = Some(0);
        assert_eq!(codes, expected);
    });
    assert_eq!(bench.effects(), ["before", "waits", "after"]);
    assert_eq!(bench.journal().all("run_resumed").count(), 1);
}
