//! Which run, and which step of it, a command line means; said where it had to be guessed.

use lifeboat::{Lifeboat, NotSelected, Selected, Wanted, select_run, select_run_and_step};
use lifeboat_display::state_words;
use lifeboat_model::{NodePath, RunId};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::prompt::confirm;
use crate::spelling::Spelling;

/// The run that is named by the beginning of its id, or the newest one that fits.
pub(crate) fn run(
    context: &Context,
    lifeboat: &Lifeboat,
    named: Option<&str>,
    wanted: Wanted,
) -> Result<RunId, CliError> {
    let selected = select_run(lifeboat.store(), named, wanted);
    let selected = selected.map_err(|error| explained(&context.spelling, error))?;
    say_which(context, &selected);
    Ok(selected.run)
}

/// The same, and the step that one or two words name.
pub(crate) fn run_and_step(
    context: &Context,
    lifeboat: &Lifeboat,
    words: (Option<&str>, Option<&str>),
    wanted: Wanted,
) -> Result<(RunId, Option<NodePath>), CliError> {
    let selected = select_run_and_step(lifeboat.store(), words, wanted);
    let (selected, step) = selected.map_err(|error| explained(&context.spelling, error))?;
    say_which(context, &selected);
    Ok((selected.run, step))
}

/// The run that `resume` is about. Where a newer one may be meant, a person is asked.
pub(crate) fn to_resume(
    context: &Context,
    lifeboat: &Lifeboat,
    named: Option<&str>,
) -> Result<RunId, CliError> {
    let selected = select_run(lifeboat.store(), named, Wanted::Resumable);
    let selected = selected.map_err(|error| explained(&context.spelling, error))?;
    say_which(context, &selected);
    let Selected { run: meant, newer: Some(newer), .. } = selected else { return Ok(selected.run) };
    let state = newer.header.as_ref().map_or("unreadable".into(), |header| state_words::last_known(header).0);
    let newer = format!("it is not the newest run: {} is newer ({state})", newer.run);
    if context.terminal.can_ask() {
        context.terminal.say(&format!("{newer}\n"));
        if confirm(&context.terminal, &format!("Resume {meant}?")) {
            return Ok(meant);
        }
    }
    let command = context.spelling.about("resume", &meant);
    let list = context.spelling.command(&["runs"]);
    Err(CliError::usage(newer).hint(format!("name the run that is meant: `{command}`; `{list}` lists all")))
}

fn say_which(context: &Context, selected: &Selected) {
    if let Some(wanted) = selected.newest {
        context.terminal.say(&format!("the newest {} is meant: {}\n", wanted.what(), selected.run));
    }
}

fn explained(spelling: &Spelling, error: NotSelected) -> CliError {
    let hint = match &error {
        NotSelected::Unknown { .. } => {
            Some(format!("`{}` lists the runs there are", spelling.command(&["runs"])))
        }
        NotSelected::Ambiguous { runs, .. } => {
            let names = runs.iter().take(5).map(RunId::as_str).collect::<Vec<_>>().join(", ");
            Some(format!("write some more of one, such as {names}"))
        }
        NotSelected::NoneFits { newest: None, .. } => {
            Some(format!("`{}` starts one", spelling.command(&["run", "FILE"])))
        }
        NotSelected::NoneFits { newest: Some(newest), .. } => {
            Some(format!("`{}` shows the newest", spelling.about("status", newest)))
        }
        NotSelected::RunComesSecond { first, second } => {
            Some(format!("the run comes first: write `{second} {first}`"))
        }
        NotSelected::NoStep(_) | NotSelected::Store(_) => None,
    };
    let exit = if matches!(error, NotSelected::Store(_)) { Exit::Journal } else { Exit::Usage };
    hint.into_iter().fold(CliError::new(exit, error), CliError::hint)
}
