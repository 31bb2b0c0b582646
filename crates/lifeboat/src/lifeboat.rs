//! The front door to everything: a store, the actions, and who asks.

use std::sync::Arc;

use lifeboat_action::Registry;
use lifeboat_engine::{Listed, Store, StoreError};
use lifeboat_model::{Plan, Problems, Source, check_source};

use crate::identity::Identity;

/// Runs in one store, driven with one set of actions. Cloning it gives another door to the same.
#[derive(Debug, Clone)]
pub struct Lifeboat {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) identity: Identity,
}

impl Lifeboat {
    /// Runs are kept in `store`; steps call the actions of `registry`; `identity` is recorded.
    pub fn new(store: Arc<dyn Store>, registry: Arc<Registry>, identity: Identity) -> Self {
        Self { store, registry, identity }
    }

    /// The store.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The actions.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Who is recorded.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Checks a runbook. Nothing is contacted and nothing is changed.
    ///
    /// # Errors
    /// All its problems.
    pub fn check(&self, source: Source) -> Result<Plan, Problems> {
        check_source(source, &*self.registry)
    }

    /// All runs, newest first.
    ///
    /// # Errors
    /// When they cannot be listed. A run that cannot be read is in the list, with the reason.
    pub fn runs(&self) -> Result<Vec<Listed>, StoreError> {
        self.store.list()
    }
}
