//! Looking at a run, whoever drives it.

use std::path::Path;

use lifeboat_engine::StoreError;
use lifeboat_model::{Holder, RunId, RunState};

use crate::lifeboat::Lifeboat;
use crate::secrets::Secrets;
use crate::working_dir::started_in;

/// A run as it is now.
#[derive(Debug)]
pub struct RunView {
    /// What follows from its records. Where its driver is gone, what was running is in doubt.
    pub state: RunState,
    /// The process that drives it.
    pub holder: Option<Holder>,
    /// What an operator should know, such as a torn last record.
    pub notes: Vec<String>,
}

impl RunView {
    /// The run's secrets, to hide them in what its steps printed.
    pub fn secrets(&self) -> Secrets {
        Secrets::look_up(self.state.plan(), started_in(&self.state).unwrap_or(Path::new("")))
    }
}

impl Lifeboat {
    /// A run as it is now, whoever drives it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn view(&self, run: &RunId) -> Result<RunView, StoreError> {
        let loaded = self.store.load(run)?;
        let mut state = loaded.state;
        if loaded.holder.is_none() {
            state.driver_is_gone();
        }
        Ok(RunView { state, holder: loaded.holder, notes: loaded.notes })
    }
}
