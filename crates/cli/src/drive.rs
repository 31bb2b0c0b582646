//! Driving a run from this process: a runtime, signals, a person, reporters; then the summary and the exit code.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_action::Registry;
use lifeboat_display::{next_commands, summary};
use lifeboat_engine::{
    Claim, Drive, EngineError, NewRun, Nobody, Person, Reporters, Setup, StoreError, SystemClock, create,
    resume,
};
use lifeboat_model::event::not_rehearsed;
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
use crate::reporters::Shown;
use crate::secrets::Secrets;
use crate::{crash_point, host, next, signals};

/// How long an action that was told to stop has to answer.
const GRACE: Duration = Duration::from_secs(10);

/// So many tasks are carried on before what they lead to is decided: ends that come together share a sync.
const TASKS_BETWEEN_LOOKS: u32 = 512;

/// What a run is driven with.
pub(crate) struct Driver<'a> {
    pub(crate) context: &'a Context,
    pub(crate) registry: Registry,
    pub(crate) secrets: Secrets,
    pub(crate) shown: Shown,
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
        let explained = |error| match error {
            EngineError::Store(error @ StoreError::Io { .. }) => CliError::new(Exit::Journal, error)
                .hint("nothing was started; once that is mended, start it again"),
            error => CliError::engine(&context.spelling, &run, error),
        };
        self.drive(&known, explained, |setup, runtime| runtime.block_on(create(setup, &store, new)))
    }

    /// Goes on with a claimed run.
    pub(crate) fn resume(self, store: &FileStore, claim: Claim) -> Result<Exit, CliError> {
        let run = claim.state.run().clone();
        let actor = self.context.actor();
        let context = self.context;
        let known = self.known(store, &run, claim.state.plan());
        let explained = |error| CliError::engine(&context.spelling, &run, error);
        self.drive(&known, explained, |setup, runtime| {
            runtime.block_on(resume(setup, claim, actor, host::driver()))
        })
    }

    fn drive(
        self,
        known: &Known,
        explained: impl FnOnce(EngineError) -> CliError,
        work: impl FnOnce(Setup, &Runtime) -> Result<Drive, EngineError>,
    ) -> Result<Exit, CliError> {
        let Self { context, registry, secrets, shown: Shown { reporter, printing }, output } = self;
        let internal = |error| CliError::new(Exit::Internal, error);
        let runtime = runtime().map_err(internal)?;
        let interrupted = CancellationToken::new();
        let (signals, over) =
            signals::listen(Arc::clone(&context.terminal), interrupted.clone()).map_err(internal)?;
        let setup = Setup {
            registry,
            clock: Arc::new(SystemClock),
            reporters: Reporters::new(vec![reporter]),
            person: person(context, interrupted, known),
            signals,
            secrets: secrets.values,
            grace: GRACE,
        };
        let result = work(setup, &runtime).map_err(explained);
        // What is abandoned, or hangs, is not waited for.
        runtime.shutdown_background();
        let exit = result.as_ref().map_or_else(|error| error.exit, |drive| exit_of(output, drive));
        over.send_replace(Some(exit));
        let is_shown = printing.finish().inspect_err(
            |error| tracing::warn!(%error, "the end of what there was to show could not be printed"),
        );
        let drive = result?;
        let is_shown = is_shown.is_ok() && drive.warnings.is_empty();
        Ok(conclude(context, output, &drive, is_shown, &known.printed))
    }

    fn known(&self, store: &FileStore, run: &RunId, plan: &Plan) -> Known {
        let asks = self.context.terminal.can_ask();
        let needed = if asks { needed::of_all(plan) } else { BTreeMap::new() };
        let printed = Printed::new(store.steps_folder(run), &self.secrets);
        Known { needed: Arc::new(needed), printed: Arc::new(printed) }
    }
}

/// Prints the summary and gives the exit code. `is_shown`: everything else there was to show was printed.
fn conclude(context: &Context, output: OutputArgs, drive: &Drive, is_shown: bool, printed: &Printed) -> Exit {
    let state = &drive.state;
    let mut is_shown = is_shown;
    if !output.json {
        let tails = |step: &StepId, attempt| printed.tail(step, attempt);
        let text = summary::text(state, Timestamp::now(), &tails);
        if let Err(error) = context.terminal.print_below_talk(&text) {
            // Where nothing can be printed, that was said before.
            if is_shown {
                tracing::warn!(%error, "the summary could not be printed");
            }
            is_shown = false;
        }
    }
    context.terminal.say(&next_commands::rendered(&next::of(context, state)));
    let exit = exit_of(output, drive);
    if output.strict && !is_shown { exit.unshown() } else { exit }
}

/// The exit code of a drive, should everything be shown.
fn exit_of(output: OutputArgs, drive: &Drive) -> Exit {
    let state = &drive.state;
    Exit::of_left(drive.left, state.mode(), not_rehearsed(state), output.strict)
}

/// One thread: whatever an action hears of is decided, written and acted on without waking another.
fn runtime() -> std::io::Result<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.event_interval(TASKS_BETWEEN_LOOKS).enable_all().build()
}

/// Who can be asked here.
fn person(context: &Context, interrupted: CancellationToken, known: &Known) -> Arc<dyn Person> {
    let terminal = &context.terminal;
    if !terminal.can_ask() {
        return Arc::new(Nobody);
    }
    Arc::new(AtTerminal {
        terminal: Arc::clone(terminal),
        actor: context.actor(),
        interrupted,
        turn: Arc::new(Mutex::new(())),
        needed: Arc::clone(&known.needed),
        printed: Arc::clone(&known.printed),
    })
}
