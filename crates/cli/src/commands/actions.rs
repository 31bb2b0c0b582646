//! `lifeboat actions`

use lifeboat_action::{Catalog as _, Registry};
use lifeboat_display::action_list::{description, list};
use lifeboat_model::{ActionSpec, nearest};
use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::supervisor;

/// List the actions there are, or describe one
///
/// With a name, shows the action's parameters and outputs, and what lifeboat can rely on: whether it can look for its
/// own effect, whether it may be repeated, and whether it can find what became of an attempt after a crash.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The action, such as `postgres.promote`, or a family, such as `postgres`
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print JSON: one object for each action, with the schemas of its parameters and outputs
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let registry = supervisor::registry();
    let all = meant(&registry, args.name.as_deref())?;
    let described = args.name.as_deref().and_then(|name| registry.spec(name));
    let text = match (args.json, described) {
        (true, _) => all.iter().map(|spec| format!("{}\n", json!(spec))).collect(),
        (false, Some(spec)) => description(spec),
        (false, None) => list(&all),
    };
    context.print(&text)?;
    Ok(Exit::Done)
}

/// The actions that a name means: one, a family, or all.
fn meant<'r>(registry: &'r Registry, name: Option<&str>) -> Result<Vec<&'r ActionSpec>, CliError> {
    let Some(name) = name else { return Ok(registry.specs().collect()) };
    if let Some(spec) = registry.spec(name) {
        return Ok(vec![spec]);
    }
    let family =
        |spec: &&ActionSpec| spec.name.as_str().split_once('.').is_some_and(|(family, _)| family == name);
    let all: Vec<_> = registry.specs().filter(family).collect();
    if all.is_empty() {
        let error = CliError::usage(format!("there is no action `{name}`"));
        return Err(match nearest(name, registry.names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`lifeboat actions` lists all"),
        });
    }
    Ok(all)
}
