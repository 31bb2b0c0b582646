//! Errors as a person meets them: what happened, why, and what to do now; never a debug print.

use std::error::Error;
use std::fmt::Write as _;

use lifeboat_display::sanitize::clean;
use lifeboat_display::style::{ERROR, HINT};
use lifeboat_engine::{EngineError, StoreError};
use lifeboat_model::RunId;

use crate::exit::Exit;
use crate::spelling::Spelling;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct CliError {
    /// What kind of failure it is: decides the exit code.
    pub(crate) exit: Exit,
    /// What happened, with its causes.
    pub(crate) source: Box<dyn Error + Send + Sync>,
    /// What to do about it.
    pub(crate) hints: Vec<String>,
}

impl CliError {
    pub(crate) fn new(exit: Exit, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit, source: source.into(), hints: Vec::new() }
    }

    /// The command line asks for something that there is not.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message.into())
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A failure of the store about one run.
    pub(crate) fn store(spelling: &Spelling, run: &RunId, error: StoreError) -> Self {
        let (exit, hint) = blame(spelling, run, &error);
        Self::new(exit, error).hint(hint)
    }

    /// A failure of the engine about one run.
    pub(crate) fn engine(spelling: &Spelling, run: &RunId, error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => Self::store(spelling, run, error),
            EngineError::Drive(drive) => {
                let (exit, hint) = blame(spelling, run, &drive.error);
                Self::new(exit, drive).hint(hint)
            }
            error @ EngineError::MissingActions { .. } => Self::new(Exit::Invalid, error)
                .hint("resume with the lifeboat that started the run, or one with the same plug-ins"),
            error @ EngineError::Undriven { .. } => Self::new(Exit::Journal, error)
                .hint("nothing was done; use the lifeboat that drove it, or a newer one"),
            error @ EngineError::Illegal(_) => Self::new(Exit::Internal, error),
        }
    }

    /// The error in full, for stderr.
    pub(crate) fn rendered(&self) -> String {
        let mut text = format!("{ERROR}error:{ERROR:#} {}\n", clean(&self.source.to_string()));
        let mut cause = self.source.source();
        while let Some(error) = cause {
            writeln!(text, "  because: {}", clean(&error.to_string())).expect("writing to a text");
            cause = error.source();
        }
        for hint in &self.hints {
            writeln!(text, "{HINT}hint:{HINT:#} {}", clean(hint)).expect("writing to a text");
        }
        text
    }
}

/// What kind of failure it is, and what to do about it.
fn blame(spelling: &Spelling, run: &RunId, error: &StoreError) -> (Exit, String) {
    let command = |name: &str| spelling.command(&[name, run.as_str()]);
    match error {
        StoreError::Locked { .. } | StoreError::Conflict { .. } => {
            (Exit::Held, format!("`{}` shows how far it is", command("status")))
        }
        StoreError::NotFound { .. } => {
            (Exit::Usage, format!("`{}` lists the runs there are", spelling.command(&["runs"])))
        }
        StoreError::Corrupt { .. } => (
            Exit::Journal,
            "nothing was changed and no other run is affected; keep a copy of the run's folder, and put its journal \
             back from a backup; without one, start the runbook anew"
                .to_owned(),
        ),
        StoreError::TooNew { .. } => {
            (Exit::Journal, "use the lifeboat that wrote it, or a newer one".to_owned())
        }
        StoreError::Io { .. } => {
            (Exit::Journal, format!("once that is mended, `{}` goes on where it stopped", command("resume")))
        }
    }
}
