//! What stands for `crash_point` in a program that is shipped: nothing in its environment kills it.

use lifeboat_store::FileStore;

use crate::error::CliError;

/// The store, as it is.
pub(crate) fn over(store: &FileStore) -> Result<FileStore, CliError> {
    Ok(store.clone())
}
