//! `postgres.check`: looks at one server and says whether it is as expected. Never writes.
//!
//! A server that does not answer, or does not let us in, was not looked at: that is no "not so". Only `expect: down` is
//! about being out of reach.
//!
//! `writable` is told from the server's own word (it is not in recovery, a new transaction is read-write, no commit would
//! wait for a synchronous standby that is not there). Proof by a write is `postgres.query` with `write: true`.

mod down;
mod judged;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use lifeboat_action::{ActionContext, Observation, ParamProblem, TypedObserve};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connection::params_with_connection;
use crate::look::Server;
use crate::path::addresses;
use judged::Judged;

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
        /// Since when a standby's primary is known to be gone, such as `{{ steps.ID.down_since }}` of another
        /// `postgres.check`. The lag is judged as of then; without it, as of now. A standby whose log grew after that
        /// moment is refused: its primary is not gone.
        #[serde(default)]
        #[schemars(with = "String", extend("format" = "date-time"))]
        down_since: Option<Timestamp>,
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
    /// On a standby: seconds it may be behind at most, as of `down_since` where that is given.
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

    fn validate(&self, params: &CheckParams) -> Vec<ParamProblem> {
        let target = params.target().err();
        target.into_iter().chain(addresses("via", &params.via).err()).chain(unused(params)).collect()
    }

    /// It sends statements of its own only.
    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    fn rehearsed_without(&self) -> &'static [&'static str] {
        &["down_since"]
    }

    async fn observe(&self, context: &ActionContext, params: &CheckParams) -> Observation {
        let target = match params.target() {
            Ok(target) => target,
            Err(problem) => return Observation::Unknown { why: problem.message },
        };
        if params.expect == Expect::Down {
            return down::look(context, params, &target).await;
        }
        match Server::look_at(context, &target).await {
            Ok(server) => {
                let unknown = context.without("down_since").is_some();
                Judged { params, server: &server, gone_since_unknown: unknown }.observation()
            }
            Err(reach) => Observation::Unknown { why: format!("{} {reach}", target.address) },
        }
    }
}

/// The problems of parameters that mean nothing with what is expected.
fn unused(params: &CheckParams) -> Vec<ParamProblem> {
    let with_expect = |message: &str, name| ParamProblem::new(message).about([name]).about(["expect"]);
    let is_down = params.expect == Expect::Down;
    let has_lag = matches!(params.expect, Expect::Up | Expect::Standby);
    let of_no_server = "a server that is down has no lag and no timeline to check";
    let unused = [
        (!params.via.is_empty() && !is_down, "via", "`via` is only used with `expect: down`"),
        (params.max_lag.is_some() && is_down, "max_lag", of_no_server),
        (params.min_timeline.is_some() && is_down, "min_timeline", of_no_server),
        (
            params.down_since.is_some() && !has_lag,
            "down_since",
            "`down_since` is only used for the lag of a standby",
        ),
    ];
    let problems = unused.into_iter().filter(|(is_unused, ..)| *is_unused);
    problems.map(|(_, name, message)| with_expect(message, name)).collect()
}

fn answer(evidence: String, outputs: &CheckOutputs) -> Observation {
    Observation::in_place(evidence, crate::json::object(outputs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_would_be_ignored_are_refused() {
        let problems = |params: Value| {
            let problems = Check.validate(&serde_json::from_value(params).unwrap());
            problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
        };
        assert_eq!(problems(serde_json::json!({"host": "db-a"})), Vec::<String>::new());
        assert_eq!(
            problems(serde_json::json!({"host": "db-a", "via": ["front:5000"]})),
            ["`via` is only used with `expect: down`"]
        );
        let since =
            serde_json::json!({"host": "db-a", "expect": "down", "down_since": "2026-11-23T18:00:00Z"});
        assert_eq!(problems(since), ["`down_since` is only used for the lag of a standby"]);
        assert_eq!(problems(serde_json::json!({"host": "db-a", "ca_file": "/ca.pem"})).len(), 1);
    }
}
