//! The cases, a row of the table each.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::floor;
use crate::measure::{Bench, median, ms, pairs, peak_memory, row, timed};
use crate::runbook::{NOTHING, TRUE, sequence, wide};

/// One step that does nothing, the whole command, against a program that appends 300 bytes and syncs once.
pub(crate) fn one_step(bench: &Bench) {
    let runbook = bench.runbook(&sequence(1, NOTHING));
    let (home, file) = (bench.home(), bench.home().join("floor"));
    let this = std::env::current_exe().expect("a path");
    let floor = || timed(Command::new(&this).arg("floor-append").arg(&file));
    let (run, floor, ratio) = pairs(41, || bench.run(&home, &runbook), floor);
    row("one no-op step, whole command", &ms(run), &ms(floor), &format!("{ratio:.2}"), "≤ 3");
}

/// Steps that do nothing, in sequence, per step, against an append of 300 bytes with a sync.
pub(crate) fn sequential(bench: &Bench) {
    for (steps, times) in [(100, 11), (1000, 7)] {
        let runbook = bench.runbook(&sequence(steps, NOTHING));
        let (home, folder) = (bench.home(), bench.home());
        let run = || bench.run(&home, &runbook) / steps;
        let (run, floor, ratio) = pairs(times, run, || floor::append_and_sync(&folder, steps));
        let case = format!("{steps} sequential no-op steps, per step");
        row(&case, &ms(run), &ms(floor), &format!("{ratio:.2}"), "≤ 2");
    }
}

/// Steps that start a command, in sequence, per step, against a shell loop.
pub(crate) fn supervised(bench: &Bench) {
    for (steps, times) in [(100, 9), (1000, 5)] {
        let runbook = bench.runbook(&sequence(steps, TRUE));
        let home = bench.home();
        let run = || bench.run(&home, &runbook) / steps;
        let (run, floor, ratio) = pairs(times, run, || floor::shell_loop(steps));
        let case = format!("{steps} sequential supervised `/bin/true`, per step");
        row(&case, &ms(run), &ms(floor), &format!("{ratio:.2}"), "≤ 1.5");
    }
}

/// The cost of a step in a run of 10,000 against that in a run of 100.
pub(crate) fn growth(bench: &Bench) {
    let (small, large) = (bench.runbook(&sequence(100, NOTHING)), bench.runbook(&sequence(10_000, NOTHING)));
    let home = bench.home();
    let (large, small, ratio) =
        pairs(3, || bench.run(&home, &large) / 10_000, || bench.run(&home, &small) / 100);
    row("per step at 10,000 against at 100", &ms(large), &ms(small), &format!("{ratio:.2}"), "≤ 1.2");
}

/// Wide blocks, per step, against the same steps in sequence; and memory.
pub(crate) fn parallel(bench: &Bench) {
    let sequential = bench.runbook(&sequence(1000, NOTHING));
    for steps in [1000, 5000] {
        let runbook = bench.runbook(&wide(steps, NOTHING));
        let home = bench.home();
        let wide = || bench.run(&home, &runbook) / (steps + 2);
        let (wide, step, ratio) = pairs(5, wide, || bench.run(&home, &sequential) / 1000);
        row(
            &format!("1 + {steps} + 1 parallel, per step"),
            &ms(wide),
            &ms(step),
            &format!("{ratio:.2}"),
            "≤ 0.25",
        );
        let path = runbook.to_str().expect("UTF-8");
        let child = bench.command(&home, &["run", path, "--yes", "--json"]).spawn().expect("it starts");
        let peak = peak_memory(child) as f64 / 1e6;
        row(
            &format!("1 + {steps} + 1 parallel, peak memory"),
            &format!("{peak:.0} MB"),
            "",
            "",
            "≤ 100 MB at 5,000",
        );
    }
}

