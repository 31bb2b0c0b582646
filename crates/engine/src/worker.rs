//! Carries one job out in a task of its own, within its deadline, and sends back what became of it.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use lifeboat_action::{ActionContext, CallInfo, Masker, Observation};
use lifeboat_model::plan::OnUnknown;
use lifeboat_model::record::Mode;
use lifeboat_model::{AttemptKey, Effect, Failure, FailureKind, RunId};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;
use crate::attempt::{Reached, attempt};
use crate::begun::{Begun, begin};
use crate::clock::Clock;
use crate::core::Input;
use crate::doubt::Finding;
use crate::job::{AttemptEnd, Job};
use crate::look::{look_into, rehearse};
use crate::progress::ProgressSender;

/// What a job is carried out with.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) run: RunId,
    pub(crate) mode: Mode,
    pub(crate) key: AttemptKey,
    pub(crate) folder: PathBuf,
    pub(crate) actions: Arc<Actions>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) masker: Arc<Masker>,
    pub(crate) cancel: CancellationToken,
    pub(crate) grace: Duration,
    pub(crate) sender: UnboundedSender<Input>,
    pub(crate) waiting_progress: Arc<AtomicUsize>,
    /// The boot id of the machine on which the attempt began, where it is known.
    pub(crate) boot: Option<String>,
    /// Whether the attempt was an earlier driver's.
    pub(crate) died: bool,
}

/// Why a job gave no answer.
enum Silent {
    /// It did not stop within the grace.
    TooLate,
    /// It panicked.
    Panicked(String),
}

impl Worker {
    /// Carries an attempt out.
    pub(crate) async fn attempt(self, job: Job) {
        let context = self.context(&job);
        let (reached, reaching) = watch::channel(Reached::Looking);
        let (at, number, effect) = (job.at, job.attempt, job.call.effect);
        let timeout = limit(&job);
        let actions = Arc::clone(&self.actions);
        let work = async move { attempt(&actions, &context, &job, &reached).await };
        let (answer, timed_out) = self.within(timeout, work).await;
        let changed = effect == Effect::Write && *reaching.borrow() == Reached::Applying;
        let kind = if changed { FailureKind::Unknown } else { FailureKind::Transient };
        let late = timeout.filter(|_| timed_out).map(|limit| format!("timed out after {limit:?}"));
        let end = match answer {
            Ok(AttemptEnd::Failed(failure)) => match late {
                Some(late) => {
                    AttemptEnd::Failed(Failure { message: format!("{late}: {}", failure.message), ..failure })
                }
                None => AttemptEnd::Failed(failure),
            },
            Ok(end) => end,
            Err(Silent::TooLate) => {
                let what = late.unwrap_or_else(|| "stopped".to_owned());
                let grace = self.grace;
                AttemptEnd::Failed(Failure::new(
                    kind,
                    format!("{what}; the action did not stop within {grace:?}"),
                ))
            }
            Err(Silent::Panicked(what)) => {
                AttemptEnd::Failed(Failure::new(kind, format!("bug: the action panicked: {what}")))
            }
        };
        self.send(Input::Ended { at, attempt: number, end });
    }

    /// Looks, for a dry run.
    pub(crate) async fn rehearse(self, job: Job) {
        let (at, timeout) = (job.at, limit(&job));
        let (context, actions) = (self.context(&job), Arc::clone(&self.actions));
        let work = async move { rehearse(&actions, &context, &job).await };
        let (answer, _) = self.within(timeout, work).await;
        let observation = answer.unwrap_or_else(|silent| Observation::Unknown { why: silent.why() });
        self.send(Input::Rehearsed { at, observation });
    }

    /// Looks into a doubt.
    pub(crate) async fn look_into(self, job: Job, cannot: Option<String>) {
        let (at, attempt, timeout, died) = (job.at, job.attempt, limit(&job), self.died);
        let on_unknown = job.on_unknown;
        let (context, actions) = (self.context(&job), Arc::clone(&self.actions));
        let finding = match cannot {
            Some(why) => unknown(why, OnUnknown::Ask),
            None => {
                let work = async move { look_into(&actions, &context, &job, died).await };
                let (answer, _) = self.within(timeout, work).await;
                answer.unwrap_or_else(|silent| unknown(silent.why(), on_unknown))
            }
        };
        self.send(Input::Looked { at, attempt, finding });
    }

    /// Runs the work until it answers. At the limit, or when the run is told to stop, it is asked to stop and has the
    /// grace to answer. Also answers whether it was the limit.
    async fn within<T, W>(&self, limit: Option<Duration>, work: W) -> (Result<T, Silent>, bool)
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        let mut task = match panic::catch_unwind(AssertUnwindSafe(|| begin(work))) {
            Ok(Begun::Over(answer)) => return (Ok(answer), false),
            Ok(Begun::Pending(work)) => tokio::spawn(work),
            Err(payload) => return (Err(Silent::panicked(payload.as_ref())), false),
        };
        let deadline = async {
            match limit {
                Some(limit) => self.clock.sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let timed_out = tokio::select! {
            answer = &mut task => return (answer.map_err(Silent::of_task), false),
            () = deadline => true,
            () = self.cancel.cancelled() => false,
        };
        self.cancel.cancel();
        tokio::select! {
            answer = &mut task => (answer.map_err(Silent::of_task), timed_out),
            () = self.clock.sleep(self.grace) => {
                task.abort();
                (Err(Silent::TooLate), timed_out)
            }
        }
    }

    fn context(&self, job: &Job) -> ActionContext {
        let info = CallInfo {
            run: self.run.clone(),
            step: job.step.clone(),
            attempt: job.attempt,
            key: self.key.clone(),
            mode: self.mode,
            started_at: job.started_at,
            folder: self.folder.clone(),
            boot: self.boot.clone(),
            time_left: limit(job),
        };
        let progress =
            ProgressSender { sender: self.sender.clone(), waiting: Arc::clone(&self.waiting_progress) };
        ActionContext::new(info, self.cancel.clone(), Arc::new(progress), Arc::clone(&self.masker))
    }

    /// A driver that left takes no more inputs; that is its right.
    fn send(&self, input: Input) {
        drop(self.sender.send(input));
    }
}

impl Silent {
    fn of_task(error: tokio::task::JoinError) -> Self {
        match error.try_into_panic() {
            Ok(payload) => Self::panicked(payload.as_ref()),
            Err(error) => Self::Panicked(error.to_string()),
        }
    }

    fn panicked(payload: &(dyn Any + Send)) -> Self {
        Self::Panicked(match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
            (Some(text), _) => text.clone(),
            (None, Some(text)) => (*text).to_owned(),
            (None, None) => "with no message".to_owned(),
        })
    }

    fn why(self) -> String {
        match self {
            Self::TooLate => "looking took too long".to_owned(),
            Self::Panicked(what) => format!("bug: the action panicked while looking: {what}"),
        }
    }
}

fn unknown(why: String, on_unknown: OnUnknown) -> Finding {
    Finding::observed(Observation::Unknown { why }, None, on_unknown)
}

fn limit(job: &Job) -> Option<Duration> {
    job.timeout.and_then(|limit| Duration::try_from(limit).ok())
}
