//! `postgres.check`: looks at one server and says whether it is as expected. Never writes.
//!
//! A server that does not answer, or does not let us in, was not looked at: that is no "not so". Only `expect: down` is
//! about being out of reach.
//!
//! `writable` is told from the server's own word (it is not in recovery, a new transaction is read-write, no commit would
//! wait for a synchronous standby that is not there). Proof by a write is `postgres.query` with `write: true`.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use lifeboat_action::{ActionContext, Change, Observation, TypedObserve};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::connection::{Target, params_with_connection};
use crate::lag::Lag;
use crate::look::{Role, Server};
use crate::observers::{Absence, Sighting, observe};
use crate::path::{Path, addresses};

/// The action.
#[derive(Debug)]
pub(crate) struct Check;

params_with_connection! {
    /// What to look at, and what is expected there.
    pub(crate) struct CheckParams {
        /// What the server is expected to be.
        #[serde(default)]
        expect: Expect,
        /// How many looks in a row must fail before the server counts as down: each over a new connection; 2 by
        /// default.
        #[serde(default = "default_observers")]
        #[schemars(range(min = 1, max = 100))]
        observers: u32,
        /// The time between two looks; 500ms by default.
        #[serde(default = "default_every", with = "lifeboat_action::duration")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        every: Duration,
        /// Other ways clients get to the server, each as `host:port`; with `expect: down`, none of them may lead to a
        /// primary either.
        #[serde(default)]
        via: Vec<String>,
        /// For a standby: how much it may be behind at most. A primary that is silent because it is idle counts as
        /// behind until it is heard again.
        #[serde(default, with = "lifeboat_action::duration::option")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        max_lag: Option<Duration>,
        /// The timeline the server must have reached: it grows by one with every promotion.
        #[serde(default)]
        min_timeline: Option<u32>,
    }
}

/// What a server may be expected to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    /// It answers queries.
    #[default]
    Up,
    /// No look gets an answer: refused, out of reach, or silent. A server that answers that it is starting up or full
    /// is up.
    Down,
    /// It is not in recovery.
    Primary,
    /// It is in recovery.
    Standby,
    /// It is a primary, new transactions may write, and commits do not wait for a missing synchronous standby.
    Writable,
}

/// What the look showed. What does not apply to the server is null.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct CheckOutputs {
    /// `primary`, `standby` or `down`.
    role: String,
    /// Whether new transactions may write.
    writable: bool,
    /// The timeline.
    timeline: Option<u32>,
    /// The end of its log: what it has written, or what it has received.
    lsn: Option<String>,
    /// On a standby: bytes known of and not replayed. On a primary: how far the last attached standby is behind.
    lag_bytes: Option<u64>,
    /// On a standby: seconds it may be behind at most.
    lag_seconds: Option<f64>,
    /// The server's version.
    version: Option<String>,
    /// When down: the moment of the first failed look.
    down_since: Option<String>,
    /// When down: `refused`, `unreachable`, `silent`, `closed` or `mixed`.
    down_as: Option<String>,
    /// Each look, in words.
    observed_by: Vec<String>,
}

fn default_observers() -> u32 {
    2
}

fn default_every() -> Duration {
    Duration::from_millis(500)
}

#[async_trait]
impl TypedObserve for Check {
    type Params = CheckParams;
    type Outputs = CheckOutputs;

    fn describe(&self) -> (&'static str, &'static str) {
        (
            "postgres.check",
            "Looks at a PostgreSQL server: up, down, primary, standby, writable, how far behind",
        )
    }

    fn validate(&self, params: &CheckParams) -> Vec<String> {
        let mut problems: Vec<_> =
            params.target().err().into_iter().chain(addresses(&params.via).err()).collect();
        if !params.via.is_empty() && params.expect != Expect::Down {
            problems.push("`via` is only used with `expect: down`".to_owned());
        }
        if params.expect == Expect::Down && (params.max_lag.is_some() || params.min_timeline.is_some()) {
            problems.push("a server that is down has no lag and no timeline to check".to_owned());
        }
        problems
    }

    async fn observe(&self, context: &ActionContext, params: &CheckParams) -> Observation {
        let target = match params.target() {
            Ok(target) => target,
            Err(why) => return Observation::Unknown { why },
        };
        if params.expect == Expect::Down {
            return expect_down(context, params, &target).await;
        }
        match Server::look_at(context, &target).await {
            Ok(server) => unmet(params, &server).unwrap_or_else(|| in_place(&server)),
            Err(reach) => Observation::Unknown { why: format!("{} {reach}", target.address) },
        }
    }
}

