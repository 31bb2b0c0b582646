//! Calls of the action as the engine makes them.

use std::sync::Arc;

use lifeboat_action::{
    Action, ActionContext, ActionName, Attempt, AttemptKey, CallInfo, Effort, Failure, Masker, NodePath,
    Observation, Outcome, ProgressSink, Recovery, Registry, RunId,
};
use lifeboat_model::Mode;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One attempt: its context, its folder, what stops it and what it says.
#[derive(Debug)]
pub(crate) struct Call {
    action: Arc<dyn Action>,
    context: ActionContext,
    pub(crate) stop: CancellationToken,
    pub(crate) said: mpsc::UnboundedReceiver<String>,
    _folder: TempDir,
}

#[derive(Debug)]
struct Said(mpsc::UnboundedSender<String>);

impl ProgressSink for Said {
    fn progress(&self, _step: &NodePath, message: String) {
        self.0.send(message).ok();
    }
}

/// The action, as registered.
pub(crate) fn action() -> Arc<dyn Action> {
    let mut registry = Registry::new();
    lifeboat_haproxy::register(&mut registry);
    registry.action(&ActionName::new("haproxy.set_server").unwrap()).unwrap()
}

impl Call {
    /// A fresh attempt.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (run, step) =
            (RunId::new("run_01kaz0000000000000000000ab").unwrap(), NodePath::new("fence").unwrap());
        let info = CallInfo {
            key: AttemptKey::of(&run, &step, 1, Effort::Apply),
            run,
            step,
            attempt: Attempt::FIRST,
            mode: Mode::Live,
            started_at: jiff::Timestamp::now(),
            folder: folder.path().join("1"),
            boot: None,
            without: Default::default(),
            time_left: None,
        };
        let (stop, (sender, said)) = (CancellationToken::new(), mpsc::unbounded_channel());
        let progress = Arc::new(Said(sender));
        let context = ActionContext::new(info, stop.clone(), progress, Arc::new(Masker::default()));
        Self { action: action(), context, stop, said, _folder: folder }
    }

    pub(crate) async fn observe(&self, params: &Value) -> Observation {
        self.action.observe(&self.context, params).await
    }

    pub(crate) async fn apply(&self, params: &Value) -> Result<Outcome, Failure> {
        self.action.apply(&self.context, params).await
    }

    pub(crate) async fn recover(&self, params: &Value) -> Recovery {
        self.action.recover(&self.context, params).await
    }

    pub(crate) async fn undo(&self, params: &Value, outcome: &Outcome) -> Result<Outcome, Failure> {
        self.action.undo(&self.context, params, outcome).await.unwrap()
    }
}

/// The evidence of `InPlace`.
#[track_caller]
pub(crate) fn evidence(observation: Observation) -> String {
    match observation {
        Observation::InPlace { evidence, .. } => evidence,
        other => panic!("expected InPlace, got {other:?}"),
    }
}

/// The change of `Pending`, as `before → after`.
#[track_caller]
pub(crate) fn change(observation: Observation) -> String {
    match observation {
        Observation::Pending { change } => format!("{} → {}", change.before, change.after),
        other => panic!("expected Pending, got {other:?}"),
    }
}

/// The reason of `Blocked`.
#[track_caller]
pub(crate) fn blocked(observation: Observation) -> String {
    match observation {
        Observation::Blocked { why } => why,
        other => panic!("expected Blocked, got {other:?}"),
    }
}