/// From the start of `resume` to the start of the next step, after SIGKILL at a step.
pub(crate) fn resume(bench: &Bench) {
    for (killed_at, steps, reach) in [(200, 1_000, "≤ 50 ms"), (10_000, 10_500, "≤ 100 ms")] {
        let runbook = bench.runbook(&sequence(steps, NOTHING));
        let times: Vec<_> = (0..5).map(|_| resume_once(bench, &runbook, killed_at)).collect();
        row(&format!("resume to the next step, killed at {killed_at}"), &ms(median(times)), "", "", reach);
    }
}

fn resume_once(bench: &Bench, runbook: &Path, killed_at: usize) -> Duration {
    let home = bench.home();
    let path = runbook.to_str().expect("UTF-8");
    let mut driver = bench
        .command(&home, &["run", path, "--yes", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let told = BufReader::new(driver.stdout.take().expect("a pipe"));
    let finished =
        told.lines().map_while(Result::ok).filter(|line| line.contains("\"type\":\"step_finished\""));
    assert_eq!(finished.take(killed_at).count(), killed_at);
    driver.kill().expect("it runs");
    driver.wait().expect("a child");

    let begin = Instant::now();
    let mut resumed =
        bench.command(&home, &["resume", "--json"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let told = BufReader::new(resumed.stdout.take().expect("a pipe"));
    let started = told.lines().map_while(Result::ok).any(|line| line.contains("\"type\":\"step_started\""));
    let elapsed = begin.elapsed();
    assert!(started, "it went on");
    resumed.kill().expect("it runs");
    resumed.wait().expect("a child");
    fs::remove_dir_all(&home).expect("nobody works there any more");
    elapsed
}

/// `check` and a dry run of 1,000 steps.
pub(crate) fn check_and_drill(bench: &Bench) {
    let runbook = bench.runbook(&sequence(1000, NOTHING));
    let home = bench.home();
    let path = runbook.to_str().expect("UTF-8");
    let once = || {
        timed(&mut bench.command(&home, &["check", path]))
            + timed(&mut bench.command(&home, &["drill", path, "--json"]))
    };
    let both = median((0..9).map(|_| once()).collect());
    row("`check` and `drill` of 1,000 steps", &ms(both), "", "", "≤ 200 ms");
}

/// The list of 1,000 runs.
pub(crate) fn list(bench: &Bench) {
    let runbook = bench.runbook(&sequence(1, NOTHING));
    let home = bench.home();
    for _ in 0..1000 {
        bench.run(&home, &runbook);
    }
    let list = median((0..9).map(|_| timed(&mut bench.command(&home, &["runs"]))).collect());
    row("`runs` with 1,000 stored runs", &ms(list), "", "", "≤ 50 ms");
}

/// The size of the program.
pub(crate) fn binary(bench: &Bench) {
    let size = fs::metadata(&bench.lifeboat).expect("it was built").len() as f64 / 1e6;
    row("binary; servers that must run", &format!("{size:.1} MB; none"), "", "", "≤ 25 MB; none");
}

/// Counts the sync calls per step; none would make every figure above worthless.
pub(crate) fn syncs(bench: &Bench) {
    let runbook = bench.runbook(&sequence(100, NOTHING));
    let (home, trace) = (bench.home(), bench.home().join("trace"));
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(&trace)
        .arg(&bench.lifeboat)
        .arg("run")
        .arg(&runbook)
        .args(["--yes", "--json"])
        .env("LIFEBOAT_HOME", &home)
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("strace: tests/install installs it").success());
    let calls = lines(&trace).filter(|line| line.contains("sync(")).count();
    assert!(calls >= 100, "{calls} syncs for 100 steps: some step was not made durable");
    row("sync calls per step, 100 sequential steps", &format!("{:.2}", calls as f64 / 100.0), "", "", "≥ 1");
}

fn lines(file: &PathBuf) -> impl Iterator<Item = String> {
    BufReader::new(File::open(file).expect("a trace")).lines().map_while(Result::ok)
}
