//! What a drive may do to the world, decided once by its mode: a dry run holds no way to change anything, and makes no
//! call of which nobody says that it changes nothing.

use std::sync::Arc;

use lifeboat_action::{Action, ActionName, Observe, Observers, Registry};
use lifeboat_model::record::Mode;

use crate::job::Call;

/// The actions of a drive.
#[derive(Debug, Clone)]
pub(crate) enum Actions {
    /// They may be applied.
    Live(Registry),
    /// They may only look.
    DryRun(Observers),
}

impl Actions {
    pub(crate) fn of(registry: Registry, mode: Mode) -> Self {
        match mode {
            Mode::Live | Mode::Drill => Self::Live(registry),
            Mode::DryRun => Self::DryRun(registry.observers()),
        }
    }

    /// The looking half of an action, to be asked about its parameters. To look with it, see [`Self::to_look`].
    pub(crate) fn observer(&self, name: &ActionName) -> Option<Arc<dyn Observe>> {
        match self {
            Self::Live(registry) => registry.action(name).map(|action| action as Arc<dyn Observe>),
            Self::DryRun(observers) => observers.observer(name),
        }
    }

    /// The action to look with; every look of a drive goes through here. `Err`: why it is not called.
    pub(crate) fn to_look(&self, call: &Call) -> Result<Arc<dyn Observe>, String> {
        match self.withheld(call) {
            Some(why) => Err(why),
            None => self
                .observer(&call.action)
                .ok_or_else(|| format!("this lifeboat has no action `{}`", call.action)),
        }
    }

    /// Why a dry run does not make the call, if it does not: nobody says that it changes nothing.
    pub(crate) fn withheld(&self, call: &Call) -> Option<String> {
        if !matches!(self, Self::DryRun(_)) || !call.harmless.is_unvouched() {
            return None;
        }
        let vouched_by = self.observer(&call.action).and_then(|action| action.spec().vouched_by.clone());
        let help = vouched_by.map(|parameter| format!("; write `{parameter}: true` if so"));
        let help = help.unwrap_or_default();
        Some(format!("nobody vouches that this `{}` changes nothing{help}", call.action))
    }

    /// The whole action; none in a dry run.
    pub(crate) fn action(&self, name: &ActionName) -> Option<Arc<dyn Action>> {
        match self {
            Self::Live(registry) => registry.action(name),
            Self::DryRun(_) => None,
        }
    }
}
