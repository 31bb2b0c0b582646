//! The synchronous heart: an input and the time in, records to write and acts to carry out afterwards.
//!
//! [`Core::handle`] and [`Core::settle`] fold each record they decide into the state at once, because the end of one
//! step and the start of the next belong into one batch. The state may thus run ahead of the disk, but only inside that
//! batch: nothing is told and nothing is done before the driver has it durable, and when it cannot be written, the
//! state is thrown away with the driver.

mod begin;
mod end;
mod fill;
mod opening;
mod settle;
#[cfg(test)]
mod tests;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use lifeboat_action::{MASK, Masker};
use lifeboat_model::record::{Driver, Mode, StopReason, Verdict};
use lifeboat_model::template::Values;
use lifeboat_model::{
    Attempt, Epoch, Event, EventKind, Failure, NodeIndex, NodePath, Observation, Record, RecordBody,
    RunState, Seq, StepState,
};
use serde_json::{Map, Value};

use crate::doubt::Finding;
use crate::interrupt::{Signal, Urgency};
use crate::job::{AttemptEnd, Job};
use crate::person::{Answer, Question};
use crate::store::Draft;

/// Whatever happens to a run.
#[derive(Debug)]
pub(crate) enum Input {
    /// An attempt came to its end.
    Ended { at: NodeIndex, attempt: Attempt, end: AttemptEnd },
    /// A dry run looked.
    Rehearsed { at: NodeIndex, observation: Observation },
    /// A doubt was looked into.
    Looked { at: NodeIndex, attempt: Attempt, finding: Finding },
    /// A retry may be due.
    Woken,
    /// A person answered, or nobody did.
    Answered { at: NodeIndex, answer: Option<Answer> },
    /// A signal of the operating system.
    Signal(Signal),
    /// The folder of an attempt cannot be written to. For the driver, who stops.
    FolderFailed { folder: PathBuf, error: io::Error },
    /// A step says how it is going.
    Progress { node: NodePath, message: String },
}

/// What follows from an input: first the drafts are written, then the events told, then the acts carried out.
#[derive(Debug, Default)]
#[must_use = "what was decided must be written and carried out"]
pub(crate) struct Response {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) events: Vec<Event>,
    pub(crate) acts: Vec<Act>,
}

/// What the driver does after the records are on disk.
#[derive(Debug)]
pub(crate) enum Act {
    /// Call the action.
    Attempt(Job),
    /// Only look, for a dry run.
    Rehearse(Job),
    /// Look into a doubt. `None`: its parameters cannot be worked out, for this reason.
    LookInto { job: Job, cannot: Option<String> },
    /// Wake up then: a retry is due.
    WakeAt(Timestamp),
    /// Ask the person at the terminal.
    Ask { at: NodeIndex, question: Question },
    /// Cancel what runs.
    CancelAll,
    /// Leave without waiting for anything.
    Abandon,
    /// The drive is over.
    Leave(Left),
}

/// How a drive ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The run is finished.
    Finished(Verdict),
    /// The run can be resumed.
    Stopped(StopReason),
    /// Left at once on a third signal: nothing was recorded, and what ran is in doubt.
    Abandoned,
}

#[derive(Debug)]
pub(crate) struct Core {
    state: RunState,
    epoch: Epoch,
    secrets: Map<String, Value>,
    masker: Arc<Masker>,
    urgency: Urgency,
    /// Steps that are being looked at, for a rehearsal or because of a doubt.
    looking: BTreeSet<NodeIndex>,
    /// Steps about which the person is being asked.
    asking: BTreeSet<NodeIndex>,
    /// Nobody answers: not asked again in this drive.
    nobody: bool,
    /// Attempts of earlier drivers that are in doubt, with the boot id of the machine they ran on.
    inherited: BTreeMap<NodeIndex, Option<String>>,
    /// Attempts that answered "unknown" in this drive.
    unknown: BTreeMap<NodeIndex, Failure>,
    /// Attempts of this drive that were looked at afterwards in vain: there is no need to look at once again.
    unchecked: BTreeMap<NodeIndex, String>,
    /// The wake-up that was asked for last.
    wake_at: Option<Timestamp>,
    left: Option<Left>,
    /// How much there was to decide: passes over what may happen, and steps in them.
    #[cfg(test)]
    work: usize,
}

impl Core {
    /// A core for a run whose first record is decided but not written; the response holds that record too.
    pub(crate) fn create(
        first: Record,
        secrets: Map<String, Value>,
    ) -> Result<(Self, Response), lifeboat_model::IllegalRecord> {
        let state = RunState::new(&first)?;
        let mut core = Self::over(state, first.epoch, secrets);
        let mut response = Response::default();
        response.events.extend(Event::of(&first, &core.state));
        let at = first.at;
        response.drafts.push(Draft { at, body: first.body });
        core.settle(at, &mut response);
        Ok((core, response))
    }

    /// A core for a run that was claimed with this epoch.
    pub(crate) fn resume(
        state: RunState,
        epoch: Epoch,
        secrets: Map<String, Value>,
        now: Timestamp,
        resumed: Resumed,
    ) -> (Self, Response) {
        let broken: Vec<_> = state.indices().filter_map(|at| broken_off(&state, at)).collect();
        let inherited = state.indices().filter_map(|at| inherited(&state, at)).collect();
        let previous = state.driver().clone();
        let mut core = Self { inherited, ..Self::over(state, epoch, secrets) };
        let mut response = Response::default();
        for text in resumed.notes {
            core.record(now, RecordBody::Note { text }, &mut response);
        }
        core.record(
            now,
            RecordBody::RunResumed { driver: resumed.driver, actor: resumed.actor },
            &mut response,
        );
        for (node, attempt, cause) in broken {
            let cause = cause.unwrap_or_else(|| {
                format!("its driver, pid {} on {}, ended while it ran", previous.pid, previous.host)
            });
            core.record(now, RecordBody::StepInDoubt { node, attempt, cause }, &mut response);
        }
        core.settle(now, &mut response);
        (core, response)
    }

