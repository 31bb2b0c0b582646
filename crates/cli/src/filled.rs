//! What the inputs and secrets of a run make of its steps: checked before anything starts.

use std::collections::BTreeMap;
use std::path::Path;

use lifeboat_action::{MASK, Registry};
use lifeboat_display::diagnostics;
use lifeboat_engine::NewRun;
use lifeboat_model::record::RunCreated;
use lifeboat_model::{INPUT_VALUE, Source, check_filled};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::secrets::Secrets;

/// Shows everything that is wrong with the parameters of a run to be; the inputs are to blame where one is part of it.
pub(crate) fn check(
    context: &Context,
    path: &Path,
    new: &NewRun,
    registry: &Registry,
    secrets: &Secrets,
) -> Result<(), CliError> {
    let Err(problems) = check_filled(created(new), registry, &secrets.values, MASK) else { return Ok(()) };
    let name = path.display().to_string();
    let pinned = new.plan.source();
    let source = Source::new(pinned.name.as_str(), pinned.text.as_str());
    context.terminal.say(&diagnostics::rendered(&name, &source, &problems));
    let number = diagnostics::count(problems.len() + problems.omitted());
    let exit = match problems.iter().any(|problem| problem.code == INPUT_VALUE) {
        true => Exit::Usage,
        false => Exit::Invalid,
    };
    Err(CliError::new(exit, format!("{number} in {name} with what this run is given; nothing was started")))
}

/// The run as it would begin.
fn created(new: &NewRun) -> RunCreated {
    let NewRun { run, mode, plan, inputs, actor, driver, folder } = new;
    RunCreated {
        run: run.clone(),
        mode: *mode,
        plan: plan.clone(),
        inputs: inputs.clone(),
        actor: actor.clone(),
        driver: driver.clone(),
        folder: folder.clone(),
        plugins: BTreeMap::new(),
    }
}
