//! Starting a run, and taking one over.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use lifeboat_action::Registry;
use lifeboat_model::record::{Driver, Mode, RunCreated};
use lifeboat_model::{
    ActionName, Epoch, IllegalRecord, Phase, Plan, Record, RecordBody, RunId, RunState, Seq, Undriven,
};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;
use crate::clock::Clock;
use crate::core::{Core, Input, Response, Resumed};
use crate::driver::{Drive, DriveError, DriverLoop};
use crate::interrupt::Signal;
use crate::person::Person;
use crate::reporter::Reporters;
use crate::store::{Claim, Journal, Store, StoreError};
use crate::traces::open_traces;

/// What a drive needs besides the run itself.
#[derive(Debug)]
pub struct Setup {
    /// The actions there are.
    pub registry: Registry,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub reporters: Reporters,
    /// Who can be asked.
    pub person: Arc<dyn Person>,
    /// Signals, as they come.
    pub signals: mpsc::UnboundedReceiver<Signal>,
    /// The secrets' values by name: texts. They are masked in everything that is stored or told.
    pub secrets: Map<String, Value>,
    /// How long an action that was told to stop has to answer.
    pub grace: Duration,
}

/// A run that does not exist yet.
#[derive(Debug)]
pub struct NewRun {
    /// Its id.
    pub run: RunId,
    /// How it treats the world.
    pub mode: Mode,
    /// What it does.
    pub plan: Plan,
    /// Its inputs, bound and typed.
    pub inputs: Map<String, Value>,
    /// Who starts it.
    pub actor: String,
    /// The process that drives it.
    pub driver: Driver,
    /// The folder in which relative paths of its steps begin.
    pub folder: Option<String>,
}

/// Why a run could not be driven.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It could not be created, claimed or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could be written no further.
    #[error(transparent)]
    Drive(Box<DriveError>),
    /// The plan uses actions that this program does not have.
    #[error("this lifeboat has no action {}", names(.missing))]
    MissingActions {
        /// Which.
        missing: Vec<ActionName>,
    },
    /// The run came to where no driver of this version can go on.
    #[error("{run} {undriven}, and this lifeboat cannot drive such a run")]
    Undriven {
        /// The run.
        run: RunId,
        /// What it came to.
        undriven: Undriven,
    },
    /// The run's own records do not fit together.
    #[error(transparent)]
    Illegal(#[from] IllegalRecord),
}

/// Creates a run and drives it.
///
/// # Errors
/// When the run cannot be created, or its journal cannot be written any further; nothing was done then that is not
/// in the journal as started.
pub async fn create(setup: Setup, store: &dyn Store, new: NewRun) -> Result<Drive, EngineError> {
    check_actions(&setup.registry, &new.plan)?;
    let now = setup.clock.now();
    let NewRun { run, mode, plan, inputs, actor, driver, folder } = new;
    let plugins = plugins(&setup.registry, &plan);
    let created =
        RunCreated { run: run.clone(), mode, plan, inputs, actor, driver: driver.clone(), folder, plugins };
    let first =
        Record { seq: Seq(1), epoch: Epoch(1), at: now, body: RecordBody::RunCreated(Arc::new(created)) };
    let (core, mut response) = Core::create(first, setup.secrets.clone())?;
    let drafts = std::mem::take(&mut response.drafts);
    let actions = Actions::of(setup.registry.clone(), core.state().mode());
    let prepare = |steps: &Path| open_traces(&actions, core.state(), steps, &response.acts);
    let claim = store.create(&run, &driver, drafts, &prepare)?;
    drive(setup, core, claim.journal, response, true).await
}

/// Takes a run over that was claimed, and drives it.
///
/// # Errors
/// As [`create`], and when the run is finished, as it may be since somebody looked, or cannot be driven ([`check_driven`]).
pub async fn resume(setup: Setup, claim: Claim, actor: String, driver: Driver) -> Result<Drive, EngineError> {
    if let Phase::Finished(verdict) = claim.state.phase() {
        let why = format!("the run is finished: {}", verdict.as_str());
        return Err(IllegalRecord { seq: claim.state.seq().next(), why }.into());
    }
    check_driven(&claim.state)?;
    check_actions(&setup.registry, claim.state.plan())?;
    let now = setup.clock.now();
    let Claim { journal, state, epoch, notes } = claim;
    let resumed = Resumed { driver, actor, notes };
    let (core, response) = Core::resume(state, epoch, setup.secrets.clone(), now, resumed);
    drive(setup, core, journal, response, false).await
}

async fn drive(
    setup: Setup,
    mut core: Core,
    journal: Box<dyn Journal>,
    response: Response,
    written: bool,
) -> Result<Drive, EngineError> {
    let Setup { registry, clock, reporters, person, mut signals, secrets: _, grace } = setup;
    let (sender, inputs) = mpsc::unbounded_channel();
    let signalled = sender.clone();
    let listener = tokio::spawn(async move {
        while let Some(signal) = signals.recv().await {
            drop(signalled.send(Input::Signal(signal)));
        }
    });
    if !core.masker().is_empty() {
        core.keep_names(registry.declared_outputs(core.state().plan()));
    }
    let actions = Arc::new(Actions::of(registry, core.state().mode()));
    let steps_folder = journal.steps_folder();
    let driver = DriverLoop {
        core,
        journal,
        reporters,
        clock,
        person,
        actions,
        grace,
        inputs,
        sender,
        cancel: CancellationToken::new(),
        waiting_progress: Arc::new(AtomicUsize::new(0)),
        steps_folder,
        held: Vec::new(),
    };
    let drive = driver.run(response, written).await;
    listener.abort();
    drive.map_err(|error| EngineError::Drive(Box::new(error)))
}

/// Refuses a run that this version can read and cannot drive, because it would act against what the records say.
///
/// # Errors
/// [`EngineError::Undriven`].
pub fn check_driven(state: &RunState) -> Result<(), EngineError> {
    match state.undriven() {
        Some(undriven) => Err(EngineError::Undriven { run: state.run().clone(), undriven }),
        None => Ok(()),
    }
}

fn check_actions(registry: &Registry, plan: &Plan) -> Result<(), EngineError> {
    let used = used_actions(plan);
    let missing: Vec<_> = used.into_iter().filter(|name| registry.action(name).is_none()).cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(EngineError::MissingActions { missing }) }
}

fn plugins(registry: &Registry, plan: &Plan) -> BTreeMap<String, String> {
    let used = used_actions(plan).into_iter().filter_map(|name| registry.plugin(name));
    used.map(|(plugin, version)| (plugin.to_owned(), version.to_owned())).collect()
}

/// The actions a plan calls, each once.
fn used_actions(plan: &Plan) -> Vec<&ActionName> {
    let calls = plan.steps().iter().filter_map(|step| step.action());
    let mut names: Vec<_> =
        calls.flat_map(|step| step.check.iter().chain([&step.call])).map(|call| &call.action).collect();
    names.sort();
    names.dedup();
    names
}

fn names(missing: &[ActionName]) -> String {
    missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