    fn over(state: RunState, epoch: Epoch, secrets: Map<String, Value>) -> Self {
        let values = secrets.values().filter_map(Value::as_str).map(str::to_owned);
        let masker = Arc::new(Masker::new(values));
        Self {
            state,
            epoch,
            secrets,
            masker,
            urgency: Urgency::None,
            looking: BTreeSet::new(),
            asking: BTreeSet::new(),
            nobody: false,
            inherited: BTreeMap::new(),
            unknown: BTreeMap::new(),
            unchecked: BTreeMap::new(),
            wake_at: None,
            left: None,
            #[cfg(test)]
            work: 0,
        }
    }

    /// Folds an input in. What may happen next is for [`Core::settle`] to say, once for all inputs that came together.
    pub(crate) fn handle(&mut self, now: Timestamp, input: Input, response: &mut Response) {
        match input {
            Input::Ended { at, attempt, end } => self.ended(now, at, attempt, end, response),
            Input::Rehearsed { at, observation } => self.rehearsed(now, at, observation, response),
            Input::Looked { at, attempt, finding } => self.looked(now, at, attempt, finding, response),
            Input::Woken => self.wake_at = None,
            Input::Answered { at, answer } => self.answered(now, at, answer, response),
            Input::Signal(signal) => self.signalled(signal, response),
            Input::FolderFailed { .. } => {}
            Input::Progress { node, message } => {
                let (seq, run) = (self.state.seq(), self.state.run().clone());
                let attempt = self.state.find(&node).map(|at| Attempt(self.state.attempts(at)));
                let kind = EventKind::StepProgress { message };
                let event = Event { seq, at: now, run, step: Some(node), attempt, kind };
                response.events.push(event);
            }
        }
    }

    /// The state after everything decided so far.
    pub(crate) fn state(&self) -> &RunState {
        &self.state
    }

    /// What hides the run's secrets.
    pub(crate) fn masker(&self) -> &Arc<Masker> {
        &self.masker
    }

    /// Lets names that actions declare stay in what is stored, whatever the secrets are.
    pub(crate) fn keep_names(&mut self, declared: BTreeSet<String>) {
        self.masker = Arc::new(Masker::clone(&self.masker).keeping(declared));
    }

    /// The epoch to append with.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// If the step's newest attempt was begun by an earlier driver: the boot id of its machine, where it is known.
    pub(crate) fn inherited(&self, at: NodeIndex) -> Option<Option<String>> {
        self.inherited.get(&at).cloned()
    }

    /// How urgently the run is asked to stop.
    pub(crate) fn urgency(&self) -> Urgency {
        self.urgency
    }

    fn record(&mut self, at: Timestamp, body: RecordBody, response: &mut Response) {
        let record = Record { seq: self.state.seq().next(), epoch: self.epoch, at, body };
        if let Err(illegal) = self.state.apply(&record) {
            panic!("bug: the engine decided an illegal record: {illegal}: {:?}", record.body);
        }
        response.events.extend(Event::of(&record, &self.state));
        response.drafts.push(Draft { at, body: record.body });
    }

    fn signalled(&mut self, signal: Signal, response: &mut Response) {
        self.urgency = self.urgency.after(signal);
        match self.urgency {
            Urgency::None | Urgency::Drain => {}
            Urgency::Cancel => response.acts.push(Act::CancelAll),
            Urgency::Abandon => response.acts.push(Act::Abandon),
        }
    }

    /// The values that the texts of a node may use.
    fn values(&self, at: NodeIndex) -> Values<'_> {
        Values { state: &self.state, node: Some(at), secrets: &self.secrets, mask: MASK }
    }

    fn path(&self, at: NodeIndex) -> NodePath {
        self.state.path(at)
    }

    fn is_dry_run(&self) -> bool {
        self.state.mode() == Mode::DryRun
    }
}

/// Who takes a run over.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) driver: Driver,
    pub(crate) actor: String,
    /// What was noticed on opening, for the journal.
    pub(crate) notes: Vec<String>,
}

/// The steps a new driver has to look at: those that ran when the last driver ended, and those in doubt already, since
/// looking again may tell by now.
fn broken_off(state: &RunState, at: NodeIndex) -> Option<(NodePath, Attempt, Option<String>)> {
    match state.step(at) {
        StepState::Running { attempt, .. } => Some((state.path(at), attempt, None)),
        StepState::InDoubt { attempt, cause, .. } => Some((state.path(at), attempt, Some(cause.to_owned()))),
        _ => None,
    }
}

/// An attempt that an earlier driver left open, with the boot id of the machine it began on, where it is known.
fn inherited(state: &RunState, at: NodeIndex) -> Option<(NodeIndex, Option<String>)> {
    match state.step(at) {
        StepState::Running { .. } | StepState::InDoubt { .. } => {
            Some((at, state.attempt_boot(at).map(str::to_owned)))
        }
        _ => None,
    }
}

/// The number of the record that comes after all that were decided.
pub(crate) fn expected(state: &RunState, undecided: usize) -> Seq {
    Seq(state.seq().0 + 1 - undecided as u64)
}
