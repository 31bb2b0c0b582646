//! Calls of the actions as the engine makes them.

use std::sync::Arc;

use lifeboat_action::{
    Action, ActionContext, ActionName, Attempt, AttemptKey, CallInfo, Effort, Failure, Masker, NodePath,
    Observation, Outcome, Progress, Registry, RunId,
};
use lifeboat_model::Mode;
use lifeboat_model::outcome::Outputs;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A secret of the run that every test here has.
pub(crate) const SECRET: &str = "hunter2&co";

/// An action and the context of one attempt.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) action: Arc<dyn Action>,
    context: ActionContext,
    pub(crate) stop: CancellationToken,
}

impl Call {
    /// An attempt of `http.check`.
    pub(crate) fn check() -> Self {
        Self::of("http.check")
    }

    /// An attempt of `http.request`.
    pub(crate) fn request() -> Self {
        Self::of("http.request")
    }

    fn of(name: &str) -> Self {
        let mut registry = Registry::new();
        lifeboat_http::register(&mut registry);
        let action = registry.action(&ActionName::new(name).unwrap()).unwrap();
        let (run, step) =
            (RunId::new("run_01kaz0000000000000000000ab").unwrap(), NodePath::new("tell").unwrap());
        let info = CallInfo {
            key: AttemptKey::of(&run, &step, 1, Effort::Apply),
            run,
            step,
            attempt: Attempt::FIRST,
            mode: Mode::Live,
            started_at: jiff::Timestamp::now(),
            folder: "/nonexistent".into(),
            boot: None,
            without: Default::default(),
            time_left: None,
        };
        let stop = CancellationToken::new();
        let masker = Arc::new(Masker::new([SECRET.to_owned()]));
        let context = ActionContext::new(info, stop.clone(), Arc::new(Progress), masker);
        Self { action, context, stop }
    }

    pub(crate) async fn observe(&self, params: &Value) -> Observation {
        self.action.observe(&self.context, params).await
    }

    pub(crate) async fn apply(&self, params: &Value) -> Result<Outcome, Failure> {
        self.action.apply(&self.context, params).await
    }

    /// The outputs of an observation that is expected to be `InPlace`.
    pub(crate) async fn outputs(&self, params: &Value) -> Outputs {
        match self.observe(params).await {
            Observation::InPlace { outputs, .. } => outputs,
            other => panic!("expected InPlace, got {other:?}"),
        }
    }

    /// The reason of an observation that is expected to be `Blocked`, or `Unknown` where there was no answer.
    pub(crate) async fn blocked(&self, params: &Value) -> String {
        match self.observe(params).await {
            Observation::Blocked { why } | Observation::Unknown { why } => why,
            other => panic!("expected Blocked, got {other:?}"),
        }
    }
}
