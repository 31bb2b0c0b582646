//! What stands for `crash_point` in a program that is shipped: nothing in its environment kills it.

use std::sync::Arc;

use lifeboat_engine::Store;
use lifeboat_store::FileStore;

use crate::error::CliError;

/// The store, as it is.
pub(crate) fn over(store: &FileStore) -> Result<Arc<dyn Store>, CliError> {
    Ok(Arc::new(store.clone()))
}
