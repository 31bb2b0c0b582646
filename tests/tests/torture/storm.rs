//! SIGKILL at random moments.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::bench::{Bench, Uninterrupted};
use crate::runbooks::storm;

const KILLS: u32 = 200;

/// Beyond this many drivers the storm is called off: the run does not get on.
const DRIVERS: u32 = 3000;

/// Where a driver lives no longer than it takes to start, the run never ends; where it lives for seconds, it is over
/// too soon.
const LONGEST_LIFE: Duration = Duration::from_millis(60);

/// xorshift64: reproducible from its seed, and enough to spread moments.
struct Moments(u64);

impl Moments {
    /// From `LIFEBOAT_TEST_SEED`, or from the time; printed, so that a failure can be repeated.
    fn seeded() -> Self {
        let given = std::env::var("LIFEBOAT_TEST_SEED").ok().map(|text| text.parse().expect("a number"));
        let now = || u64::from(SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos()) | 1;
        let seed = given.unwrap_or_else(now);
        println!("LIFEBOAT_TEST_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        LONGEST_LIFE.mul_f64((self.0 % 10_000) as f64 / 10_000.0)
    }
}

/// Drives a run to its end, killing whoever drives it. The number of kills.
fn weather(bench: &Bench, moments: &mut Moments) -> u32 {
    let mut kills = 0;
    bench.create_only();
    for _ in 0..DRIVERS {
        let driving = bench.resume().start();
        if driving.ends_within(moments.next()) {
            let code = driving.code();
            assert_eq!(bench.sandbox.status()["state"], "finished", "{code:?}: {}", bench.clues());
            return kills;
        }
        driving.kill();
        kills += 1;
    }
    panic!("no end in sight after {kills} kills: {}", bench.clues());
}

#[test]
fn nothing_is_lost_or_repeated_in_a_storm_of_kills() {
    let mut moments = Moments::seeded();
    let runbook = storm();
    let expected = Uninterrupted::of(&runbook);
    assert_eq!(expected.effects.len(), 30);
    let (mut kills, mut runs) = (0, 0);
    let mut rules = BTreeMap::<String, u32>::new();
    while kills < KILLS {
        let bench = Bench::new(&runbook);
        kills += weather(&bench, &mut moments);
        runs += 1;
        bench.assert_whole(&expected, &format!("run {runs}, {kills} kills"));
        for resolved in bench.sandbox.journal().all("doubt_resolved") {
            *rules.entry(resolved["rule"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    println!("{kills} kills over {runs} runs of 30 steps; doubts settled: {rules:?}");
    // A storm that never met a running command would prove nothing about them.
    assert!(rules.get("recovered").is_some_and(|count| *count > 10), "{rules:?}");
}
