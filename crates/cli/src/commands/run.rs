//! `lifeboat run`

use std::path::PathBuf;

use lifeboat_display::sanitize::one_line;
use lifeboat_display::style::BOLD;
use lifeboat_display::units::count;
use lifeboat_engine::NewRun;
use lifeboat_model::record::Mode;
use lifeboat_model::{Plan, RunId};
use serde_json::{Map, Value};
use ulid::Ulid;

use crate::args::OutputArgs;
use crate::context::Context;
use crate::drive::Driver;
use crate::error::CliError;
use crate::exit::Exit;
use crate::inputs::InputArgs;
use crate::person::confirm;
use crate::{filled, folder, host, registry, reporters, runbook, secrets};

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
        let registry = registry::registry();
        let plan = runbook::plan(context, &self.file, &registry)?;
        let inputs = self.inputs.bind(context, &plan)?;
        let secrets = secrets::resolve(&plan)?;
        let (run, mode, actor) = (new_id(), self.mode, context.actor());
        let new =
            NewRun { run, mode, plan, inputs, actor, driver: host::driver(), folder: folder::present() };
        filled::check(context, &self.file, &new, &registry, &secrets)?;
        if !confirmed(&new.plan, &new.inputs)? {
            context.terminal.say("nothing was started\n");
            return Ok(Exit::Cancelled);
        }
        let _apart = context.terminal.talk_apart();
        let shown = reporters::fitting(context, self.output);
        let driver = Driver { context, registry, secrets, shown, output: self.output };
        driver.create(&store, new)
    }
}

fn new_id() -> RunId {
    let id = format!("run_{}", Ulid::generate().to_string().to_ascii_lowercase());
    RunId::new(&id).expect("bug: an id is `run_` and 26 digits and letters")
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
