//! `postgres.promote`: makes a standby the primary.
//!
//! It refuses, with nothing touched, without young evidence that the old primary is fenced, and when more may be missing
//! than is allowed. A host that is a primary already is in place, whoever promoted it, so that a promotion is repeated
//! without harm.
//!
//! An error after the request was sent says nothing: the server may answer one and promote all the same. Only looking
//! settles it, and when looking does not settle it within the bound the effect is unknown.

mod conditions;
mod rehearsal;

use std::time::Duration;

use async_trait::async_trait;
use lifeboat_action::{
    ActionContext, Change, Description, Failure, Observation, Outcome, ParamProblem, TypedAction,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use crate::connection::{Target, params_with_connection};
use crate::evidence::FenceEvidence;
use crate::json;
use crate::look::Server;
use crate::observers::pause;
use crate::session::{Session, StatementError};
use conditions::Conditions;

/// The action.
#[derive(Debug)]
pub(crate) struct Promote;

params_with_connection! {
    /// The standby, and what must be so before it is promoted.
    pub(crate) struct PromoteParams {
        /// The proof that the old primary is fenced: `{{ steps.ID.evidence }}` of a `postgres.fence`.
        // `None` only in a rehearsal that has no value for it.
        #[schemars(required)]
        fence: Option<FenceEvidence>,
        /// How old that proof may be; 5m by default.
        #[serde(default = "default_max_fence_age", with = "lifeboat_action::duration")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        max_fence_age: Duration,
        /// How much may be missing at most; 10s by default. Nothing is missing when the old primary's last position is
        /// known and was received; otherwise the time from the newest commit that the standby certainly holds until
        /// the old primary was gone counts.
        #[serde(default = "default_max_lag", with = "lifeboat_action::duration")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        max_lag: Duration,
        /// How long a standby that is still receiving may take to catch up with the old primary's last position, before
        /// `max_lag` decides; 5s by default.
        #[serde(default = "default_catch_up", with = "lifeboat_action::duration")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        catch_up: Duration,
        /// How long the promotion may take until the server accepts writes; 1m by default.
        #[serde(default = "default_wait", with = "lifeboat_action::duration")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        wait: Duration,
    }
}

/// The new primary.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct PromoteOutputs {
    /// Its timeline: one more than before the promotion.
    timeline: u32,
    /// The end of its log.
    lsn: String,
    /// Bytes of the old primary's log that were missing at the promotion; null when not known, or when it was promoted
    /// before.
    lag_bytes: Option<u64>,
    /// Seconds of commits that may have been missing at most; null as above.
    lag_seconds: Option<f64>,
    /// When it was seen to accept writes; null when it was promoted before.
    promoted_at: Option<String>,
}

fn default_max_fence_age() -> Duration {
    Duration::from_secs(300)
}

fn default_max_lag() -> Duration {
    Duration::from_secs(10)
}

fn default_catch_up() -> Duration {
    Duration::from_secs(5)
}

fn default_wait() -> Duration {
    Duration::from_secs(60)
}

/// How often to look whether the standby has moved on.
const POLL: Duration = Duration::from_millis(50);

#[async_trait]
impl TypedAction for Promote {
    type Params = PromoteParams;
    type Outputs = PromoteOutputs;

    fn describe(&self) -> Description {
        Description {
            name: "postgres.promote",
            summary: "Makes a standby the primary, given proof that the old one is fenced and a bounded lag",
            idempotent: true,
            observable: true,
            recoverable: false,
        }
    }

    fn validate(&self, params: &PromoteParams) -> Vec<ParamProblem> {
        params.target().err().into_iter().collect()
    }

    /// It sends statements of its own only.
    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    fn rehearsed_without(&self) -> &'static [&'static str] {
        &["fence"]
    }

    async fn observe(&self, context: &ActionContext, params: &PromoteParams) -> Observation {
        let target = match params.target() {
            Ok(target) => target,
            Err(problem) => return Observation::Blocked { why: problem.message },
        };
        let server = match Server::look_at(context, &target).await {
            Ok(server) => server,
            Err(reach) => return Observation::Blocked { why: format!("{} {reach}", target.address) },
        };
        if server.accepts_writes() {
            let outputs = json::object(&described(&server));
            return Observation::in_place(format!("{} is a {server}", server.address), outputs);
        }
        let Some(conditions) = Conditions::of(params) else {
            return rehearsal::observation(context, params, &target, &server).await;
        };
        match conditions.refusal(&server).filter(|_| !still_coming(&conditions, &server)) {
            Some(why) => Observation::Blocked { why },
            None => Observation::Pending { change: change(&server, &conditions.lag(&server).words()) },
        }
    }

    async fn apply(&self, context: &ActionContext, params: &PromoteParams) -> Result<Outcome, Failure> {
        let target = params.target().map_err(|problem| Failure::permanent(problem.message))?;
        let session =
            Session::open(context, &target).await.map_err(|reach| reach.into_failure(&target.address))?;
        let mut server = look(context, &target, &session).await?;
        if server.accepts_writes() {
            return Ok(outcome(&server, &described(&server), Vec::new()));
        }
        let Some(conditions) = Conditions::of(params) else {
            return Err(Failure::permanent("a standby is promoted only with proof of fencing"));
        };
        server = catch_up(context, &target, &session, &conditions, server).await?;
        if let Some(why) = conditions.refusal(&server) {
            return Err(Failure::permanent(format!("{why}: nothing was touched")));
        }
        let lag = conditions.lag(&server);
        let warnings = warnings_before(&server);
        context.say(format!("promoting {}: {}", target.address, lag.words()));
        // One message, so that there is one moment at which it was sent.
        let request = session.client.simple_query("select pg_promote(wait => false)");
        let answer = session.link.bounded(context, request).await.map(|answer| says_yes(&answer));
        let promoted = settle(context, &target, params.wait, answer).await?;
        let outputs = PromoteOutputs {
            lag_bytes: conditions.fence.last_lsn.and(lag.bytes),
            lag_seconds: lag.seconds(),
            promoted_at: Some(json::now()),
            ..described(&promoted)
        };
        Ok(outcome(&promoted, &outputs, warnings))
    }
}

