//! A folder, the action, and attempts to run with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use lifeboat_action::{
    Action, ActionContext, ActionName, Attempt, AttemptKey, CallInfo, Effort, Failure, Masker, NodePath,
    Observation, Outcome, ProgressSink, Recovery, Registry, RunId,
};
use lifeboat_command::{SupervisorProgram, register};
use lifeboat_model::Mode;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// The program that stands in for `lifeboat`.
pub(crate) const HELPER: &str = env!("CARGO_BIN_EXE_command-test-helper");

/// A run's folder and a driver's `command.run`.
#[derive(Debug)]
pub(crate) struct Bench {
    home: tempfile::TempDir,
    action: Arc<dyn Action>,
    run: RunId,
}

/// One attempt of a step.
#[derive(Debug)]
pub(crate) struct TestAttempt {
    action: Arc<dyn Action>,
    pub(crate) info: CallInfo,
    pub(crate) cancel: CancellationToken,
    pub(crate) said: Arc<Said>,
    pub(crate) secrets: Vec<String>,
}

/// What an action said of its progress.
#[derive(Debug, Default)]
pub(crate) struct Said(Mutex<Vec<String>>, tokio::sync::Notify);

impl ProgressSink for Said {
    fn progress(&self, _step: &NodePath, message: String) {
        self.0.lock().unwrap().push(message);
        self.1.notify_one();
    }
}

impl Said {
    /// How many messages there were.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The first message, waited for.
    pub(crate) async fn first(&self) -> String {
        loop {
            if let Some(first) = self.0.lock().unwrap().first() {
                return first.clone();
            }
            self.1.notified().await;
        }
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_program(SupervisorProgram { program: HELPER.into(), args: vec!["supervise".to_owned()] })
    }

    pub(crate) fn with_program(program: SupervisorProgram) -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let mut registry = Registry::new();
        register(&mut registry, program);
        let action = registry.action(&ActionName::new("command.run").unwrap()).unwrap();
        // A run id nobody else has: commands are recognised by it.
        let (pid, number) = (std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let run = RunId::new(&format!("run_01{pid:014}{number:010}")).unwrap();
        Self { home: tempfile::tempdir().unwrap(), action, run }
    }

    pub(crate) fn run(&self) -> &RunId {
        &self.run
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn action(&self) -> &dyn Action {
        &*self.action
    }

    /// The first attempt of a step.
    pub(crate) fn attempt(&self, step: &str) -> TestAttempt {
        let step = NodePath::new(step).unwrap();
        let info = CallInfo {
            run: self.run.clone(),
            key: AttemptKey::of(&self.run, &step, 1, Effort::Apply),
            folder: self.home.path().join(format!("steps/{step}/1")),
            step,
            attempt: Attempt::FIRST,
            mode: Mode::Live,
            started_at: jiff::Timestamp::now(),
            boot: Some(boot_id()),
            without: Default::default(),
            time_left: None,
        };
        let (cancel, said) = Default::default();
        TestAttempt { action: Arc::clone(&self.action), info, cancel, said, secrets: Vec::new() }
    }

    /// A named pipe.
    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }
}

impl TestAttempt {
    fn context(&self) -> ActionContext {
        let said = Arc::clone(&self.said);
        let masker = Arc::new(Masker::new(self.secrets.clone()));
        ActionContext::new(self.info.clone(), self.cancel.clone(), said, masker)
    }

    /// Opens the trace, as the engine has it done before it records that the attempt starts.
    pub(crate) fn open(&self) {
        self.action.open_trace(&self.info).unwrap();
    }

    /// Starts the attempt and carries it out.
    pub(crate) async fn apply(&self, params: Value) -> Result<Outcome, Failure> {
        self.open();
        self.apply_opened(params).await
    }

    /// Carries it out, whatever became of its trace.
    pub(crate) async fn apply_opened(&self, params: Value) -> Result<Outcome, Failure> {
        self.action.apply(&self.context(), &params).await
    }

    pub(crate) async fn observe(&self, params: Value) -> Observation {
        self.action.observe(&self.context(), &params).await
    }

    pub(crate) async fn recover(&self, params: Value) -> Recovery {
        self.action.recover(&self.context(), &params).await
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.info.folder
    }

    /// What carries the mark of its step.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let mark = format!("LIFEBOAT_KEY={}", self.info.key);
        let carries = |process: &std::fs::DirEntry| {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        };
        let processes = std::fs::read_dir("/proc").unwrap().flatten().filter(carries);
        processes.filter_map(|process| process.file_name().to_str()?.parse().ok()).collect()
    }

    /// The lines of its trace.
    pub(crate) fn trace(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder().join("supervision.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until the supervisor has named the command's process, which may have done much by then.
    pub(crate) async fn named(&self) {
        while self.trace().len() < 3 {
            tokio::task::yield_now().await;
        }
    }

    /// The process id in its trace.
    pub(crate) fn supervisor(&self) -> i32 {
        self.trace()[1]["claimed"]["supervisor"]["pid"].as_i64().unwrap().try_into().unwrap()
    }
}

pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim_end().to_owned()
}

/// What somebody writes into a named pipe, waited for.
pub(crate) async fn told(fifo: &Path) -> String {
    let fifo = fifo.to_owned();
    tokio::task::spawn_blocking(move || std::fs::read_to_string(fifo).unwrap().trim_end().to_owned())
        .await
        .unwrap()
}

/// Sends SIGKILL.
pub(crate) fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// Whether a process has that id and is not a zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until a process is over.
pub(crate) async fn gone(pid: i32) {
    let wait = move || {
        use rustix::process::{Pid, PidfdFlags, pidfd_open};
        let Ok(handle) = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()) else { return };
        let mut fds = [rustix::event::PollFd::new(&handle, rustix::event::PollFlags::IN)];
        while rustix::event::poll(&mut fds, None).is_err() {}
    };
    tokio::task::spawn_blocking(wait).await.unwrap();
}
