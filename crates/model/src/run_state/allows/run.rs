//! When a run may be let go of, and when it may end.

use super::{Allowed, refused};
use crate::record::Verdict;
use crate::run_state::{Outlook, RunState};

impl RunState {
    pub(super) fn may_stop(&self) -> Allowed {
        self.is_driven()?;
        match self.is_busy() {
            true => Err(refused("steps are still running")),
            false => Ok(()),
        }
    }

    pub(super) fn may_finish(&self, verdict: Verdict) -> Allowed {
        self.is_driven()?;
        match self.outlook() {
            Outlook::Ends(expected) if expected == verdict => Ok(()),
            Outlook::Ends(expected) => {
                Err(refused(format!("the run ends {}, not {}", expected.as_str(), verdict.as_str())))
            }
            Outlook::GoesOn => Err(refused("something is still going on")),
            Outlook::NeedsPerson => Err(refused("a person has to decide first")),
            Outlook::Undoes => Err(refused("something is still to be undone")),
        }
    }
}
