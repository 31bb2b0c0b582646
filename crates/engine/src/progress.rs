//! What steps say of themselves on the way to the loop.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lifeboat_action::ProgressSink;
use lifeboat_model::NodePath;
use tokio::sync::mpsc::UnboundedSender;

use crate::core::Input;

/// Progress that waits to be told at most; what comes on top is dropped, since it is only shown.
const PROGRESS: usize = 1024;

/// Sends a step's progress to the loop, as far as it keeps up.
#[derive(Debug)]
pub(crate) struct ProgressSender {
    pub(crate) sender: UnboundedSender<Input>,
    pub(crate) waiting: Arc<AtomicUsize>,
}

impl ProgressSink for ProgressSender {
    fn progress(&self, step: &NodePath, message: String) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= PROGRESS {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        drop(self.sender.send(Input::Progress { node: step.clone(), message }));
    }

    fn folder_failed(&self, folder: &Path, error: io::Error) {
        drop(self.sender.send(Input::FolderFailed { folder: folder.to_owned(), error }));
    }
}
