//! The loop around the core: takes inputs, makes what they decide durable, tells it, carries it out.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lifeboat_model::{RunState, Seq};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;
use crate::clock::Clock;
use crate::core::{Act, Core, Input, Left, Response, expected};
use crate::interrupt::Urgency;
use crate::job::Job;
use crate::person::Person;
use crate::reporter::Reporters;
use crate::store::{Draft, Journal, StoreError};
use crate::traces::open_traces;
use crate::worker::Worker;

/// Inputs that are decided together at most; what waits longer goes into the next batch.
const BATCH: usize = 4096;
/// Records that a dry run holds back at most before it writes them: they decide nothing, since nothing is done, and a
/// sync for each would be most of a rehearsal's time. What a crash loses of them is looked at again.
const HELD: usize = 64;
/// How long it holds them back while nothing else comes: whoever looks on from elsewhere wants to see how far it is.
const HELD_FOR: Duration = Duration::from_millis(250);

/// Drives one run until it ends or lets go.
pub(crate) struct DriverLoop {
    pub(crate) core: Core,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) reporters: Reporters,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) person: Arc<dyn Person>,
    pub(crate) actions: Arc<Actions>,
    pub(crate) grace: Duration,
    pub(crate) inputs: UnboundedReceiver<Input>,
    pub(crate) sender: UnboundedSender<Input>,
    pub(crate) cancel: CancellationToken,
    pub(crate) waiting_progress: Arc<AtomicUsize>,
    pub(crate) steps_folder: PathBuf,
    /// Records of a dry run that are not written yet.
    pub(crate) held: Vec<Draft>,
}

impl DriverLoop {
    /// Runs the loop. `written` says that the first response's drafts are on disk already.
    pub(crate) async fn run(mut self, mut response: Response, written: bool) -> Result<Drive, DriveError> {
        let mut written = written;
        loop {
            if !written && let Err(error) = self.hold_or_write(&mut response) {
                return Err(self.stopped(error));
            }
            written = false;
            self.reporters.tell(&response.events, self.core.state());
            let left = self.carry_out(std::mem::take(&mut response.acts));
            // What was told is shown once the acts are begun: they do not wait for a screen.
            tokio::task::yield_now().await;
            self.reporters.flush();
            if let Some(left) = left {
                return Ok(self.left(left));
            }
            response = Response::default();
            let input = match self.next().await {
                Ok(Some(input)) => input,
                Ok(None) => return Ok(self.left(Left::Abandoned)),
                Err(error) => return Err(self.stopped(error)),
            };
            if let Err(error) = self.take_all(input, &mut response) {
                self.held.append(&mut response.drafts);
                return Err(self.stopped(error));
            }
            self.core.settle(self.clock.now(), &mut response);
        }
    }

    /// Takes an input and those that wait behind it.
    fn take_all(&mut self, first: Input, response: &mut Response) -> Result<(), StoreError> {
        self.take(first, response)?;
        for _ in 1..BATCH {
            let Ok(input) = self.inputs.try_recv() else { break };
            self.take(input, response)?;
        }
        Ok(())
    }

