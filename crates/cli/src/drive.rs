//! Driving a run from this process: a runtime, signals, a person, reporters; then the summary and the exit code.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lifeboat_action::Registry;
use lifeboat_engine::{
    Claim, Drive, EngineError, NewRun, Nobody, Person, Reporter, Reporters, Setup, StoreError, SystemClock,
    create, resume,
};
use lifeboat_model::{Plan, RunId, StepId};
use lifeboat_store::FileStore;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::args::OutputArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::needed::{self, Needed};
use crate::person::AtTerminal;
use crate::printed::Printed;
use crate::secrets::Secrets;
use crate::{crash_point, host, signals, summary};

/// How long an action that was told to stop has to answer.
const GRACE: Duration = Duration::from_secs(10);

/// So many tasks are carried on before what they lead to is decided: ends that come together share a sync.
const TASKS_BETWEEN_LOOKS: u32 = 512;

/// What a run is driven with.
pub(crate) struct Driver<'a> {
    pub(crate) context: &'a Context,
    pub(crate) registry: Registry,
    pub(crate) secrets: Secrets,
    pub(crate) reporter: Box<dyn Reporter>,
    pub(crate) output: OutputArgs,
}

/// What a person is told, or asked, about a step that needs one.
struct Known {
    needed: Arc<BTreeMap<StepId, Needed>>,
    printed: Arc<Printed>,
}

impl Driver<'_> {
    /// Creates a run and drives it.
    pub(crate) fn create(self, store: &FileStore, new: NewRun) -> Result<Exit, CliError> {
        let run = new.run.clone();
        let context = self.context;
        let known = self.known(store, &run, &new.plan);
        let store = crash_point::over(store)?;
        let result = self.drive(&known, |setup, runtime| runtime.block_on(create(setup, &store, new)))?;
        result.map_err(|error| match error {
            EngineError::Store(error @ StoreError::Io { .. }) => CliError::new(Exit::Journal, error)
                .hint("nothing was started; once that is mended, start it again"),
            error => CliError::engine(context, &run, error),
        })
    }

    /// Goes on with a claimed run.
    pub(crate) fn resume(self, store: &FileStore, claim: Claim) -> Result<Exit, CliError> {
        let run = claim.state.run().clone();
        let actor = self.context.actor();
        let context = self.context;
        let known = self.known(store, &run, claim.state.plan());
        let result = self
            .drive(&known, |setup, runtime| runtime.block_on(resume(setup, claim, actor, host::driver())))?;
        result.map_err(|error| CliError::engine(context, &run, error))
    }

    /// Fails where this process cannot drive anything; how the drive failed is for the caller to explain.
    fn drive(
        self,
        known: &Known,
        work: impl FnOnce(Setup, &Runtime) -> Result<Drive, EngineError>,
    ) -> Result<Result<Exit, EngineError>, CliError> {
        let (context, output) = (self.context, self.output);
        let printed = Arc::clone(&known.printed);
        let internal = |error| CliError::new(Exit::Internal, error);
        // One thread: whatever an action hears of is decided, written and acted on without waking another.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .event_interval(TASKS_BETWEEN_LOOKS)
            .enable_all()
            .build()
            .map_err(internal)?;
        let setup = self.setup(known).map_err(internal)?;
        let result = work(setup, &runtime);
        // What is abandoned, or hangs, is not waited for.
        runtime.shutdown_background();
        Ok(result.map(|drive| summary::conclude(context, output, &drive, &printed)))
    }

    fn known(&self, store: &FileStore, run: &RunId, plan: &Plan) -> Known {
        let asks = self.context.terminal.can_ask();
        let needed = if asks { needed::of_all(plan) } else { BTreeMap::new() };
        let printed = Printed::new(store.steps_folder(run), &self.secrets);
        Known { needed: Arc::new(needed), printed: Arc::new(printed) }
    }

    fn setup(self, known: &Known) -> std::io::Result<Setup> {
        let terminal = &self.context.terminal;
        let interrupted = CancellationToken::new();
        let signals = signals::listen(Arc::clone(terminal), interrupted.clone())?;
        let person: Arc<dyn Person> = if terminal.can_ask() {
            Arc::new(AtTerminal {
                terminal: Arc::clone(terminal),
                actor: self.context.actor(),
                interrupted,
                turn: Arc::new(Mutex::new(())),
                needed: Arc::clone(&known.needed),
                printed: Arc::clone(&known.printed),
            })
        } else {
            Arc::new(Nobody)
        };
        Ok(Setup {
            registry: self.registry,
            clock: Arc::new(SystemClock),
            reporters: Reporters::new(vec![self.reporter]),
            person,
            signals,
            secrets: self.secrets.values,
            grace: GRACE,
        })
    }
}
