//! What a drive may do to the world, decided once by its mode: a dry run holds no way to change anything.

use std::sync::Arc;

use lifeboat_action::{Action, ActionName, Observe, Observers, Registry};
use lifeboat_model::record::Mode;

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

    /// The looking half of an action.
    pub(crate) fn observer(&self, name: &ActionName) -> Option<Arc<dyn Observe>> {
        match self {
            Self::Live(registry) => registry.action(name).map(|action| action as Arc<dyn Observe>),
            Self::DryRun(observers) => observers.observer(name),
        }
    }

    /// The whole action; none in a dry run.
    pub(crate) fn action(&self, name: &ActionName) -> Option<Arc<dyn Action>> {
        match self {
            Self::Live(registry) => registry.action(name),
            Self::DryRun(_) => None,
        }
    }
}
