//! Calls of an action as the engine makes them, and what is to be read in their answers.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lifeboat_action::{
    Action, ActionContext, Attempt, AttemptKey, CallInfo, Effort, Failure, Masker, NodePath, Observation,
    Outcome, ProgressSink, Recovery, RunId,
};
use lifeboat_model::redact::Redaction;
use lifeboat_model::{Mode, Redact};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// One attempt of a step.
#[derive(Debug)]
pub(super) struct Call {
    action: Arc<dyn Action>,
    pub(super) info: CallInfo,
    pub(super) stop: CancellationToken,
    said: Arc<Said>,
    masker: Arc<Masker>,
    _home: TempDir,
}

#[derive(Debug, Default)]
struct Said(Mutex<Vec<String>>);

impl ProgressSink for Said {
    fn progress(&self, _step: &NodePath, message: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }
}

impl Call {
    /// A first attempt in a run of its own.
    pub(super) fn of(action: &Arc<dyn Action>) -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let home = tempfile::tempdir().expect("a temporary folder");
        // Nobody else has it: the processes of a run are recognised by it.
        let (pid, number) = (std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let run = RunId::new(&format!("run_02{pid:014}{number:010}")).expect("26 digits");
        let step = NodePath::new("tried").expect("a name");
        let info = CallInfo {
            key: AttemptKey::of(&run, &step, 1, Effort::Apply),
            run,
            step,
            attempt: Attempt::FIRST,
            mode: Mode::Live,
            started_at: jiff::Timestamp::now(),
            folder: home.path().join("steps/tried/1"),
            boot: std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .ok()
                .map(|id| id.trim_end().to_owned()),
            without: Default::default(),
            time_left: None,
        };
        let action = Arc::clone(action);
        Self {
            action,
            info,
            stop: CancellationToken::new(),
            said: Arc::default(),
            masker: Arc::default(),
            _home: home,
        }
    }

    pub(super) fn in_mode(mut self, mode: Mode) -> Self {
        self.info.mode = mode;
        self
    }

    /// A rehearsal that leaves a parameter out.
    pub(super) fn without(mut self, parameter: &str) -> Self {
        self.info.mode = Mode::DryRun;
        self.info.without.insert(parameter.to_owned(), "its step did not run".to_owned());
        self
    }

    /// A run with that secret.
    pub(super) fn knowing(mut self, secret: &str) -> Self {
        self.masker = Arc::new(Masker::new([secret.to_owned()]));
        self
    }

    /// The attempt's folder, which may not be there.
    pub(super) fn folder(&self) -> &PathBuf {
        &self.info.folder
    }

    pub(super) async fn observe(&self, params: &Value) -> Observation {
        self.action.observe(&self.context(), params).await
    }

    pub(super) async fn apply(&self, params: &Value) -> Result<Outcome, Failure> {
        self.action.open_trace(&self.info).expect("a folder for its trace");
        self.action.apply(&self.context(), params).await
    }

    pub(super) async fn recover(&self, params: &Value) -> Recovery {
        self.action.recover(&self.context(), params).await
    }

    /// Takes back what a person marked as done: nothing is known of it.
    pub(super) async fn undo(&self, params: &Value) -> Option<Result<Outcome, Failure>> {
        self.action.undo(&self.context(), params, &Outcome::default()).await
    }

    /// What is stored or shown of an answer and of what was said on the way to it.
    pub(super) fn shown(&self, answer: impl Into<Answer>) -> String {
        let mut stored = self.masker.masked(answer.into());
        // The texts as they are: `Debug` would escape them.
        let texts = RefCell::new(self.said.0.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let take = |text: &mut String| texts.borrow_mut().push(text.clone());
        stored.redact(&Redaction { text: &take, key: &take });
        texts.into_inner().join("\n")
    }

    fn context(&self) -> ActionContext {
        let said = Arc::clone(&self.said);
        ActionContext::new(self.info.clone(), self.stop.clone(), said, Arc::clone(&self.masker))
    }
}

/// What any call of an action answers.
#[derive(Debug)]
pub(super) enum Answer {
    Saw(Observation),
    Ended(Result<Outcome, Failure>),
    Found(Option<Result<Outcome, Failure>>, String),
}

impl Redact for Answer {
    fn redact(&mut self, change: &Redaction<'_>) {
        match self {
            Self::Saw(observation) => observation.redact(change),
            Self::Ended(Ok(outcome)) | Self::Found(Some(Ok(outcome)), _) => outcome.redact(change),
            Self::Ended(Err(failure)) | Self::Found(Some(Err(failure)), _) => failure.redact(change),
            Self::Found(None, _) => {}
        }
        if let Self::Found(_, words) = self {
            (change.text)(words);
        }
    }
}

impl From<Observation> for Answer {
    fn from(observation: Observation) -> Self {
        Self::Saw(observation)
    }
}

impl From<Result<Outcome, Failure>> for Answer {
    fn from(result: Result<Outcome, Failure>) -> Self {
        Self::Ended(result)
    }
}

impl From<Recovery> for Answer {
    fn from(recovery: Recovery) -> Self {
        match recovery {
            Recovery::Ended { result, evidence } => Self::Found(Some(result), evidence),
            Recovery::NotStarted { evidence: words }
            | Recovery::MayGoOn { why: words }
            | Recovery::Nothing { why: words } => Self::Found(None, words),
        }
    }
}
