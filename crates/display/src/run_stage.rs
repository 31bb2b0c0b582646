//! How far a run is, in the words of programs.

use lifeboat_model::Phase;

/// How far a run is, and why it stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunStage {
    pub(crate) word: &'static str,
    pub(crate) reason: Option<&'static str>,
}

impl RunStage {
    /// `held`: a process drives the run now. One that holds a stopped run is about to go on with it.
    pub(crate) fn of(phase: Phase, held: bool) -> Self {
        let (word, reason) = match phase {
            Phase::Finished(_) => ("finished", None),
            Phase::Running | Phase::Stopped(_) if held => ("running", None),
            Phase::Running => ("stopped", Some("driver_gone")),
            Phase::Stopped(reason) => ("stopped", Some(reason.as_str())),
        };
        Self { word, reason }
    }
}
