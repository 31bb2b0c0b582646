//! Which run, and which step of it, is meant.

use lifeboat_engine::{Listed, Store, StoreError};
use lifeboat_model::record::{Mode, Verdict};
use lifeboat_model::{InvalidId, NodePath, Phase, RunId};

/// What is asked for when no run is named: the newest that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Any run.
    Any,
    /// One that is not finished.
    Unfinished,
    /// One that is not finished, or failed.
    Open,
    /// One that is not finished; only where there is none, one that failed.
    Resumable,
}

impl Wanted {
    /// In words.
    pub fn what(self) -> &'static str {
        match self {
            Self::Any => "run",
            Self::Unfinished | Self::Resumable => "unfinished run",
            Self::Open => "unfinished or failed run",
        }
    }

    fn fits(self, listed: &Listed) -> bool {
        let Ok(header) = &listed.header else { return matches!(self, Self::Any) };
        match (self, header.state) {
            (Self::Any, _) | (_, Phase::Running | Phase::Stopped(_)) => true,
            (Self::Unfinished | Self::Resumable, Phase::Finished(_)) => false,
            (Self::Open, Phase::Finished(verdict)) => verdict == Verdict::Failed,
        }
    }
}

/// The run that is meant.
#[derive(Debug)]
pub struct Selected {
    /// The run.
    pub run: RunId,
    /// What it is the newest of; none where it was named.
    pub newest: Option<Wanted>,
    /// A newer run that may be meant instead, once something is decided about it: too much to guess.
    pub newer: Option<Listed>,
}

/// Why no run is selected.
#[derive(Debug, thiserror::Error)]
pub enum NotSelected {
    /// No run begins so.
    #[error("there is no run `{named}`")]
    Unknown {
        /// What was given.
        named: String,
    },
    /// More than one does.
    #[error("{} runs begin with `{named}`", .runs.len())]
    Ambiguous {
        /// What was given.
        named: String,
        /// The runs, newest first.
        runs: Vec<RunId>,
    },
    /// No run fits.
    #[error("there is no {}", .wanted.what())]
    NoneFits {
        /// What was asked for.
        wanted: Wanted,
        /// The newest of all runs.
        newest: Option<RunId>,
    },
    /// A step and a run were given, in the wrong order.
    #[error("`{first}` is no run, and `{second}` is one")]
    RunComesSecond {
        /// The step.
        first: String,
        /// The run.
        second: String,
    },
    /// A word is neither a run's id nor a step's.
    #[error(transparent)]
    NoStep(#[from] InvalidId),
    /// The runs cannot be listed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The run that is named by the beginning of its id, or the newest one that fits.
///
/// # Errors
/// When there is none, or more than one that is named so.
pub fn select_run(store: &dyn Store, named: Option<&str>, wanted: Wanted) -> Result<Selected, NotSelected> {
    match named {
        Some(text) => Ok(Selected { run: by_prefix(store, text)?, newest: None, newer: None }),
        None => newest(store.list()?, wanted),
    }
}

/// The run and the step that one or two words name. A single word that begins as a run's id does, with `run_` or a
/// digit, names a run; any other names a step of the newest run that fits. (A step's id begins with a letter; one that
/// begins with `run_` is taken for a step if no run begins so.)
///
/// # Errors
/// As [`select_run`], and when a word names nothing.
pub fn select_run_and_step(
    store: &dyn Store,
    words: (Option<&str>, Option<&str>),
    wanted: Wanted,
) -> Result<(Selected, Option<NodePath>), NotSelected> {
    match words {
        (Some(first), Some(second)) if !names_run(store, first)? && names_run(store, second)? => {
            Err(NotSelected::RunComesSecond { first: first.to_owned(), second: second.to_owned() })
        }
        (Some(named), Some(text)) => {
            Ok((select_run(store, Some(named), wanted)?, Some(NodePath::new(text)?)))
        }
        (Some(word), None) if names_run(store, word)? => Ok((select_run(store, Some(word), wanted)?, None)),
        (Some(word), None) => {
            let step = NodePath::new(word)?;
            Ok((select_run(store, None, wanted)?, Some(step)))
        }
        (None, _) => Ok((select_run(store, None, wanted)?, None)),
    }
}

fn by_prefix(store: &dyn Store, text: &str) -> Result<RunId, NotSelected> {
    let prefix = with_family(text);
    if let Ok(run) = RunId::new(&prefix) {
        return Ok(run);
    }
    let mut runs: Vec<_> = ids(store)?.into_iter().filter(|run| run.as_str().starts_with(&prefix)).collect();
    match (runs.pop(), runs.is_empty()) {
        (Some(run), true) => Ok(run),
        (None, _) => Err(NotSelected::Unknown { named: text.to_owned() }),
        (Some(oldest), false) => {
            runs.push(oldest);
            Err(NotSelected::Ambiguous { named: text.to_owned(), runs })
        }
    }
}

fn newest(mut all: Vec<Listed>, wanted: Wanted) -> Result<Selected, NotSelected> {
    let Some(place) = all.iter().position(|listed| wanted.fits(listed)) else {
        if wanted == Wanted::Resumable && all.iter().any(|listed| Wanted::Open.fits(listed)) {
            return newest(all, Wanted::Open);
        }
        return Err(NotSelected::NoneFits { wanted, newest: all.first().map(|listed| listed.run.clone()) });
    };
    let run = all[place].run.clone();
    let newer = all[..place].iter().position(may_be_meant).map(|place| all.swap_remove(place));
    Ok(Selected { run, newest: Some(wanted), newer })
}

/// A rehearsal can be done again, and a run that ended well is over: neither is what somebody wants to go on with.
fn may_be_meant(newer: &Listed) -> bool {
    let failed = Phase::Finished(Verdict::Failed);
    newer.header.as_ref().map_or(true, |header| header.mode == Mode::Live && header.state == failed)
}

fn names_run(store: &dyn Store, word: &str) -> Result<bool, StoreError> {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(true);
    }
    Ok(word.starts_with("run_") && ids(store)?.iter().any(|run| run.as_str().starts_with(word)))
}

/// The ids of all runs, newest first.
fn ids(store: &dyn Store) -> Result<Vec<RunId>, StoreError> {
    Ok(store.list()?.into_iter().map(|listed| listed.run).collect())
}

fn with_family(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("run_") { lower } else { format!("run_{lower}") }
}
