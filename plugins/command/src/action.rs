//! `command.run`.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_action::{
    ActionContext, CallInfo, Description, Effect, Failure, FailureKind, Observation, Outcome, ParamProblem,
    Recovery, TypedAction,
};
use serde_json::Value;

use crate::connection::{Supervisor, SupervisorProgram};
use crate::end::{End, Part};
use crate::params::{Outputs, Params};
use crate::place::{LOOK, Place};
use crate::process::here;
use crate::protocol::{Answer, Launch};
use crate::recover::{self, in_thread, outlast};
use crate::result::{Came, finish, refuse};
use crate::settle::{Settled, settle};
use crate::trace::{self, Trace};

/// Runs a command under the supervisor.
#[derive(Debug)]
pub(crate) struct CommandRun {
    supervisor: Supervisor,
    /// How commands ended of which it is unknown what they did, by their folder: their traces may be gone.
    ends: Mutex<HashMap<PathBuf, End>>,
}

impl CommandRun {
    pub(crate) fn new(program: SupervisorProgram) -> Self {
        Self { supervisor: Supervisor::new(program), ends: Mutex::default() }
    }

    async fn run(&self, context: &ActionContext, params: &Params, place: &Place) -> Came {
        if context.is_cancelled() {
            return Failure::transient("it was stopped before it was started").into();
        }
        let connection = match self.supervisor.connection().await {
            Ok(connection) => connection,
            Err(error) => {
                let what = "the supervisor of commands could not be started";
                return Failure::transient(what).caused_by(&error).into();
            }
        };
        let id = connection.next_id();
        let asked = launch(context, params, place, id)
            .and_then(|launch| connection.start(launch).map_err(io::Error::from));
        let mut ended = match asked {
            Ok(ended) => ended,
            Err(error) => {
                return Failure::permanent("it could not be handed to its supervisor")
                    .caused_by(&error)
                    .into();
            }
        };
        let answer = tokio::select! {
            answer = &mut ended => answer,
            () = context.cancelled() => {
                connection.stop(id, params.kill_after);
                ended.await
            }
        };
        match answer {
            Ok(Answer::Ended { end, unrecorded, .. }) => {
                let came = finish(context, params, &place.folder, &end, unrecorded).await;
                let unknown = came.result.as_ref().is_err_and(|failure| failure.kind == FailureKind::Unknown);
                if unknown && place.command.look == 0 {
                    self.ends().insert(place.folder.clone(), end);
                }
                came
            }
            Ok(Answer::NotStarted { refusal, .. }) => {
                if refusal.about == Some(Part::Folder) {
                    context.folder_failed(io::Error::other(refusal.why.clone()));
                }
                refuse(context, params, &refusal).into()
            }
            Ok(Answer::Lost { why, .. }) => Failure::unknown(why).into(),
            Ok(Answer::Ready) | Err(_) => without_supervisor(context, params, place).await,
        }
    }

    fn ends(&self) -> MutexGuard<'_, HashMap<PathBuf, End>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TypedAction for CommandRun {
    type Params = Params;
    type Outputs = Outputs;

    fn describe(&self) -> Description {
        Description {
            name: "command.run",
            summary: "Runs a program or a shell script, which outlives a crash of lifeboat",
            idempotent: false,
            observable: false,
            recoverable: true,
        }
    }

    fn effect(&self, params: &Value) -> Effect {
        if params.get("read_only") == Some(&Value::Bool(true)) { Effect::Read } else { Effect::Write }
    }

    /// Whatever a command does is known to its author alone.
    fn look_is_harmless(&self, _: &Value) -> bool {
        false
    }

    fn vouched_by(&self) -> Option<&'static str> {
        Some("read_only")
    }

    fn validate(&self, params: &Params) -> Vec<ParamProblem> {
        params.problems()
    }

    fn stop_takes(&self, params: &Params) -> Duration {
        params.kill_after
    }

    async fn observe(&self, context: &ActionContext, params: &Params) -> Observation {
        if !params.read_only {
            let why = "a command cannot say whether its effect is in place; give the step a `check:`";
            return Observation::Unknown { why: why.to_owned() };
        }
        let place = match trace::place_of_look(context) {
            Ok(place) => place,
            Err(error) => return Observation::Unknown { why: format!("no folder for its output: {error}") },
        };
        self.run(context, params, &place).await.seen(context.is_cancelled())
    }

    async fn apply(&self, context: &ActionContext, params: &Params) -> Result<Outcome, Failure> {
        self.run(context, params, &Place::of_command(context.info())).await.result
    }

    fn open_trace(&self, attempt: &CallInfo) -> io::Result<()> {
        attempt.create_folder()?;
        trace::open_for(&Place::of_command(attempt))
    }

    async fn recover(&self, context: &ActionContext, params: &Params) -> Recovery {
        let told = self.ends().get(&context.info().folder).cloned();
        recover::recover(context, params, told).await
    }

    async fn outlast(&self, context: &ActionContext) -> Result<(), String> {
        recover::wait_until_over(context).await.map_err(|error| format!("its trace cannot be read: {error}"))
    }
}

fn launch(context: &ActionContext, params: &Params, place: &Place, id: u64) -> io::Result<Launch> {
    Ok(Launch {
        id,
        folder: place.folder.clone(),
        argv: params.command_line(),
        env: environment(context, params, place.command.look),
        cwd: params.cwd.clone(),
        secrets: context.masker().secrets().to_vec(),
        command: place.command.clone(),
        driver: here()?.process,
    })
}

fn environment(context: &ActionContext, params: &Params, look: u32) -> BTreeMap<String, String> {
    let info = context.info();
    let own = [
        ("LIFEBOAT_RUN", info.run.to_string()),
        ("LIFEBOAT_STEP", info.step.to_string()),
        ("LIFEBOAT_ATTEMPT", info.attempt.to_string()),
        ("LIFEBOAT_KEY", info.key.to_string()),
        ("LIFEBOAT_MODE", info.mode.as_str().to_owned()),
        (LOOK, look.to_string()),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    params.env.clone().into_iter().chain(own).collect()
}

/// The supervisor died before it answered, but we are still here: the trace says what became of the command.
async fn without_supervisor(context: &ActionContext, params: &Params, place: &Place) -> Came {
    let settled = || async {
        let place = place.clone();
        // The lock falls with the supervisor; that moment may be just ahead.
        let settled = in_thread(move || {
            let Some(trace) = Trace::find(&place.folder)? else { return Ok(Settled::gone(&place)) };
            trace.lock()?;
            settle(&trace, &place, Some(&here()?.boot))
        })?;
        settled.await.map_err(io::Error::other).flatten()
    };
    let mut found = settled().await;
    if matches!(found, Ok(Settled::Lost(_)))
        && matches!(outlast(context, place, params.kill_after).await, Ok(true))
    {
        found = settled().await;
    }
    match found {
        Ok(Settled::Ended(end)) => finish(context, params, &place.folder, &end, None).await,
        Ok(Settled::NotStarted(refusal)) => refuse(context, params, &refusal).into(),
        // That it never began is on record now, where recovering it finds the proof.
        Ok(Settled::Never(why)) => Failure::unknown(format!("the supervisor was killed: {why}")).into(),
        Ok(Settled::Lost(why)) => Failure::unknown(why).into(),
        Err(error) => Failure::unknown("the supervisor was killed, and its trace cannot be read")
            .caused_by(&error)
            .into(),
    }
}