async fn look(context: &ActionContext, target: &Target, session: &Session) -> Result<Server, Failure> {
    let server = Server::look(context, target, session).await;
    server.map_err(|error| error.into_failure(&format!("{} could not be looked at", target.address)))
}

/// Whether what is too much lag now is on its way.
fn still_coming(conditions: &Conditions<'_>, server: &Server) -> bool {
    conditions.refusal_but_for_lag(server).is_none() && conditions.catching_up(server)
}

/// Lets a standby that is still receiving arrive at the old primary's last position.
async fn catch_up(
    context: &ActionContext,
    target: &Target,
    session: &Session,
    conditions: &Conditions<'_>,
    mut server: Server,
) -> Result<Server, Failure> {
    let deadline = Instant::now() + conditions.catch_up;
    while conditions.catching_up(&server) && Instant::now() < deadline {
        pause(context, POLL).await;
        if context.is_cancelled() {
            return Err(Failure::transient("cancelled before the promotion was asked for"));
        }
        server = look(context, target, session).await?;
    }
    Ok(server)
}

/// Looks until the server accepts writes, whatever the request was answered.
async fn settle(
    context: &ActionContext,
    target: &Target,
    wait: Duration,
    answer: Result<bool, StatementError>,
) -> Result<Server, Failure> {
    if let Err(error) = &answer
        && error.code().is_some_and(refused_at_once)
    {
        return Err(Failure::permanent(format!("{} refused to be promoted: {error}", target.address)));
    }
    let answered = match &answer {
        Ok(true) => "was asked to promote".to_owned(),
        Ok(false) => "answered that it could not be asked to promote".to_owned(),
        Err(error) => format!("was asked to promote, and then: {error}"),
    };
    let deadline = Instant::now() + wait;
    loop {
        let seen = match Server::look_at(context, target).await {
            Ok(server) if server.accepts_writes() => return Ok(server),
            Ok(server) => format!("it is a {server}"),
            Err(reach) => format!("it {reach}"),
        };
        if context.is_cancelled() || Instant::now() >= deadline {
            let when =
                if context.is_cancelled() { "when cancelled".to_owned() } else { format!("after {wait:?}") };
            return Err(Failure::unknown(format!("{} {answered}; {when}, {seen}", target.address)));
        }
        pause(context, POLL).await;
    }
}

fn says_yes(answer: &[SimpleQueryMessage]) -> bool {
    answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")))
}

/// Whether the server refused before it did anything: no right, or no such function.
fn refused_at_once(code: &SqlState) -> bool {
    matches!(*code, SqlState::INSUFFICIENT_PRIVILEGE | SqlState::UNDEFINED_FUNCTION)
}

fn change(server: &Server, lag: &str) -> Change {
    Change {
        before: format!("{server}, {lag}"),
        after: format!("primary, accepting writes, timeline {}", server.timeline + 1),
    }
}

fn described(server: &Server) -> PromoteOutputs {
    PromoteOutputs { timeline: server.timeline, lsn: server.lsn().to_string(), ..PromoteOutputs::default() }
}

fn warnings_before(server: &Server) -> Vec<String> {
    let paused = server.as_standby().is_some_and(|standby| standby.paused);
    let text = "replay was paused; the promotion has replayed what was received and resumed it";
    paused.then(|| format!("{}: {text}", server.address)).into_iter().collect()
}

fn outcome(server: &Server, outputs: &PromoteOutputs, mut warnings: Vec<String>) -> Outcome {
    if server.as_primary().and_then(|primary| primary.commits_hang) == Some(true) {
        warnings.push(format!(
            "{}: synchronous_standby_names is set and no synchronous standby is attached: every commit will hang until \
             one is, or until the setting is cleared",
            server.address
        ));
    }
    json::outcome(format!("{} is a {server}", server.address), outputs, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_before_the_request_took_effect_is_believed() {
        assert!(refused_at_once(&SqlState::INSUFFICIENT_PRIVILEGE));
        assert!(!refused_at_once(&SqlState::QUERY_CANCELED));
        assert!(!refused_at_once(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE));
    }

    #[test]
    fn an_author_must_give_the_fencing_evidence() {
        let action = lifeboat_action::Typed::new(Promote);
        let problems = lifeboat_action::Observe::check(&action, &serde_json::json!({"host": "db-b"}));
        let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, ["`fence` is missing"]);
    }
}
