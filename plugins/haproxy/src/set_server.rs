//! `haproxy.set_server`: puts a server into service, drains it or takes it out.

use std::time::Duration;

use async_trait::async_trait;
use lifeboat_action::{
    ActionContext, Change, Description, Failure, Observation, Outcome, ParamProblem, Recovery, TypedAction,
};
use serde_json::Value;
use tokio::time::Instant;

use crate::memo;
use crate::params::{Health, Outputs, Params, Seen, State, count};
use crate::runtime::{Refusal, Runtime, Server};

/// How long HAProxy may take to do what it has accepted: it closes sessions after it has answered.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug)]
pub(crate) struct SetServer;

#[async_trait]
impl TypedAction for SetServer {
    type Params = Params;
    type Outputs = Outputs;

    fn describe(&self) -> Description {
        Description {
            name: "haproxy.set_server",
            summary: "Puts a server of HAProxy into service, drains it or takes it out",
            idempotent: true,
            observable: true,
            recoverable: true,
        }
    }

    /// It asks HAProxy questions of its own only, and a name cannot hold another command.
    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    fn validate(&self, params: &Params) -> Vec<ParamProblem> {
        params.contradictions()
    }

    async fn observe(&self, context: &ActionContext, params: &Params) -> Observation {
        let runtime = Runtime::new(context, params);
        let server = match runtime.look().await {
            Ok(server) => server,
            Err(refusal) => return Observation::Blocked { why: refusal.to_string() },
        };
        if let Some(why) = held_back(params, &server) {
            return Observation::Blocked { why: format!("{runtime} is kept out of service: {why}") };
        }
        let after = server.seen;
        if in_place(params, &after) {
            let evidence = format!("{runtime} is {after}");
            let outputs = Outputs { before: None, after, sessions_closed: 0 }.into();
            return Observation::in_place(evidence, outputs);
        }
        match not_admin(&runtime).await {
            Some(why) => Observation::Blocked { why },
            None => Observation::Pending {
                change: Change { before: after.to_string(), after: goal(params, &after) },
            },
        }
    }

    async fn apply(&self, context: &ActionContext, params: &Params) -> Result<Outcome, Failure> {
        let runtime = Runtime::new(context, params);
        let now = look_before(&runtime, params).await?;
        let before = memo::remember(context, &now).await?;
        make(context, &runtime, params, &now, before).await
    }

    async fn recover(&self, context: &ActionContext, params: &Params) -> Recovery {
        let Some(before) = memo::recall(context).await else {
            return Recovery::Nothing { why: "the attempt had not begun to change the server".to_owned() };
        };
        let runtime = Runtime::new(context, params);
        match runtime.look().await {
            Ok(now) if held_back(params, &now).is_none() && in_place(params, &now.seen) => {
                let evidence = format!("{runtime} was {before} when the attempt began and is {}", now.seen);
                Recovery::Ended { result: Ok(outcome(&runtime, params, before, now.seen)), evidence }
            }
            Ok(now) => Recovery::Nothing { why: format!("{runtime} was {before}, is {}", now.seen) },
            Err(refusal) => Recovery::Nothing { why: refusal.to_string() },
        }
    }

    async fn undo(
        &self,
        context: &ActionContext,
        params: &Params,
        outcome: &Outcome,
    ) -> Option<Result<Outcome, Failure>> {
        let before = outcome.outputs.get("before").cloned();
        let Some(before) = before.and_then(|before| serde_json::from_value::<Seen>(before).ok()) else {
            let why = "the server's state before the change is not known: set it by hand";
            return Some(Err(Failure::permanent(why)));
        };
        Some(take_back(context, &back_to(params, &before)).await)
    }
}

async fn take_back(context: &ActionContext, params: &Params) -> Result<Outcome, Failure> {
    let runtime = Runtime::new(context, params);
    let now = look_before(&runtime, params).await?;
    make(context, &runtime, params, &now, now.clone()).await
}

/// The server, if it can be made what it should be.
async fn look_before(runtime: &Runtime<'_>, params: &Params) -> Result<Seen, Failure> {
    let server = runtime.look().await.map_err(|refusal| refusal.of_looking())?;
    match held_back(params, &server) {
        Some(why) => Err(Failure::permanent(format!("{runtime} is kept out of service: {why}"))),
        None => Ok(server.seen),
    }
}

/// Changes the server, which is `now`, and tells the story from `before` on.
async fn make(
    context: &ActionContext,
    runtime: &Runtime<'_>,
    params: &Params,
    now: &Seen,
    before: Seen,
) -> Result<Outcome, Failure> {
    change(runtime, params, now).await.map_err(|refusal| refusal.of_changing())?;
    let after = settle(context, runtime, params).await?;
    Ok(outcome(runtime, params, before, after))
}