    /// Fails when a step cannot be carried out for want of a place for its files: that is no failure of the step, and
    /// nothing may follow from it.
    fn take(&mut self, input: Input, response: &mut Response) -> Result<(), StoreError> {
        match input {
            Input::FolderFailed { folder: path, error: source } => {
                return Err(StoreError::Io { doing: "write to", path, source });
            }
            Input::Progress { .. } => drop(self.waiting_progress.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
        self.core.handle(self.clock.now(), input, response);
        Ok(())
    }

    /// The next input. What is held back is written when none comes for a while.
    async fn next(&mut self) -> Result<Option<Input>, StoreError> {
        if !self.held.is_empty() {
            tokio::select! {
                input = self.inputs.recv() => return Ok(input),
                () = self.clock.sleep(HELD_FOR) => self.write()?,
            }
        }
        Ok(self.inputs.recv().await)
    }

    /// Makes the batch durable. The caller waits for the disk: nothing may happen before.
    fn hold_or_write(&mut self, response: &mut Response) -> Result<(), StoreError> {
        self.held.append(&mut response.drafts);
        open_traces(&self.actions, self.core.state(), &self.steps_folder, &response.acts)?;
        let rehearses = matches!(*self.actions, Actions::DryRun(_));
        let leaves = response.acts.iter().any(|act| matches!(act, Act::Leave(_)));
        if rehearses && !leaves && self.held.len() < HELD { Ok(()) } else { self.write() }
    }

    /// Writes what is held.
    fn write(&mut self) -> Result<(), StoreError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let from = expected(self.core.state(), self.held.len());
        let epoch = self.core.epoch();
        let drafts = self.held.clone();
        self.journal.append(from, epoch, drafts)?;
        self.held.clear();
        for note in self.journal.take_notes() {
            tracing::warn!("{note}");
        }
        Ok(())
    }

    fn carry_out(&mut self, acts: Vec<Act>) -> Option<Left> {
        let mut left = None;
        for act in acts {
            match act {
                Act::Attempt(job) => drop(tokio::spawn(self.worker(&job).attempt(job))),
                Act::Rehearse(job) => drop(tokio::spawn(self.worker(&job).rehearse(job))),
                Act::LookInto { job, cannot } => drop(tokio::spawn(self.worker(&job).look_into(job, cannot))),
                Act::WakeAt(due) => {
                    let wait = Duration::try_from(due.duration_since(self.clock.now())).unwrap_or_default();
                    let (sleep, sender) = (self.clock.sleep(wait), self.sender.clone());
                    tokio::spawn(async move {
                        sleep.await;
                        drop(sender.send(Input::Woken));
                    });
                }
                Act::Ask { at, question } => {
                    let (answer, sender) = (self.person.ask(question), self.sender.clone());
                    tokio::spawn(
                        async move { drop(sender.send(Input::Answered { at, answer: answer.await })) },
                    );
                }
                Act::CancelAll => self.cancel.cancel(),
                Act::Abandon => return Some(Left::Abandoned),
                Act::Leave(how) => left = Some(how),
            }
        }
        left
    }

    fn worker(&self, job: &Job) -> Worker {
        let state = self.core.state();
        let boot = self.core.inherited(job.at).unwrap_or_else(|| state.driver().boot.clone());
        Worker {
            info: job.info(state, &self.steps_folder, boot),
            actions: Arc::clone(&self.actions),
            clock: Arc::clone(&self.clock),
            masker: Arc::clone(self.core.masker()),
            cancel: self.cancel.child_token(),
            grace: self.grace,
            sender: self.sender.clone(),
            waiting_progress: Arc::clone(&self.waiting_progress),
        }
    }

    /// Nothing is done any more: what was decided is not on disk.
    fn stopped(self, error: StoreError) -> DriveError {
        self.cancel.cancel();
        let state = self.core.state().clone();
        DriveError { error, written: expected(&state, self.held.len()), state: Box::new(state) }
    }

    fn left(self, left: Left) -> Drive {
        let Self { core, journal, reporters, .. } = self;
        // A reporter may wait for whoever reads it, without end: the run is given up before.
        drop(journal);
        Drive { left, urgency: core.urgency(), state: core.state().clone(), warnings: reporters.failures() }
    }
}

/// How a drive went.
#[derive(Debug)]
#[must_use = "how a drive ended decides the exit code"]
pub struct Drive {
    /// How it ended.
    pub left: Left,
    /// How urgently it was asked to stop.
    pub urgency: Urgency,
    /// The run's state at the end.
    pub state: RunState,
    /// What failed on the way without stopping the run, such as a terminal that went away.
    pub warnings: Vec<String>,
}

/// The journal, or the folder of an attempt, could not be written: the run stopped before the next effect.
#[derive(Debug, thiserror::Error)]
#[error("the run stopped before record {written} was written")]
pub struct DriveError {
    /// Why not.
    #[source]
    pub error: StoreError,
    /// The first record that is not known to be on disk.
    pub written: Seq,
    /// The state as decided, which the disk does not know.
    pub state: Box<RunState>,
}

impl std::fmt::Debug for DriverLoop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriverLoop").field("run", self.core.state().run()).finish_non_exhaustive()
    }
}
