//! What is known of a run beside its records: its header, so that a list of runs opens no journal, and its holder.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::not_rehearsed;
use crate::ids::{Digest, RunId, StepId};
use crate::record::{Driver, Mode};
use crate::run_state::{Phase, RunState};

/// Who drives a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub driver: Driver,
    /// Since when.
    pub since: Timestamp,
}

/// A run's header: advisory, so that a list opens no journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The run.
    pub run: RunId,
    /// The runbook's id.
    pub runbook: StepId,
    /// The digest of the runbook's text.
    pub digest: Digest,
    /// How it treats the world.
    pub mode: Mode,
    /// When it was created.
    pub created: Timestamp,
    /// When the header was written.
    pub updated: Timestamp,
    /// How far the run was then. A driver was at work where it says so; when nobody holds the run now, it is gone.
    pub state: Phase,
    /// How many steps a dry run could not tell anything about so far. Earlier versions wrote none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_rehearsed: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Header {
    /// The header that follows from a state.
    pub fn of(state: &RunState) -> Self {
        Self {
            run: state.run().clone(),
            runbook: state.plan().runbook().clone(),
            digest: state.plan().source().digest.clone(),
            mode: state.mode(),
            created: state.created_at(),
            updated: state.updated_at(),
            state: state.phase(),
            not_rehearsed: not_rehearsed(state),
        }
    }
}
