//! What supervision costs: 1,000 times `/bin/true` in sequence, in a bash loop and under the supervisor, each with the
//! exit status on the disk. Prints ratios, and beside them what one sync costs in the same place at the same time. Run
//! it with `cargo bench -p lifeboat-command`, and with `TMPDIR` on a tmpfs to leave the disk out.

#[path = "../tests/command/support.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod support;

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use support::Bench;

const STEPS: u32 = 1000;
const ROUNDS: u32 = 5;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut ratios: Vec<_> = (0..ROUNDS).map(|_| round(&runtime)).collect();
    ratios.sort_by(f64::total_cmp);
    say(&format!("median ratio {:.2}", ratios[ratios.len() / 2]));
}

fn round(runtime: &tokio::runtime::Runtime) -> f64 {
    let floor = bash_loop();
    let ours = runtime.block_on(supervised());
    let ratio = ours.as_secs_f64() / floor.as_secs_f64();
    let (floor, ours, sync) = (floor / STEPS, ours / STEPS, sync());
    say(&format!("per step: bash {floor:?}, supervised {ours:?}, ratio {ratio:.2}; one sync {sync:?}"));
    ratio
}

fn bash_loop() -> Duration {
    let script = format!("for ((i = 0; i < {STEPS}; i++)); do /bin/true; done");
    let start = Instant::now();
    let status = Command::new("bash").args(["-c", &script]).status().expect("bash");
    assert!(status.success(), "bash failed");
    start.elapsed()
}

/// Appends 300 bytes and syncs them.
fn sync() -> Duration {
    let mut file = tempfile::tempfile().expect("a file");
    let start = Instant::now();
    for _ in 0..STEPS {
        file.write_all(&[b'x'; 300]).and_then(|()| file.sync_data()).expect("a sync");
    }
    start.elapsed() / STEPS
}

async fn supervised() -> Duration {
    let bench = Bench::new();
    bench.attempt("warm-up").apply(json!({"argv": ["/bin/true"]})).await.expect("success");
    let start = Instant::now();
    for step in 0..STEPS {
        let attempt = bench.attempt(&format!("s{step}"));
        attempt.apply(json!({"argv": ["/bin/true"]})).await.expect("success");
    }
    start.elapsed()
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("stdout");
}
