//! Driving runs in tests: a runbook's text in, what became of it out.

use std::sync::Arc;
use std::time::Duration;

use lifeboat_action::Registry;
use lifeboat_engine::{
    Claim, Drive, EngineError, NewRun, Nobody, Person, Reporters, Setup, Signal, Store, create, resume,
};
use lifeboat_model::record::Mode;
use lifeboat_model::{Plan, RunId, RunState, Source};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::samples;
use crate::sim_clock::SimClock;

/// The plan of a runbook's text.
///
/// # Panics
/// With its problems, if it has any.
pub fn plan(registry: &Registry, text: &str) -> Plan {
    let source = Source::new("test.yaml", text);
    lifeboat_model::check_source(source, registry).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A drive to be made: what a test may want otherwise than usual.
#[derive(Debug)]
pub struct Driving {
    /// The actions.
    pub registry: Registry,
    /// How the run treats the world.
    pub mode: Mode,
    /// Who can be asked.
    pub person: Arc<dyn Person>,
    /// Who is told.
    pub reporters: Reporters,
    /// Signals to come.
    pub signals: mpsc::UnboundedReceiver<Signal>,
    /// The secrets' values by name.
    pub secrets: Map<String, Value>,
    /// How long an action that was told to stop has to answer.
    pub grace: Duration,
}

impl Driving {
    /// A live drive with these actions, nobody to ask and no signals.
    pub fn with(registry: Registry) -> Self {
        let (_, signals) = mpsc::unbounded_channel();
        Self {
            registry,
            mode: Mode::Live,
            person: Arc::new(Nobody),
            reporters: Reporters::default(),
            signals,
            secrets: Map::new(),
            grace: Duration::from_secs(30),
        }
    }

    fn setup(self) -> Setup {
        Setup {
            registry: self.registry,
            clock: Arc::new(SimClock::start()),
            reporters: self.reporters,
            person: self.person,
            signals: self.signals,
            secrets: self.secrets,
            grace: self.grace,
        }
    }

    /// Creates the run and drives it.
    pub async fn create(self, store: &dyn Store, run: &RunId, plan: Plan) -> Result<Drive, EngineError> {
        let (mode, inputs) = (self.mode, Map::new());
        let new = NewRun {
            run: run.clone(),
            mode,
            plan,
            inputs,
            actor: "ada".to_owned(),
            driver: samples::driver(1),
            folder: None,
        };
        create(self.setup(), store, new).await
    }

    /// Takes the run over and drives it on.
    pub async fn resume(self, store: &dyn Store, run: &RunId) -> Result<Drive, EngineError> {
        let driver = samples::driver(2);
        let claim: Claim = store.claim(run, &driver)?;
        resume(self.setup(), claim, "bob".to_owned(), driver).await
    }
}

/// The steps and their states, one word each.
pub fn statuses(state: &RunState) -> Vec<(String, &'static str)> {
    state.nodes().into_iter().map(|at| (state.path(at).to_string(), state.status(at).as_str())).collect()
}
