//! A run that is driven from this process, in a thread of its own.

use std::io;
use std::panic;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lifeboat_engine::{
    Clock, Drive, EngineError, Nobody, Person, Reporter, Reporters, Setup, SystemClock, create, resume,
};
use lifeboat_model::RunId;
use tokio::runtime::Runtime;

use crate::control::Control;
use crate::lifeboat::Lifeboat;
use crate::preflight::Prepared;
use crate::secrets::Secrets;
use crate::take_over::TakenOver;

/// How long an action that was told to stop has to answer, where nobody says otherwise.
const GRACE: Duration = Duration::from_secs(10);

/// So many tasks are carried on before what they lead to is decided: ends that come together share a sync.
const TASKS_BETWEEN_LOOKS: u32 = 512;

/// As much as a program's first thread has: plans and their values are nested.
const STACK: usize = 8 * 1024 * 1024;

/// What a run is driven with, besides itself.
pub struct DriveOptions {
    /// Who is told.
    pub reporters: Vec<Box<dyn Reporter>>,
    /// Who can be asked.
    pub person: Arc<dyn Person>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long an action that was told to stop has to answer.
    pub grace: Duration,
    /// What speaks to the run; what was said before it began is heard, too. One for each drive.
    pub control: Control,
}

impl Default for DriveOptions {
    fn default() -> Self {
        Self {
            reporters: Vec::new(),
            person: Arc::new(Nobody),
            clock: Arc::new(SystemClock),
            grace: GRACE,
            control: Control::default(),
        }
    }
}

/// A run that is being driven.
#[derive(Debug)]
#[must_use = "how a drive ends has to be known"]
pub struct Driving {
    run: RunId,
    control: Control,
    thread: JoinHandle<Result<Drive, EngineError>>,
}

impl Lifeboat {
    /// Starts a run and drives it.
    ///
    /// # Errors
    /// When the system has no thread for it. How the drive goes, also when the run cannot be created, is the answer of
    /// [`Driving::wait`].
    pub fn start(&self, run: Prepared, options: DriveOptions) -> io::Result<Driving> {
        let Prepared { new, secrets } = run;
        let store = Arc::clone(&self.store);
        Driving::begin(self, new.run.clone(), secrets, options, move |runtime, setup| {
            runtime.block_on(create(setup, &*store, new))
        })
    }
}

impl TakenOver {
    /// Drives the run on.
    ///
    /// # Errors
    /// As [`Lifeboat::start`].
    pub fn drive(self, secrets: Secrets, options: DriveOptions) -> io::Result<Driving> {
        let Self { lifeboat, claim, working_dir: _ } = self;
        let identity = lifeboat.identity.clone();
        Driving::begin(&lifeboat, claim.state.run().clone(), secrets, options, move |runtime, setup| {
            runtime.block_on(resume(setup, claim, identity.actor, identity.driver))
        })
    }
}

impl Driving {
    /// The run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Speaks to the run from anywhere.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Waits for the end of the drive.
    ///
    /// # Errors
    /// As the engine drives: when the run could not be created, or written any further.
    ///
    /// # Panics
    /// When the thread that drives has panicked.
    pub fn wait(self) -> Result<Drive, EngineError> {
        self.thread.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
    }

    fn begin(
        lifeboat: &Lifeboat,
        run: RunId,
        secrets: Secrets,
        options: DriveOptions,
        drive: impl FnOnce(&Runtime, Setup) -> Result<Drive, EngineError> + Send + 'static,
    ) -> io::Result<Self> {
        let control = options.control.clone();
        let setup = setup(lifeboat, secrets, options);
        let runtime = runtime()?;
        let work = move || {
            let result = drive(&runtime, setup);
            // An action that is abandoned, or hangs, is not waited for.
            runtime.shutdown_background();
            result
        };
        let thread = thread::Builder::new().name("driver".to_owned()).stack_size(STACK).spawn(work)?;
        Ok(Self { run, control, thread })
    }
}

fn setup(lifeboat: &Lifeboat, secrets: Secrets, options: DriveOptions) -> Setup {
    let DriveOptions { reporters, person, clock, grace, control } = options;
    Setup {
        registry: (*lifeboat.registry).clone(),
        clock,
        reporters: Reporters::new(reporters),
        person,
        signals: control.listen(),
        secrets: secrets.values,
        grace,
    }
}

/// One thread: whatever an action hears of is decided, written and acted on without waking another.
fn runtime() -> io::Result<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.event_interval(TASKS_BETWEEN_LOOKS).enable_all().build()
}
