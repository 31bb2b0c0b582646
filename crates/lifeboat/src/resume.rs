//! Driving a run on without asking anybody: the answers are given beforehand.

use std::io;
use std::path::PathBuf;

use lifeboat_engine::EngineError;
use lifeboat_model::RunId;
use lifeboat_model::record::Decision;

use crate::drift::{Drift, Edited};
use crate::drive::{DriveOptions, Driving};
use crate::lifeboat::Lifeboat;
use crate::secrets::MissingSecrets;
use crate::take_over::NotDecided;
use crate::working_dir::FolderGone;

/// What may have to be decided before a run goes on.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// Go on with the pinned runbook although its file was edited, for this reason; recorded as a deviation.
    pub keep_pinned: Option<String>,
    /// Go on in this folder, instead of the one in which the run was started.
    pub here: Option<PathBuf>,
}

/// Why a run does not go on.
#[derive(Debug, thiserror::Error)]
pub enum NotResumed {
    /// It cannot be taken over or driven.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The folder in which it was started is gone: say in which one it goes on.
    #[error(transparent)]
    FolderGone(#[from] FolderGone),
    /// Its secrets cannot be looked up.
    #[error(transparent)]
    Secrets(#[from] MissingSecrets),
    /// Its runbook was edited since it began: say that the pinned one is meant.
    #[error("the runbook was edited since the run began")]
    Edited(Edited),
    /// The decision to go on could not be written down.
    #[error(transparent)]
    NotDecided(#[from] NotDecided),
    /// The system has no thread for it.
    #[error("the run cannot be driven: no thread can be started")]
    NoThread(#[source] io::Error),
}

impl Lifeboat {
    /// Takes a run over and drives it on.
    ///
    /// # Errors
    /// When it must not go on as `how` says, or cannot.
    pub fn resume(&self, run: &RunId, how: Resume, options: DriveOptions) -> Result<Driving, NotResumed> {
        let mut taken = self.take_over(run)?;
        match how.here {
            Some(folder) => drop(taken.go_on_in(&folder, None)),
            None => taken.check_working_dir()?,
        }
        let secrets = taken.secrets().complete()?;
        if let Drift::Edited(edited) = taken.drift()
            && !taken.state().keeps_pinned(&edited.digest)
        {
            let Some(reason) = how.keep_pinned else { return Err(NotResumed::Edited(edited)) };
            let decision = Decision::KeepPinned { edited: edited.digest.as_str().to_owned() };
            taken.decide(None, decision, reason)?;
        }
        taken.drive(secrets, options).map_err(NotResumed::NoThread)
    }
}
