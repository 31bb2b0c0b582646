//! The only door between an action and the rest: who calls, how long it may take, and whether it should stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_model::outcome::Without;
use lifeboat_model::record::Mode;
use lifeboat_model::{Attempt, AttemptKey, NodePath, RunId};
use tokio_util::sync::CancellationToken;

use crate::secret::Masker;

/// Facts about one call of an action.
#[derive(Debug, Clone)]
pub struct CallInfo {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: NodePath,
    /// The try.
    pub attempt: Attempt,
    /// The same for every attempt of the step in this run, also after a resume: hand it to services that keep
    /// idempotency keys.
    pub key: AttemptKey,
    /// How the run treats the world.
    pub mode: Mode,
    /// When this attempt started, also if that was before a resume.
    pub started_at: Timestamp,
    /// The attempt's own folder for outputs. It exists once something asked for it with
    /// [`ActionContext::create_folder`].
    pub folder: PathBuf,
    /// The boot id (`/proc/sys/kernel/random/boot_id`) of the machine on which this attempt started, where that is
    /// known. After a resume it is still that of the driver that started the attempt: where it is another one by now,
    /// nothing of the attempt runs here, and what it wrote last may be lost.
    pub boot: Option<String>,
    /// In a dry run, the parameters that are left out because their values are not known, each with why (see
    /// [`lifeboat_model::ActionSpec::rehearsed_without`]). Left out is not absent.
    pub without: Without,
    /// How much longer the call may take, as of its beginning; `None` when there is no limit.
    pub time_left: Option<Duration>,
}

impl CallInfo {
    /// Makes the attempt's folder, private to the user, and gives its path.
    pub fn create_folder(&self) -> std::io::Result<&Path> {
        use std::os::unix::fs::DirBuilderExt;
        let mut folder = std::fs::DirBuilder::new();
        folder.recursive(true).mode(0o700);
        // From the outside in: most often this is a step's first attempt, and nothing of it is there.
        self.folder.parent().map_or(Ok(()), |step| folder.create(step))?;
        folder.create(&self.folder)?;
        Ok(&self.folder)
    }
}

/// Receives what a call says on its way; it must not block.
pub trait ProgressSink: Send + Sync + std::fmt::Debug {
    /// Takes one message about the step. It is shown, never stored.
    fn progress(&self, step: &NodePath, message: String);

    /// Learns that the attempt's folder cannot be written to.
    fn folder_failed(&self, _folder: &Path, _error: std::io::Error) {}
}

/// Progress that goes nowhere.
#[derive(Debug, Clone, Copy)]
pub struct Progress;

impl ProgressSink for Progress {
    fn progress(&self, _step: &NodePath, _message: String) {}
}

/// What an action is given besides its parameters. Deliberately not `Clone`: it ends with its call.
#[derive(Debug)]
pub struct ActionContext {
    info: CallInfo,
    cancel: CancellationToken,
    progress: Arc<dyn ProgressSink>,
    masker: Arc<Masker>,
}

impl ActionContext {
    /// A context for one call.
    pub fn new(
        info: CallInfo,
        cancel: CancellationToken,
        progress: Arc<dyn ProgressSink>,
        masker: Arc<Masker>,
    ) -> Self {
        Self { info, cancel, progress, masker }
    }

    /// The facts about the call.
    pub fn info(&self) -> &CallInfo {
        &self.info
    }

    /// If the parameter was left out because its value is not known: why not.
    pub fn without(&self, parameter: &str) -> Option<&str> {
        self.info.without.get(parameter).map(String::as_str)
    }

    /// Says how it is going: one line.
    pub fn say(&self, message: impl Into<String>) {
        self.progress.progress(&self.info.step, self.masker.mask(&message.into()).into_owned());
    }

    /// Resolves when the call should stop: an operator's signal, or the deadline.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Whether the call should stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Whether a secret's value is known in this run, so that outputs may have to be masked.
    pub fn masker(&self) -> &Masker {
        &self.masker
    }

    /// Says that the attempt's folder cannot be written to: the disk that the run is kept on is full, or out of order.
    /// Whatever the call answers, the run stops before its next effect and nothing is recorded of the call, as if the
    /// journal could not be written; a resume goes on.
    pub fn folder_failed(&self, error: std::io::Error) {
        self.progress.folder_failed(&self.info.folder, error);
    }

    /// Makes the attempt's folder, private to the user, and gives its path. Says itself when that fails.
    pub fn create_folder(&self) -> std::io::Result<&Path> {
        self.info.create_folder().inspect_err(|error| self.folder_failed(again(error)))
    }
}

/// The same error once more.
fn again(error: &std::io::Error) -> std::io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), std::io::Error::from_raw_os_error)
}
