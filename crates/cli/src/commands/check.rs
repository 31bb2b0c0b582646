//! `lifeboat check`

use std::path::{Path, PathBuf};

use lifeboat_action::Registry;
use lifeboat_display::diagnostics;
use lifeboat_display::style::GOOD;
use lifeboat_display::units::count;
use lifeboat_model::plan::SecretSource;
use lifeboat_model::{Plan, check_source};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::{source_file, supervisor};

/// Check runbooks without running anything
///
/// Reads each file and shows all its problems at once, each with its place. Nothing is contacted and nothing is
/// changed. Exits with 3 if there is a problem.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The runbooks
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object for each problem; past 200 in a file, one more with the number of those left out
    #[arg(long)]
    json: bool,
}

/// What was found in all files.
#[derive(Debug, Default)]
struct Found {
    problems: usize,
    files: usize,
    unreadable: usize,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let registry = supervisor::registry();
    let mut found = Found::default();
    for file in &args.files {
        check(file, &registry, args.json, context, &mut found)?;
    }
    if found.problems > 0 {
        let files = count(found.files, "file", "files");
        context.terminal.say(&format!("{} in {files}\n", diagnostics::count(found.problems)));
    }
    Ok(match found {
        Found { unreadable: 1.., .. } => Exit::Usage,
        Found { problems: 1.., .. } => Exit::Invalid,
        Found { .. } => Exit::Done,
    })
}

fn check(
    file: &Path,
    registry: &Registry,
    json: bool,
    context: &Context,
    found: &mut Found,
) -> Result<(), CliError> {
    let name = file.display().to_string();
    let source = match source_file::read("runbook", file) {
        Ok(source) => source,
        Err(error) => {
            context.terminal.say(&error.rendered());
            found.unreadable += 1;
            return Ok(());
        }
    };
    match (check_source(source.clone(), registry), json) {
        (Ok(_), true) => Ok(()),
        (Ok(plan), false) => context.print(&format!("{name}: {GOOD}ok{GOOD:#}: {}\n", contents(&plan))),
        (Err(problems), _) => {
            found.files += 1;
            found.problems += problems.len() + problems.omitted();
            if json {
                let lines = diagnostics::as_json(&name, &source, &problems);
                context.print(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
            } else {
                context.print(&diagnostics::rendered(&name, &source, &problems))
            }
        }
    }
}

/// What a good runbook holds, and what must be at hand to run it.
fn contents(plan: &Plan) -> String {
    let mut actions: Vec<_> = plan.steps().iter().filter_map(|step| step.action()).collect();
    let steps = count(actions.len(), "step", "steps");
    actions.sort_by_key(|step| step.call.action.as_str());
    actions.dedup_by_key(|step| step.call.action.as_str().to_owned());
    let inputs = plan.inputs().iter().filter(|input| input.default.is_none());
    let inputs = inputs.map(|input| format!("input {}", input.name));
    let secrets = plan.secrets().iter().map(|secret| match &secret.from {
        SecretSource::Env(name) => format!("variable {name}"),
        SecretSource::File(path) => format!("file {path}"),
    });
    let needs: Vec<_> = inputs.chain(secrets).collect();
    let needs = if needs.is_empty() { String::new() } else { format!("; needs {}", needs.join(", ")) };
    format!("{steps}, {}{needs}", count(actions.len(), "action", "actions"))
}
