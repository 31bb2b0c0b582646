//! The traces of attempts, which their actions open before the attempts are recorded as started.

use std::path::Path;

use lifeboat_model::{Effect, RunState};

use crate::actions::Actions;
use crate::core::Act;
use crate::job::Job;
use crate::store::StoreError;

/// Has the traces opened of all attempts that are about to start.
///
/// # Errors
/// When one cannot be: the disk that the run is kept on is full, or out of order. Nothing may be recorded then.
pub(crate) fn open_traces(
    actions: &Actions,
    state: &RunState,
    steps: &Path,
    acts: &[Act],
) -> Result<(), StoreError> {
    let jobs = acts.iter().filter_map(|act| if let Act::Attempt(job) = act { Some(job) } else { None });
    jobs.filter(|job| job.call.recoverable && job.call.effect == Effect::Write)
        .try_for_each(|job| open_trace(actions, state, steps, job))
}

fn open_trace(actions: &Actions, state: &RunState, steps: &Path, job: &Job) -> Result<(), StoreError> {
    let Some(action) = actions.action(&job.call.action) else { return Ok(()) };
    let info = job.info(state, steps, state.driver().boot.clone());
    action.open_trace(&info).map_err(|source| {
        let (doing, path) = ("write to", info.folder.clone());
        StoreError::Io { doing, path, source }
    })
}
