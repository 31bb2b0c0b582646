//! Those who are told what happens. A reporter that fails is a warning, never a reason to stop a failover.

use std::io;

use lifeboat_model::{Event, RunState};

/// Is told every event after its record is on disk, and progress as it comes.
pub trait Reporter: Send {
    /// Takes one event; `state` is the state after it, and after everything decided together with it.
    fn event(&mut self, event: &Event, state: &RunState) -> io::Result<()>;

    /// No more events come for now: what was kept back to be shown together is due.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All reporters of a run.
#[derive(Default)]
pub struct Reporters {
    all: Vec<Box<dyn Reporter>>,
    failures: Vec<String>,
}

impl std::fmt::Debug for Reporters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporters").field("count", &self.all.len()).finish_non_exhaustive()
    }
}

impl Reporters {
    /// These reporters.
    pub fn new(all: Vec<Box<dyn Reporter>>) -> Self {
        Self { all, failures: Vec::new() }
    }

    /// Tells everyone what happened at one time. Who fails is told no more.
    pub(crate) fn tell(&mut self, events: &[Event], state: &RunState) {
        self.each(|reporter| events.iter().try_for_each(|event| reporter.event(event, state)));
    }

    /// Has everyone show what they were told.
    pub(crate) fn flush(&mut self) {
        self.each(|reporter| reporter.flush());
    }

    fn each(&mut self, mut call: impl FnMut(&mut dyn Reporter) -> io::Result<()>) {
        let failures = &mut self.failures;
        self.all.retain_mut(|reporter| match call(reporter.as_mut()) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "a reporter failed; the run goes on without it");
                failures.push(error.to_string());
                false
            }
        });
    }

    /// Why reporters were dropped.
    pub(crate) fn failures(self) -> Vec<String> {
        self.failures
    }
}