/// What is to be said of a server that does not meet the expectation.
fn unmet(params: &CheckParams, server: &Server) -> Option<Observation> {
    let words = |why| format!("{}: {why}; it is a {server}", server.address);
    if let Some(why) = wrong_role(params.expect, server).or_else(|| too_early(params, server)) {
        return Some(Observation::Blocked { why: words(why) });
    }
    let lag = Lag::measure(server.as_standby()?, None, server.looked_at);
    let why = words(lag.exceeds(params.max_lag?)?);
    Some(if lag.is_known() { Observation::Blocked { why } } else { Observation::Unknown { why } })
}

fn wrong_role(expect: Expect, server: &Server) -> Option<String> {
    match (expect, &server.role) {
        (Expect::Primary | Expect::Writable, Role::Standby(_)) => Some("it is in recovery".to_owned()),
        (Expect::Standby, Role::Primary(_)) => Some("it is not in recovery".to_owned()),
        (Expect::Writable, Role::Primary(_)) if server.read_only => {
            Some("new transactions are read-only".to_owned())
        }
        (Expect::Writable, Role::Primary(primary)) if primary.commits_hang == Some(true) => {
            Some("every commit would wait for a synchronous standby, and none is attached".to_owned())
        }
        (Expect::Up | Expect::Down | Expect::Primary | Expect::Standby | Expect::Writable, _) => None,
    }
}

fn too_early(params: &CheckParams, server: &Server) -> Option<String> {
    let least = params.min_timeline.filter(|least| server.timeline < *least)?;
    Some(format!("timeline {} has not reached {least}", server.timeline))
}

fn in_place(server: &Server) -> Observation {
    let lag = server.as_standby().map(|standby| Lag::measure(standby, None, server.looked_at));
    let lag_bytes = match &server.role {
        Role::Primary(primary) => primary.standby_lag,
        Role::Standby(standby) => {
            let heard_of = standby.receiver.as_ref().and_then(|receiver| receiver.latest_end);
            Some(standby.replayed.bytes_to(standby.received.max(heard_of.unwrap_or(standby.received))))
        }
    };
    let outputs = CheckOutputs {
        role: if server.as_standby().is_some() { "standby" } else { "primary" }.to_owned(),
        writable: server.accepts_writes(),
        timeline: Some(server.timeline),
        lsn: Some(server.lsn().to_string()),
        lag_bytes,
        lag_seconds: lag.and_then(|lag| lag.seconds()),
        version: Some(server.version.clone()),
        observed_by: vec![format!("{:.3}: {} is a {server}", server.looked_at, server.address)],
        ..CheckOutputs::default()
    };
    answer(format!("{} is a {server}", server.address), &outputs)
}

async fn expect_down(context: &ActionContext, params: &CheckParams, target: &Target) -> Observation {
    let up = |before| Observation::Pending { change: Change { before, after: "down".to_owned() } };
    let absence = match observe(context, target, params.observers, params.every).await {
        Sighting::Seen(server) => return up(server.to_string()),
        Sighting::Undecided(reach) if reach.answered() => {
            return up(format!("up: {} {reach}", target.address));
        }
        Sighting::Undecided(reach) => {
            return Observation::Unknown { why: format!("{} {reach}", target.address) };
        }
        Sighting::Gone(absence) => absence,
    };
    let mut observed_by = absence.words(&target.address);
    for address in addresses(&params.via).unwrap_or_default() {
        let path = Path::follow(context, target, address).await;
        match &path {
            Path::Primary(_) => return up(path.to_string()),
            Path::Unclear(..) => return Observation::Unknown { why: path.to_string() },
            Path::Nowhere(..) | Path::Standby(_) => {
                observed_by.push(format!("{:.3}: {path}", Timestamp::now()));
            }
        }
    }
    down(target, &absence, observed_by)
}

fn down(target: &Target, absence: &Absence, observed_by: Vec<String>) -> Observation {
    let looks = observed_by.len();
    let outputs = CheckOutputs {
        role: "down".to_owned(),
        down_since: Some(absence.since.to_string()),
        down_as: Some(absence.kind().to_owned()),
        observed_by,
        ..CheckOutputs::default()
    };
    answer(format!("{} is down ({}), seen by {looks} look(s)", target.address, absence.kind()), &outputs)
}

fn answer(evidence: String, outputs: &CheckOutputs) -> Observation {
    Observation::in_place(evidence, crate::json::object(outputs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_would_be_ignored_are_refused() {
        let problems = |params: serde_json::Value| Check.validate(&serde_json::from_value(params).unwrap());
        assert_eq!(problems(serde_json::json!({"host": "db-a"})), Vec::<String>::new());
        assert_eq!(
            problems(serde_json::json!({"host": "db-a", "via": ["front:5000"]})),
            ["`via` is only used with `expect: down`"]
        );
        assert_eq!(problems(serde_json::json!({"host": "db-a", "ca_file": "/ca.pem"})).len(), 1);
    }
}
