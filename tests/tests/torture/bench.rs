//! A runbook, its effects, and the processes that a test leaves behind.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use lifeboat_tests::cli::{Answer, Lifeboat, Sandbox};
use lifeboat_tests::driving::PATIENCE;
use lifeboat_tests::journal::Journal;
use lifeboat_tests::process::Process;
use lifeboat_tests::programs::server;
use lifeboat_tests::wait::wait_until;
use rustix::process::Signal;
use serde_json::Value;

/// One runbook with a home of its own. Dropped, every process that was started from that home is killed.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
}

impl Bench {
    /// A bench for a runbook; in its text, `DIR` is the folder where effects are left.
    pub(crate) fn new(runbook: &str) -> Self {
        let sandbox = Sandbox::new();
        let text = runbook.replace("DIR", sandbox.path("").to_str().unwrap().trim_end_matches('/'));
        sandbox.file("runbook.yaml", text);
        Self { sandbox }
    }

    /// The runbook's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.path("runbook.yaml")
    }

    /// A path in the folder where effects are left.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path(name)
    }

    /// The lines that the steps have written, in order.
    pub(crate) fn effects(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("effects")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The same, without their order.
    pub(crate) fn sorted_effects(&self) -> Vec<String> {
        let mut effects = self.effects();
        effects.sort_unstable();
        effects
    }

    /// `lifeboat run`, of this runbook.
    pub(crate) fn new_run(&self) -> Lifeboat<'_> {
        self.command(&["run", self.file().to_str().unwrap(), "--yes", "--json"])
    }

    /// `lifeboat resume`.
    pub(crate) fn resume(&self) -> Lifeboat<'_> {
        self.command(&["resume", "--json"])
    }

    pub(crate) fn command(&self, words: &[&str]) -> Lifeboat<'_> {
        self.sandbox.lifeboat(words)
    }

    /// Carries a command out and insists on its exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, words: &[&str]) -> Answer {
        let ended = self.command(words).run();
        ended.assert_code(code);
        ended
    }

    /// Starts the run, and has it killed as soon as it exists.
    pub(crate) fn create_only(&self) {
        assert!(self.new_run().env("LIFEBOAT_CRASH_AT", "after:1").run().was_killed());
    }

    /// The folder of the only run, once there is one.
    pub(crate) fn run_folder(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.sandbox.home().join("runs")).ok()?;
        entries.flatten().map(|entry| entry.path()).find(|path| path.join("journal.jsonl").is_file())
    }

    /// The run's records, verified.
    #[track_caller]
    pub(crate) fn journal(&self) -> Journal {
        let report = self.expect(0, &["journal", "--verify", "--json"]).stdout;
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["journal"], "ok");
        assert_ne!(report["checkpoints"]["state"], "bad", "{report}");
        self.sandbox.journal()
    }

    /// Insists that the run is over as if nothing had happened to it.
    #[track_caller]
    pub(crate) fn assert_whole(&self, expected: &Uninterrupted, clue: &str) {
        let journal = self.journal();
        assert_eq!(journal.breaches(), [""; 0], "{clue}");
        assert_eq!(journal.verdict(), Some("succeeded"), "{clue}");
        assert_eq!(self.sorted_effects(), expected.effects, "{clue}");
        let status = self.sandbox.status();
        let strays: Vec<_> =
            expected.steps.iter().zip(ids_and_states(&status)).filter(|(a, b)| !is_same_end(a, b)).collect();
        assert!(strays.is_empty(), "{clue}: {strays:?}");
    }

    /// Waits until a file in the folder of effects exists.
    #[track_caller]
    pub(crate) fn wait_for(&self, name: &str) {
        let what = format!("{name} exists");
        wait_until(&what, PATIENCE, || self.clues(), || self.path(name).exists());
    }

    /// The number that a step wrote into a file, which ends with a line break once it is whole.
    #[track_caller]
    pub(crate) fn pid_in(&self, name: &str) -> Process {
        let read = || fs::read_to_string(self.path(name)).ok()?.strip_suffix('\n')?.parse().ok();
        let pid = wait_until(name, PATIENCE, || self.clues(), read);
        Process::find(pid).unwrap_or_else(|| panic!("{name}: process {pid} is gone"))
    }

    /// The supervisor of the first attempt of a step.
    #[track_caller]
    pub(crate) fn supervisor_of(&self, step: &str) -> Process {
        let attempt = self.run_folder().unwrap().join("steps").join(step).join("1");
        supervisor_in(&attempt).expect("the supervisor is alive")
    }

    /// Every living supervisor of the run's commands.
    pub(crate) fn supervisors(&self) -> BTreeSet<Process> {
        let inside =
            |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let steps = self.run_folder().into_iter().flat_map(|run| inside(run.join("steps")));
        steps.flat_map(inside).filter_map(|attempt| supervisor_in(&attempt)).collect()
    }

    /// The last records, for a failure's message.
    pub(crate) fn clues(&self) -> String {
        let ended = self.sandbox.run("status");
        format!("{ended}\neffects: {:?}", self.effects())
    }

    /// Every living process that was started, at whatever remove, by a command of this bench.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let mark = [b"LIFEBOAT_HOME=", self.sandbox.home().as_os_str().as_encoded_bytes()].concat();
        let is_ours = |pid: i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == mark)
        };
        pids().filter(|pid| is_ours(*pid)).filter_map(Process::find).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // One may have started another between the look and the signal.
        loop {
            let processes = self.processes();
            if processes.is_empty() {
                return;
            }
            for process in processes {
                drop(process.signal(Signal::KILL));
            }
        }
    }
}

