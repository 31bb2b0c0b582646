//! Calling actions without an engine, and what they are usually called with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_action::{
    Action, ActionContext, ActionName, Attempt, AttemptKey, CallInfo, Effort, Failure, Masker, NodePath,
    Observation, Outcome, Progress, Registry, RunId,
};
use lifeboat_model::record::Mode;
use lifeboat_tests::scene::{Node, PostgresScene};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// How long a condition of the servers may take to come about; far more than it takes.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The actions, ready to be called.
pub(crate) struct Bench {
    registry: Registry,
    runtime: Runtime,
    cancel: CancellationToken,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::new();
        lifeboat_postgres::register(&mut registry);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { registry, runtime, cancel: CancellationToken::new() }
    }

    /// Cancels the calls that run, and all later ones.
    pub(crate) fn cancellation(&self) -> CancellationToken {
        self.cancel.clone()
    }

    pub(crate) fn observe(&self, action: &str, params: &Value) -> Observation {
        self.runtime.block_on(self.action(action).observe(&self.context(), params))
    }

    /// Looks as a dry run does that does not know a parameter yet.
    pub(crate) fn rehearse(&self, action: &str, params: &Value, without: &str) -> Observation {
        let mut info = self.info();
        info.mode = Mode::DryRun;
        info.without.insert(without.to_owned(), "its step did not run".to_owned());
        self.runtime.block_on(self.action(action).observe(&self.context_of(info), params))
    }

    pub(crate) fn apply(&self, action: &str, params: &Value) -> Result<Outcome, Failure> {
        self.runtime.block_on(self.action(action).apply(&self.context(), params))
    }

    pub(crate) fn undo(&self, action: &str, params: &Value, outcome: &Outcome) -> Result<Outcome, Failure> {
        let undone = self.runtime.block_on(self.action(action).undo(&self.context(), params, outcome));
        undone.expect("the action has an undo")
    }

    fn action(&self, name: &str) -> Arc<dyn Action> {
        self.registry.action(&ActionName::new(name).unwrap()).unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn context(&self) -> ActionContext {
        self.context_of(self.info())
    }

    fn context_of(&self, info: CallInfo) -> ActionContext {
        ActionContext::new(info, self.cancel.clone(), Arc::new(Progress), Arc::new(Masker::default()))
    }

    fn info(&self) -> CallInfo {
        let (run, step) =
            (RunId::new("run_00000000000000000000000000").unwrap(), NodePath::new("step").unwrap());
        CallInfo {
            key: AttemptKey::of(&run, &step, 1, Effort::Apply),
            run,
            step,
            attempt: Attempt(1),
            mode: Mode::Live,
            started_at: Timestamp::now(),
            boot: None,
            without: Default::default(),
            folder: PathBuf::from("/nonexistent"),
            time_left: None,
        }
    }
}

/// Parameters that name a node, and more.
pub(crate) fn on(scene: &PostgresScene, node: Node, more: Value) -> Value {
    let mut params = json!({"host": "127.0.0.1", "port": scene.port(node), "connect_timeout": "1s"});
    merge(&mut params, more);
    params
}

/// Parameters that fence `a` for `b`, and more.
pub(crate) fn fence_a(scene: &PostgresScene, more: Value) -> Value {
    let candidate = json!({"host": "127.0.0.1", "port": scene.port(Node::B)});
    let mut params = on(scene, Node::A, json!({"candidate": candidate, "every": "50ms"}));
    merge(&mut params, more);
    params
}

/// Parameters that promote `b` with the evidence of a fencing, and more.
pub(crate) fn promote_b(scene: &PostgresScene, fenced: &Outcome, more: Value) -> Value {
    let mut params = on(scene, Node::B, json!({"fence": fenced.outputs["evidence"]}));
    merge(&mut params, more);
    params
}

/// Adds parameters, in place of those of the same name.
pub(crate) fn merge(params: &mut Value, more: Value) {
    let Value::Object(more) = more else { panic!("parameters are an object, not {more}") };
    params.as_object_mut().unwrap().extend(more);
}

/// What is seen to be in place: the evidence and the outputs.
#[track_caller]
pub(crate) fn in_place(observation: Observation) -> (String, Value) {
    match observation {
        Observation::InPlace { evidence, outputs, .. } => (evidence, Value::Object(outputs)),
        other => panic!("it is not in place: {other:?}"),
    }
}

/// Why it is blocked.
#[track_caller]
pub(crate) fn blocked(observation: Observation) -> String {
    match observation {
        Observation::Blocked { why } => why,
        other => panic!("it is not blocked: {other:?}"),
    }
}

/// Why nothing could be seen.
#[track_caller]
pub(crate) fn unknown(observation: Observation) -> String {
    match observation {
        Observation::Unknown { why } => why,
        other => panic!("something was seen: {other:?}"),
    }
}

/// The change that is pending: before and after.
#[track_caller]
pub(crate) fn pending(observation: Observation) -> (String, String) {
    match observation {
        Observation::Pending { change } => (change.before, change.after),
        other => panic!("nothing is pending: {other:?}"),
    }
}

/// A scene whose standby has replayed a row, so that its lag is known.
pub(crate) fn following() -> PostgresScene {
    let scene = PostgresScene::start();
    scene.wait_until("b has a row", SOON, || !scene.rows(Node::B).is_empty());
    scene
}

/// Waits until the writer's newest row on `primary` has been kept from `b` for this long.
pub(crate) fn fall_behind(scene: &PostgresScene, seconds: f64) {
    scene.stop_sender(Node::A);
    let age = "select extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8";
    scene.wait_until("the standby is behind", SOON, || {
        scene.try_sql(Node::B, age).is_ok_and(|age| age.parse().is_ok_and(|age: f64| age > seconds))
    });
}
