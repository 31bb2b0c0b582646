//! Which run, and which step of it, is meant.

use lifeboat_display::state_words;
use lifeboat_engine::{Listed, Store as _};
use lifeboat_model::record::{Mode, Verdict};
use lifeboat_model::{Phase, RunId, StepId};
use lifeboat_store::FileStore;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::person::confirm;

/// What a command is about when no run is named.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fits {
    /// Any run.
    Any,
    /// One that is not finished.
    Unfinished,
    /// One that is not finished, or failed.
    Open,
    /// One that is not finished; only where there is none, one that failed.
    Resumable,
}

impl Fits {
    fn takes(self, listed: &Listed) -> bool {
        let Ok(header) = &listed.header else { return matches!(self, Self::Any) };
        match (self, header.state) {
            (Self::Any, _) | (_, Phase::Running | Phase::Stopped(_)) => true,
            (Self::Unfinished | Self::Resumable, Phase::Finished(_)) => false,
            (Self::Open, Phase::Finished(verdict)) => verdict == Verdict::Failed,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Any => "run",
            Self::Unfinished | Self::Resumable => "unfinished run",
            Self::Open => "unfinished or failed run",
        }
    }
}

/// The run that is named by the beginning of its id, or the newest one that fits.
pub(crate) fn run(
    context: &Context,
    store: &FileStore,
    named: Option<&str>,
    fits: Fits,
) -> Result<RunId, CliError> {
    match named {
        Some(text) => by_prefix(context, store, text),
        None => newest(context, store, fits),
    }
}

fn by_prefix(context: &Context, store: &FileStore, text: &str) -> Result<RunId, CliError> {
    let prefix = with_family(text);
    if let Ok(run) = RunId::new(&prefix) {
        return Ok(run);
    }
    let list = || context.spelling.command(&["runs"]);
    let runs: Vec<_> = ids(store)?.into_iter().filter(|run| run.as_str().starts_with(&prefix)).collect();
    match runs.as_slice() {
        [run] => Ok(run.clone()),
        [] => Err(CliError::usage(format!("there is no run `{text}`"))
            .hint(format!("`{}` lists the runs there are", list()))),
        several => {
            let names = several.iter().take(5).map(RunId::as_str).collect::<Vec<_>>().join(", ");
            Err(CliError::usage(format!("{} runs begin with `{text}`", several.len()))
                .hint(format!("write some more of one, such as {names}")))
        }
    }
}

/// The run that `resume` is about. Where a newer run has failed, that one may be meant, once something is decided about
/// it: too much to guess, so a person is asked.
pub(crate) fn to_resume(
    context: &Context,
    store: &FileStore,
    named: Option<&str>,
) -> Result<RunId, CliError> {
    let meant = run(context, store, named, Fits::Resumable)?;
    let all = list(store)?;
    let newer = all.iter().take_while(|listed| listed.run != meant).find(|newer| may_be_meant(newer));
    let Some(newer) = newer.filter(|_| named.is_none()) else { return Ok(meant) };
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

/// A rehearsal can be done again, and a run that ended well is over: neither is what somebody wants to go on with.
fn may_be_meant(newer: &Listed) -> bool {
    let failed = Phase::Finished(Verdict::Failed);
    newer.header.as_ref().map_or(true, |header| header.mode == Mode::Live && header.state == failed)
}

fn newest(context: &Context, store: &FileStore, fits: Fits) -> Result<RunId, CliError> {
    let all = list(store)?;
    if let Some(listed) = all.iter().find(|listed| fits.takes(listed)) {
        context.terminal.say(&format!("the newest {} is meant: {}\n", fits.what(), listed.run));
        return Ok(listed.run.clone());
    }
    if matches!(fits, Fits::Resumable) && all.iter().any(|listed| Fits::Open.takes(listed)) {
        return newest(context, store, Fits::Open);
    }
    let error = CliError::usage(format!("there is no {}", fits.what()));
    Err(match all.first() {
        None => error.hint(format!("`{}` starts one", context.spelling.command(&["run", "FILE"]))),
        Some(newest) => {
            error.hint(format!("`{}` shows the newest", context.spelling.about("status", &newest.run)))
        }
    })
}

/// The run and the step that one or two words name. A single word that begins as a run's id does, with `run_` or a
/// digit, names a run; any other names a step of the newest run that fits. (A step's id begins with a letter; one that
/// begins with `run_` is taken for a step if no run begins so.)
pub(crate) fn run_and_step(
    context: &Context,
    store: &FileStore,
    words: (Option<&str>, Option<&str>),
    fits: Fits,
) -> Result<(RunId, Option<StepId>), CliError> {
    let step = |text: &str| StepId::new(text).map_err(|error| CliError::usage(error.to_string()));
    match words {
        (Some(first), Some(second)) if !names_run(store, first)? && names_run(store, second)? => {
            Err(CliError::usage(format!("`{first}` is no run, and `{second}` is one"))
                .hint(format!("the run comes first: write `{second} {first}`")))
        }
        (Some(named), Some(text)) => Ok((run(context, store, Some(named), fits)?, Some(step(text)?))),
        (Some(word), None) if names_run(store, word)? => Ok((run(context, store, Some(word), fits)?, None)),
        (Some(word), None) => {
            let step = step(word)?;
            Ok((run(context, store, None, fits)?, Some(step)))
        }
        (None, _) => Ok((run(context, store, None, fits)?, None)),
    }
}

fn names_run(store: &FileStore, word: &str) -> Result<bool, CliError> {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(true);
    }
    Ok(word.starts_with("run_") && ids(store)?.iter().any(|run| run.as_str().starts_with(word)))
}

/// The ids of all runs, newest first.
fn ids(store: &FileStore) -> Result<Vec<RunId>, CliError> {
    Ok(list(store)?.into_iter().map(|listed| listed.run).collect())
}

/// All runs, newest first.
pub(crate) fn list(store: &FileStore) -> Result<Vec<Listed>, CliError> {
    store.list().map_err(|error| CliError::new(Exit::Journal, error))
}

fn with_family(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("run_") { lower } else { format!("run_{lower}") }
}