/// What a run of a runbook leaves that nothing happened to.
#[derive(Debug)]
pub(crate) struct Uninterrupted {
    pub(crate) effects: Vec<String>,
    pub(crate) steps: Vec<(String, String)>,
    pub(crate) records: usize,
}

impl Uninterrupted {
    pub(crate) fn of(runbook: &str) -> Self {
        let bench = Bench::new(runbook);
        bench.new_run().run().assert_code(0);
        let journal = bench.journal();
        assert_eq!(journal.verdict(), Some("succeeded"));
        let steps = ids_and_states(&bench.sandbox.status()).collect();
        Self { effects: bench.sorted_effects(), steps, records: journal.len() }
    }
}

/// `strace` in front of a call.
pub(crate) fn traced<'b>(options: &[&OsStr], call: Lifeboat<'b>) -> Lifeboat<'b> {
    let mut strace: Vec<_> = vec![server("strace").into_os_string()];
    strace.extend(["-f", "-qq", "--signal=none", "-o", "/dev/null"].map(OsString::from));
    strace.extend(options.iter().map(|option| (*option).to_owned()));
    strace.push("--".into());
    call.through(&strace)
}

pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy_tree(&entry.path(), &target),
            kind if kind.is_file() => drop(fs::copy(entry.path(), target).unwrap()),
            // A socket.
            _ => {}
        }
    }
}

/// The supervisor that claimed an attempt, from its trace, if it is still alive.
fn supervisor_in(attempt: &Path) -> Option<Process> {
    let text = fs::read_to_string(attempt.join("supervision.jsonl")).ok()?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let supervisor =
        lines.into_iter().find_map(|mut line| line.pointer_mut("/claimed/supervisor").map(Value::take))?;
    Process::known(supervisor["pid"].as_i64()?.try_into().ok()?, supervisor["start_time"].as_u64()?)
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

pub(crate) fn ids_and_states(status: &Value) -> impl Iterator<Item = (String, String)> + '_ {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    status["steps"].as_array().unwrap().iter().map(move |step| (text(&step["id"]), text(&step["state"])))
}

/// A step whose effect was found after a crash may be in place where otherwise it would have succeeded.
fn is_same_end(one: &(String, String), other: &(String, String)) -> bool {
    let done = |state: &str| matches!(state, "succeeded" | "in_place");
    one.0 == other.0 && (one.1 == other.1 || done(&one.1) && done(&other.1))
}
