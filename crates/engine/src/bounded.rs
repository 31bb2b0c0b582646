//! Carrying a piece of work out within a limit, and without being taken along when it hangs or panics.

use std::any::Any;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How long a piece of work may take, and how it is told to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    pub(crate) clock: &'a dyn Clock,
    /// What tells it to stop; it may be told by others, too.
    pub(crate) cancel: &'a CancellationToken,
    /// When it is told to stop, if nobody tells it before.
    pub(crate) limit: Option<Duration>,
    /// How long it has to answer once it was told.
    pub(crate) grace: Duration,
}

/// Why a job gave no answer.
#[derive(Debug)]
pub(crate) enum Silent {
    /// It did not stop within the grace.
    TooLate,
    /// It panicked.
    Panicked(String),
}

/// What became of the work.
pub(crate) struct Bounded<T> {
    pub(crate) answer: Result<T, Silent>,
    /// The limit, if it was told to stop because of it.
    pub(crate) timed_out: Option<Duration>,
}

impl Bounds<'_> {
    /// Runs the work until it answers.
    pub(crate) async fn run<T, W>(self, work: W) -> Bounded<T>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        let in_time = |answer| Bounded { answer, timed_out: None };
        let mut task = tokio::spawn(work);
        let deadline = async {
            match self.limit {
                Some(limit) => self.clock.sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let timed_out = tokio::select! {
            answer = &mut task => return in_time(answer.map_err(Silent::of_task)),
            () = deadline => self.limit,
            () = self.cancel.cancelled() => None,
        };
        self.cancel.cancel();
        let answer = tokio::select! {
            answer = &mut task => answer.map_err(Silent::of_task),
            () = self.clock.sleep(self.grace) => {
                task.abort();
                Err(Silent::TooLate)
            }
        };
        Bounded { answer, timed_out }
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

    /// Of a look that gave no answer.
    pub(crate) fn why(self) -> String {
        match self {
            Self::TooLate => "looking took too long".to_owned(),
            Self::Panicked(what) => format!("bug: the action panicked while looking: {what}"),
        }
    }
}
