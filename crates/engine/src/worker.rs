//! Carries one job out within its deadline, and sends back what became of it. How a doubt is looked into is in
//! `look_into`.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use lifeboat_action::{ActionContext, CallInfo, Masker, Observation};
use lifeboat_model::{Effect, Failure, FailureKind};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;
use crate::attempt::{Reached, attempt};
use crate::bounded::{Bounded, Bounds, Silent};
use crate::clock::Clock;
use crate::core::Input;
use crate::job::{AttemptEnd, Call, Job};
use crate::look::rehearse;
use crate::progress::ProgressSender;

/// What a job is carried out with.
#[derive(Debug)]
pub(crate) struct Worker {
    /// The facts about its calls, but for how much time is left.
    pub(crate) info: CallInfo,
    pub(crate) actions: Arc<Actions>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) masker: Arc<Masker>,
    pub(crate) cancel: CancellationToken,
    pub(crate) grace: Duration,
    pub(crate) sender: UnboundedSender<Input>,
    pub(crate) waiting_progress: Arc<AtomicUsize>,
}

impl Worker {
    /// Carries an attempt out.
    pub(crate) async fn attempt(self, job: Job) {
        let context = self.context(self.cancel.clone(), job.limit());
        let (reached, reaching) = watch::channel(Reached::Looking);
        let (at, number, effect) = (job.at, job.attempt, job.call.effect);
        let (limit, grace) = (job.limit(), self.grace(&job));
        let (actions, clock) = (Arc::clone(&self.actions), Arc::clone(&self.clock));
        let work = async move { attempt(&actions, &context, &job, &*clock, &reached).await };
        let Bounded { answer, timed_out } = self.bounds(&self.cancel, limit, grace).run(work).await;
        let changed = effect == Effect::Write && *reaching.borrow() == Reached::Applying;
        let kind = if changed { FailureKind::Unknown } else { FailureKind::Transient };
        let mut end = answer.unwrap_or_else(|silent| {
            AttemptEnd::Failed(match silent {
                Silent::TooLate => Failure::new(kind, format!("the action did not stop within {grace:?}")),
                Silent::Panicked(what) => Failure::new(kind, format!("bug: the action panicked: {what}")),
            })
        });
        if let (AttemptEnd::Unchecked(failure) | AttemptEnd::Failed(failure), Some(limit)) =
            (&mut end, timed_out)
        {
            failure.message = format!("timed out after {limit:?}: {}", failure.message);
        }
        self.send(Input::Ended { at, attempt: number, end });
    }

    /// Looks, for a dry run.
    pub(crate) async fn rehearse(self, job: Job) {
        let (at, limit, grace) = (job.at, job.limit(), self.grace(&job));
        let (context, actions) = (self.context(self.cancel.clone(), limit), Arc::clone(&self.actions));
        let work = async move { rehearse(&actions, &context, &job).await };
        let Bounded { answer, .. } = self.bounds(&self.cancel, limit, grace).run(work).await;
        let observation = answer.unwrap_or_else(|silent| Observation::Unknown { why: silent.why() });
        self.send(Input::Rehearsed { at, observation });
    }

    pub(crate) fn bounds<'a>(
        &'a self,
        cancel: &'a CancellationToken,
        limit: Option<Duration>,
        grace: Duration,
    ) -> Bounds<'a> {
        Bounds { clock: &*self.clock, cancel, limit, grace }
    }

    /// How long the job has to answer once it was told to stop: whatever its actions need is not held against them.
    pub(crate) fn grace(&self, job: &Job) -> Duration {
        let takes = |call: &Call| {
            let action = self.actions.observer(&call.action);
            action.map_or(Duration::ZERO, |action| action.stop_takes(&call.params))
        };
        self.grace + job.check.iter().chain([&job.call]).map(takes).max().unwrap_or_default()
    }

    pub(crate) fn context(&self, cancel: CancellationToken, time_left: Option<Duration>) -> ActionContext {
        let info = CallInfo { time_left, ..self.info.clone() };
        let progress =
            ProgressSender { sender: self.sender.clone(), waiting: Arc::clone(&self.waiting_progress) };
        ActionContext::new(info, cancel, Arc::new(progress), Arc::clone(&self.masker))
    }

    /// A driver that left takes no more inputs; that is its right.
    pub(crate) fn send(&self, input: Input) {
        drop(self.sender.send(input));
    }
}
