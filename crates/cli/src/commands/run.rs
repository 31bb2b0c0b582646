//! `lifeboat run`

use std::path::{Path, PathBuf};

use lifeboat::{Lifeboat, NotReady, RefusedInput};
use lifeboat_display::diagnostics;
use lifeboat_display::sanitize::one_line;
use lifeboat_display::style::BOLD;
use lifeboat_display::units::count;
use lifeboat_model::record::Mode;
use lifeboat_model::{Plan, Problems, Source};
use serde_json::{Map, Value};

use crate::args::OutputArgs;
use crate::context::Context;
use crate::drive::Driver;
use crate::error::CliError;
use crate::exit::Exit;
use crate::inputs::InputArgs;
use crate::prompt::confirm;
use crate::take_over::missing_secrets;
use crate::{reporters, source_file};

/// Run a runbook for real
///
/// At a terminal, shows what is about to run and asks before it starts. Where there is no terminal, nothing can be
/// asked, so `--yes` must say that it is meant.
///
/// Ctrl-C stops the run: pressed once, what runs is brought to its end; twice, it is cancelled; a third time, lifeboat
/// leaves at once. `lifeboat resume` goes on from there in every case.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The runbook
    file: PathBuf,
    #[command(flatten)]
    inputs: InputArgs,
    /// Start without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let Args { file, inputs, yes, output } = args;
    let start = Start { file, inputs, mode: Mode::Live, output };
    start.run(context, |plan, values| {
        if yes {
            return Ok(true);
        }
        if context.terminal.can_ask() {
            context.terminal.say(&about_to_run(plan, values));
            return Ok(confirm(&context.terminal, "Run it for real?"));
        }
        Err(CliError::usage("a live run needs a person's yes, and there is no terminal to ask at").hint(
            format!(
                "say it with `{}{} --yes`",
                context.spelling.command(&["run", &start.file.to_string_lossy()]),
                start.inputs.typed()
            ),
        ))
    })
}

/// A run to be.
pub(super) struct Start {
    pub(super) file: PathBuf,
    pub(super) inputs: InputArgs,
    pub(super) mode: Mode,
    pub(super) output: OutputArgs,
}

impl Start {
    /// Checks everything that can be checked, asks, and runs.
    pub(super) fn run(
        &self,
        context: &Context,
        confirmed: impl FnOnce(&Plan, &Map<String, Value>) -> Result<bool, CliError>,
    ) -> Result<Exit, CliError> {
        let store = context.store()?;
        let lifeboat = context.lifeboat(&store)?;
        let plan = checked(context, &lifeboat, &self.file)?;
        let inputs = self.inputs.read(context)?;
        let run = lifeboat
            .preflight(plan, inputs, self.mode, context.started_in())
            .map_err(|error| not_ready(context, &self.file, &error))?;
        if !confirmed(run.plan(), run.inputs())? {
            context.terminal.say("nothing was started\n");
            return Ok(Exit::Cancelled);
        }
        let _apart = context.terminal.talk_apart();
        let shown = reporters::fitting(context, self.output);
        let steps = store.steps_folder(run.run());
        Driver { context, lifeboat: &lifeboat, steps, shown, output: self.output }.start(run)
    }
}

/// Reads and checks a runbook that is about to be run.
fn checked(context: &Context, lifeboat: &Lifeboat, file: &Path) -> Result<Plan, CliError> {
    let source = source_file::read("runbook", file)?;
    lifeboat.check(source.clone()).map_err(|problems| {
        let name = file.display().to_string();
        let number = shown(context, file, &source, &problems);
        CliError::new(Exit::Invalid, format!("{number} in {name}; nothing was started"))
            .hint(format!("once it is mended, `{}` checks it", context.spelling.command(&["check", &name])))
    })
}

/// Why a run must not begin; problems of its steps are shown with their places.
fn not_ready(context: &Context, file: &Path, error: &NotReady) -> CliError {
    match error {
        NotReady::Inputs(refused) => {
            let lines: Vec<_> = refused.iter().map(|refused| refused.problem.to_string()).collect();
            let error = CliError::usage(lines.join("\n       "));
            refused.iter().fold(error, |error, refused| error.hint(hint(refused)))
        }
        NotReady::Secrets(missing) => missing_secrets(missing),
        NotReady::Parameters { runbook, problems } => {
            let number = shown(context, file, runbook, problems);
            let exit = if error.is_about_inputs() { Exit::Usage } else { Exit::Invalid };
            let name = file.display();
            let message = format!("{number} in {name} with what this run is given; nothing was started");
            CliError::new(exit, message)
        }
    }
}

/// Shows problems of a runbook, and gives their number.
fn shown(context: &Context, file: &Path, source: &Source, problems: &Problems) -> String {
    context.terminal.say(&diagnostics::rendered(&file.display().to_string(), source, problems));
    diagnostics::count(problems.len() + problems.omitted())
}

/// The hint that tells how to correct a wrong input.
fn hint(refused: &RefusedInput) -> String {
    let RefusedInput { problem, is_declared } = refused;
    let (input, help) = (&problem.input, problem.help.as_deref());
    if *is_declared {
        let help = help.map(|help| format!(" ({help})")).unwrap_or_default();
        format!("give it with `-i {input}=VALUE`{help}")
    } else {
        format!("{input}: {}", help.unwrap_or("leave it out"))
    }
}

fn about_to_run(plan: &Plan, inputs: &Map<String, Value>) -> String {
    let steps = plan.steps().iter().filter(|step| step.action().is_some()).count();
    let mut text = format!(
        "{BOLD}{}{BOLD:#} ({}), live, {}\n",
        one_line(plan.title()),
        plan.runbook(),
        count(steps, "step", "steps")
    );
    for (name, value) in inputs {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&format!("  {name} = {}\n", one_line(&value)));
    }
    text
}
