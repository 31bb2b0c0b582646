//! Driving a run at a terminal: signals, a person, reporters; then the summary and the exit code.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use lifeboat::{
    Control, DriveOptions, Driving, Lifeboat, OutputTails, Prepared, RequiredOutputs, Secrets, TakenOver,
    required_outputs,
};
use lifeboat_display::summary;
use lifeboat_engine::{Drive, EngineError, Nobody, Person, StoreError};
use lifeboat_model::event::not_rehearsed;
use lifeboat_model::{NodePath, Plan, StepId};
use tokio_util::sync::CancellationToken;

use crate::args::OutputArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::prompt::AtTerminal;
use crate::reporters::Shown;
use crate::{next_commands, output_tail, signals};

/// What a run is driven with.
pub(crate) struct Driver<'a> {
    pub(crate) context: &'a Context,
    pub(crate) lifeboat: &'a Lifeboat,
    /// Where the steps of the run leave what they print.
    pub(crate) steps: PathBuf,
    pub(crate) shown: Shown,
    pub(crate) output: OutputArgs,
}

/// What a person is told, or asked, about a step that needs one.
struct Known {
    required: Arc<BTreeMap<StepId, RequiredOutputs>>,
    tails: Arc<OutputTails>,
}

impl Driver<'_> {
    /// Creates a run and drives it.
    pub(crate) fn start(self, run: Prepared) -> Result<Exit, CliError> {
        let id = run.run().clone();
        let spelling = &self.context.spelling;
        let known = self.known(run.plan(), run.secrets());
        let explained = |error| match error {
            EngineError::Store(error @ StoreError::Io { .. }) => CliError::new(Exit::Journal, error)
                .hint("nothing was started; once that is mended, start it again"),
            error => CliError::engine(spelling, &id, error),
        };
        let lifeboat = self.lifeboat;
        self.drive(&known, explained, |options| lifeboat.start(run, options))
    }

    /// Goes on with a run that was taken over.
    pub(crate) fn resume(self, taken: TakenOver, secrets: Secrets) -> Result<Exit, CliError> {
        let run = taken.run().clone();
        let spelling = &self.context.spelling;
        let known = self.known(taken.state().plan(), &secrets);
        let explained = |error| CliError::engine(spelling, &run, error);
        self.drive(&known, explained, |options| taken.drive(secrets, options))
    }

    fn drive(
        self,
        known: &Known,
        explained: impl FnOnce(EngineError) -> CliError,
        begin: impl FnOnce(DriveOptions) -> io::Result<Driving>,
    ) -> Result<Exit, CliError> {
        let Self { context, lifeboat, steps: _, shown: Shown { reporter, printing }, output } = self;
        let internal = |error| CliError::new(Exit::Internal, error);
        let (interrupted, control) = (CancellationToken::new(), Control::default());
        let over = signals::listen(Arc::clone(&context.terminal), interrupted.clone(), control.clone())
            .map_err(internal)?;
        let options = DriveOptions {
            reporters: vec![reporter],
            person: person(context, interrupted, known),
            control,
            ..DriveOptions::default()
        };
        let result = begin(options).map_err(internal)?.wait().map_err(explained);
        let exit = result.as_ref().map_or_else(|error| error.exit, |drive| exit_of(output, drive));
        over.send_replace(Some(exit));
        let is_shown = printing.finish().inspect_err(
            |error| tracing::warn!(%error, "the end of what there was to show could not be printed"),
        );
        let drive = result?;
        let is_shown = is_shown.is_ok() && drive.warnings.is_empty();
        Ok(conclude(context, lifeboat, output, &drive, is_shown, &known.tails))
    }

    fn known(&self, plan: &Plan, secrets: &Secrets) -> Known {
        let asks = self.context.terminal.can_ask();
        let required = if asks { required_outputs(plan, self.lifeboat.registry()) } else { BTreeMap::new() };
        let tails = OutputTails::new(self.steps.clone(), secrets);
        Known { required: Arc::new(required), tails: Arc::new(tails) }
    }
}

/// Prints the summary and gives the exit code. `is_shown`: everything else there was to show was printed.
fn conclude(
    context: &Context,
    lifeboat: &Lifeboat,
    output: OutputArgs,
    drive: &Drive,
    is_shown: bool,
    tails: &OutputTails,
) -> Exit {
    let state = &drive.state;
    let mut is_shown = is_shown;
    if !output.json {
        let tails = |step: &NodePath, attempt| output_tail::of(tails, step, attempt);
        let text = summary::text(state, Timestamp::now(), &tails);
        if let Err(error) = context.terminal.print_below_talk(&text) {
            // Where nothing can be printed, that was said before.
            if is_shown {
                tracing::warn!(%error, "the summary could not be printed");
            }
            is_shown = false;
        }
    }
    context.terminal.say(&next_commands::rendered(&context.spelling, lifeboat, state));
    let exit = exit_of(output, drive);
    if output.strict && !is_shown { exit.unshown() } else { exit }
}

/// The exit code of a drive, should everything be shown.
fn exit_of(output: OutputArgs, drive: &Drive) -> Exit {
    let state = &drive.state;
    Exit::of_left(drive.left, state.mode(), not_rehearsed(state), output.strict)
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
        required: Arc::clone(&known.required),
        tails: Arc::clone(&known.tails),
    })
}
