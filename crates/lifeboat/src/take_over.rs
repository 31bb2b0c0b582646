//! Taking a run over, and writing an operator's word down in it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lifeboat_engine::{Claim, Draft, EngineError, StoreError, check_driven};
use lifeboat_model::record::{Decision, Verdict};
use lifeboat_model::{Event, NodePath, Phase, Record, RecordBody, RunId, RunState};

use crate::drift::{Drift, drift};
use crate::lifeboat::Lifeboat;
use crate::secrets::Secrets;
use crate::working_dir::{FolderGone, check_enterable, started_in};

/// A run that this process holds and does not drive yet. Dropped, it is let go.
#[derive(Debug)]
#[must_use = "dropped, the run is let go"]
pub struct TakenOver {
    pub(crate) lifeboat: Lifeboat,
    pub(crate) claim: Claim,
    pub(crate) working_dir: PathBuf,
}

/// Why an operator's word was not written down.
#[derive(Debug, thiserror::Error)]
pub enum NotDecided {
    /// The run does not wait for it.
    #[error("{0}")]
    NotAwaited(String),
    /// It could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an operator's word was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The run could not be taken over.
    #[error(transparent)]
    TakeOver(#[from] EngineError),
    /// The word was not written down.
    #[error(transparent)]
    NotDecided(#[from] NotDecided),
}

/// Whether a run may be driven or decided about: one that failed can be reopened.
pub fn may_go_on(phase: Phase) -> bool {
    match phase {
        Phase::Running | Phase::Stopped(_) | Phase::Finished(Verdict::Failed) => true,
        Phase::Finished(_) => false,
    }
}

impl Lifeboat {
    /// Takes a run over, to decide about it or to drive it on. A run that is not over and that this lifeboat cannot drive
    /// is let alone.
    ///
    /// # Errors
    /// When another process holds it, when it cannot be read, or when this version cannot drive it.
    pub fn take_over(&self, run: &RunId) -> Result<TakenOver, EngineError> {
        let claim = self.store.claim(run, &self.identity.driver)?;
        if may_go_on(claim.state.phase()) {
            check_driven(&claim.state)?;
        }
        let working_dir = started_in(&claim.state).map(Path::to_owned).unwrap_or_default();
        Ok(TakenOver { lifeboat: self.clone(), claim, working_dir })
    }

    /// Writes an operator's word down in a run that nobody drives.
    ///
    /// # Errors
    /// When the run cannot be taken over, or does not wait for it.
    pub fn command(
        &self,
        run: &RunId,
        step: Option<NodePath>,
        decision: Decision,
        reason: String,
    ) -> Result<Event, CommandError> {
        Ok(self.take_over(run)?.decide(step, decision, reason)?)
    }
}

impl TakenOver {
    /// The run.
    pub fn run(&self) -> &RunId {
        self.claim.state.run()
    }

    /// What follows from all records so far.
    pub fn state(&self) -> &RunState {
        &self.claim.state
    }

    /// What had to be mended on opening the run, and what was noted since: written down with the next record.
    pub fn notes(&self) -> &[String] {
        &self.claim.notes
    }

    /// Whether the run can go on in the folder in which it was started.
    ///
    /// # Errors
    /// When that folder is gone.
    pub fn check_working_dir(&self) -> Result<(), FolderGone> {
        let Some(folder) = started_in(self.state()) else { return Ok(()) };
        check_enterable(folder).map_err(|error| FolderGone {
            folder: folder.to_owned(),
            error,
            moved: self.state().created().driver.host != self.lifeboat.identity.driver.host,
        })
    }

    /// The folder in which relative paths of the run's steps and secrets begin.
    pub fn working_dir(&self) -> &Path {
        &self.working_dir
    }

    /// Lets the run go on in another folder than the one in which it was started, or which is `gone`. Gives what is noted
    /// of it in the run; nothing where that is the same folder.
    pub fn go_on_in(&mut self, folder: &Path, gone: Option<&FolderGone>) -> Option<String> {
        let before = started_in(self.state()).filter(|before| gone.is_some() || *before != folder)?.display();
        let note = match gone {
            Some(gone) => format!("{gone}; it goes on in {}", folder.display()),
            None => format!("the run goes on in {}; it was started in {before}", folder.display()),
        };
        folder.clone_into(&mut self.working_dir);
        self.claim.notes.push(note.clone());
        Some(note)
    }

    /// The run's secrets; relative paths of their files begin in the run's folder.
    pub fn secrets(&self) -> Secrets {
        Secrets::look_up(self.state().plan(), &self.working_dir)
    }

    /// What became of the runbook's file since the run began.
    pub fn drift(&self) -> Drift {
        drift(self.state().plan())
    }

    /// Writes an operator's word down, if the run waits for it, and folds it in; what was noted is written down before
    /// it. Secrets that were typed with it are masked, as far as they can be looked up here.
    ///
    /// # Errors
    /// When the run does not wait for it, or when it cannot be written.
    pub fn decide(
        &mut self,
        step: Option<NodePath>,
        decision: Decision,
        reason: String,
    ) -> Result<Event, NotDecided> {
        let at = Timestamp::now();
        let state = &self.claim.state;
        let node = step.map(|step| state.meant(&step).map(|at| state.path(at))).transpose();
        let node = node.map_err(NotDecided::NotAwaited)?;
        let masker = self.secrets().masker();
        let Claim { journal, state, epoch, notes } = &mut self.claim;
        let masker = masker.keeping(self.lifeboat.registry.declared_outputs(state.plan()));
        let (decision, reason) = (masker.masked(decision), masker.masked(reason));
        let actor = self.lifeboat.identity.actor.clone();
        let word = RecordBody::OperatorDecided { node, decision, actor, reason };
        let notes_first = notes.iter().map(|text| RecordBody::Note { text: text.clone() });
        let mut after = state.clone();
        let mut records = Vec::new();
        for body in notes_first.chain([word]) {
            let record = Record { seq: after.seq().next(), epoch: *epoch, at, body };
            after.apply(&record).map_err(|illegal| NotDecided::NotAwaited(illegal.why))?;
            records.push(record);
        }
        let drafts = records.iter().map(|record| Draft { at, body: record.body.clone() }).collect();
        journal.append(state.seq().next(), *epoch, drafts)?;
        let event = records.last().and_then(|record| Event::of(record, &after));
        *state = after;
        notes.clear();
        Ok(event.expect("bug: every decision is an event"))
    }
}
