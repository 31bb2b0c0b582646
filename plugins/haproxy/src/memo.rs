//! The server as it was before the attempt touched it, kept in the attempt's folder: after a crash it is what undo
//! goes back to, and it cannot be seen any more.

use std::path::PathBuf;

use lifeboat_action::{ActionContext, Failure};
use tokio::io::AsyncWriteExt;

use crate::params::Seen;

fn path(context: &ActionContext) -> PathBuf {
    context.info().folder.join("before.json")
}

/// The server before this attempt first touched it, if it got that far.
pub(crate) async fn recall(context: &ActionContext) -> Option<Seen> {
    serde_json::from_slice(&tokio::fs::read(path(context)).await.ok()?).ok()
}

/// Keeps `before`, synced, unless an earlier call of the same attempt kept one; gives what is kept.
pub(crate) async fn remember(context: &ActionContext, before: &Seen) -> Result<Seen, Failure> {
    if let Some(first) = recall(context).await {
        return Ok(first);
    }
    let failed = |error: std::io::Error| {
        Failure::transient(format!("cannot note the server's state in {}", path(context).display()))
            .caused_by(&error)
    };
    let text = serde_json::to_vec(before).map_err(|error| failed(error.into()))?;
    context.create_folder().map_err(failed)?;
    let mut file = tokio::fs::File::create(path(context)).await.map_err(failed)?;
    file.write_all(&text).await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    Ok(before.clone())
}
