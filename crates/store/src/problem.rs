//! Short ways to the store's errors.

use std::io;
use std::path::Path;

use lifeboat_engine::store::StoreError;
use lifeboat_model::run_state::IllegalRecord;

/// For `map_err`: the operating system refused to do that to that path.
pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Io { doing, path: path.to_owned(), source }
}

/// For `map_err`: that journal has a record that is not legal where it stands.
pub(crate) fn illegal(path: &Path) -> impl FnOnce(IllegalRecord) -> StoreError {
    move |IllegalRecord { seq, why }| StoreError::Corrupt { path: path.to_owned(), seq, what: why }
}
