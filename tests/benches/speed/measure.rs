//! Running lifeboat and timing it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The release binary and a place to work in.
pub(crate) struct Bench {
    pub(crate) lifeboat: PathBuf,
    pub(crate) folder: TempDir,
}

impl Bench {
    /// Builds the release binary if it is not built.
    pub(crate) fn new() -> Self {
        let cargo = Command::new(env!("CARGO"))
            .args(["build", "--release", "-p", "lifeboat"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status();
        assert!(cargo.expect("cargo runs").success(), "lifeboat must build");
        // Benchmarks are built with the release profile, too: its folder is two above this program.
        let this = std::env::current_exe().expect("a path");
        let lifeboat = this.ancestors().nth(2).expect("the profile's folder").join("lifeboat");
        let folder =
            TempDir::new_in(this.ancestors().nth(2).expect("the profile's folder")).expect("a folder");
        Self { lifeboat, folder }
    }

    /// A new home.
    pub(crate) fn home(&self) -> PathBuf {
        let home = TempDir::new_in(self.folder.path()).expect("a folder");
        home.keep()
    }

    /// Writes a runbook.
    pub(crate) fn runbook(&self, text: &str) -> PathBuf {
        let file = self.home().join("bench.yaml");
        fs::write(&file, text).expect("a file");
        file
    }

    /// Lifeboat with these arguments, silent.
    pub(crate) fn command(&self, home: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.lifeboat);
        command.args(arguments).env("LIFEBOAT_HOME", home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        command
    }

    /// The time of a whole live run of a runbook.
    pub(crate) fn run(&self, home: &Path, runbook: &Path) -> Duration {
        let runbook = runbook.to_str().expect("a path in UTF-8");
        timed(&mut self.command(home, &["run", runbook, "--yes", "--json"]))
    }
}

/// The time of a whole process that must succeed.
pub(crate) fn timed(command: &mut Command) -> Duration {
    let begin = Instant::now();
    let status = command.status().expect("it starts");
    let elapsed = begin.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    elapsed
}

/// The peak of a process's resident memory, in bytes, as last seen before it ended.
pub(crate) fn peak_memory(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        std::thread::yield_now();
    }
    peak
}

/// The median of some measurements.
pub(crate) fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

/// The median of so many pairs, each measured one right after the other, and of their ratios.
pub(crate) fn pairs(
    times: u32,
    mut one: impl FnMut() -> Duration,
    mut floor: impl FnMut() -> Duration,
) -> (Duration, Duration, f64) {
    let all: Vec<_> = (0..times).map(|_| (one(), floor())).collect();
    let mut ratios: Vec<_> = all.iter().map(|(one, floor)| one.as_secs_f64() / floor.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    let (ones, floors) = all.into_iter().unzip();
    (median(ones), median(floors), ratios[ratios.len() / 2])
}

/// One row of the table.
pub(crate) fn row(case: &str, measured: &str, floor: &str, ratio: &str, reach: &str) {
    println!("| {case} | {measured} | {floor} | {ratio} | {reach} |");
}

/// A time for people.
pub(crate) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.3} ms") } else { format!("{ms:.1} ms") }
}