/// The parameters that take a change back. Sessions that were closed and health that was forced stay so.
fn back_to(params: &Params, before: &Seen) -> Params {
    Params {
        state: before.state,
        weight: params.weight.map(|_| before.weight),
        health: None,
        shutdown_sessions: (before.state == State::Maint).then_some(false),
        wait_until_up: None,
        ..params.clone()
    }
}

fn in_place(params: &Params, seen: &Seen) -> bool {
    params.state == seen.state
        && params.weight.is_none_or(|weight| weight == seen.weight)
        && (!params.closes_sessions() || seen.sessions == 0)
        && (params.health.is_none() || is_up(&seen.status))
        && (params.wait_until_up.is_none() || is_checked_up(&seen.status))
}

fn is_up(status: &str) -> bool {
    status.starts_with("UP") || status == "no check"
}

/// `UP 1/2` is not enough: a server that comes back from maintenance is given the benefit of the doubt and shown so
/// until its first check, which may well fail.
fn is_checked_up(status: &str) -> bool {
    status.starts_with("UP (") || (is_up(status) && !status.contains('/'))
}

fn held_back(params: &Params, server: &Server) -> Option<&'static str> {
    server.held.filter(|_| params.state != State::Maint)
}

/// What is wanted, in words; parts that nobody asked for are left as they are.
fn goal(params: &Params, now: &Seen) -> String {
    let weight = params.weight.unwrap_or(now.weight);
    let mut words = format!("{}, weight {weight}", params.state);
    if params.closes_sessions() {
        words += ", no sessions";
    }
    if params.health.is_some() || params.wait_until_up.is_some() {
        words += ", UP";
    }
    words
}

async fn not_admin(runtime: &Runtime<'_>) -> Option<String> {
    match runtime.level().await {
        Ok(level) if matches!(level.as_str(), "user" | "operator") => {
            Some(format!("the runtime socket has level `{level}`, and changing a server needs `level admin`"))
        }
        // A version that does not know the question gives its answer to the change itself.
        Ok(_) => None,
        Err(refusal) => Some(refusal.to_string()),
    }
}

/// Sends what differs. The weight first: a server is never in service with a weight it should not have.
async fn change(runtime: &Runtime<'_>, params: &Params, now: &Seen) -> Result<(), Refusal> {
    if let Some(weight) = params.weight.filter(|weight| *weight != now.weight) {
        runtime.set_weight(weight).await?;
    }
    if params.state != now.state {
        runtime.set_state(params.state).await?;
    }
    if params.health == Some(Health::Up) {
        runtime.set_healthy().await?;
    }
    if params.closes_sessions() {
        runtime.shutdown_sessions().await?;
    }
    Ok(())
}

/// Looks again until it is as wanted: HAProxy's word for a change is not the change.
async fn settle(context: &ActionContext, runtime: &Runtime<'_>, params: &Params) -> Result<Seen, Failure> {
    let within = params.wait_until_up.unwrap_or_default().max(SETTLE_WITHIN);
    let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
    let mut said = String::new();
    loop {
        let look = runtime.look().await.map_err(|refusal| {
            Failure::unknown(format!("{runtime} was changed, but cannot be looked at")).caused_by(&refusal)
        })?;
        let seen = look.seen;
        if in_place(params, &seen) {
            return Ok(seen);
        }
        if began.elapsed() >= within {
            let goal = goal(params, &seen);
            return Err(Failure::transient(format!("{runtime} is {seen} after {within:?}, expected {goal}")));
        }
        if said != seen.status {
            context.say(format!("{runtime} is {seen}"));
            said.clone_from(&seen.status);
        }
        tokio::select! {
            () = context.cancelled() => {
                return Err(Failure::transient(format!("stopped while {runtime} was {seen}")));
            }
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

fn outcome(runtime: &Runtime<'_>, params: &Params, before: Seen, after: Seen) -> Outcome {
    let sessions_closed =
        if params.closes_sessions() { before.sessions.saturating_sub(after.sessions) } else { 0 };
    let mut evidence = format!("{runtime}: {before} → {after}");
    if sessions_closed > 0 {
        evidence += &format!("; {} closed", count(sessions_closed));
    }
    evidence += "; holds until HAProxy restarts";
    let outputs = Outputs { before: Some(before), after, sessions_closed }.into();
    Outcome { evidence, outputs, warnings: Vec::new() }
}
