//! What `postgres.fence` is told, and the servers that follow from it.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_action::ParamProblem;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::address::Address;
use crate::connection::{Password, Target, params_with_connection};
use crate::evidence::Proof;
use crate::observers::Absence;
use crate::path::addresses;
use crate::tls::SslMode;

params_with_connection! {
    /// The old primary, who is to take over, and how much proof is asked for.
    pub(crate) struct FenceParams {
        /// The standby that will take over. Nothing is touched unless it is there and holds what it should.
        candidate: Candidate,
        /// The weakest proof that is accepted; `read_only` by default. `unreachable` alone is an assumption, so it has
        /// to be asked for.
        #[serde(default = "default_minimum")]
        pub(super) minimum: Proof,
        /// Every way clients get to the old primary, each as `host:port`, such as a load balancer's front. When none
        /// leads to a primary any more, the proof is `isolated`.
        #[serde(default)]
        paths: Vec<String>,
        /// How many looks in a row must fail before the old primary counts as gone: each over a new connection; 3 by
        /// default.
        #[serde(default = "default_observers")]
        #[schemars(range(min = 1, max = 100))]
        observers: u32,
        /// The time between two looks; 500ms by default.
        #[serde(default = "default_every", with = "lifeboat_action::duration")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        every: Duration,
        /// How much the candidate may lack at most; 10s by default.
        #[serde(default = "default_max_lag", with = "lifeboat_action::duration")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        pub(super) max_lag: Duration,
        /// Since when the old primary is known to be gone, such as `{{ steps.ID.down_since }}` of a `postgres.check`. The
        /// candidate's lag is judged at that moment.
        #[serde(default)]
        #[schemars(with = "String", extend("format" = "date-time"))]
        down_since: Option<Timestamp>,
        /// How long sessions may take to end and settings to take effect; 10s by default.
        #[serde(default = "default_wait", with = "lifeboat_action::duration")]
        #[schemars(schema_with = "lifeboat_action::duration::schema")]
        pub(super) wait: Duration,
    }
}

/// The standby that will take over. What is not said is as for the old primary.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Candidate {
    /// The standby: `db-b`, `db-b:5433` or `[2001:db8::2]:5433`.
    host: String,
    /// Its port, when `host` does not say it; 5432 by default.
    #[serde(default)]
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// The role to log in as.
    #[serde(default)]
    user: Option<String>,
    /// Its password: a secret.
    #[serde(default)]
    password: Option<Password>,
    /// The database to connect to.
    #[serde(default)]
    database: Option<String>,
    /// Whether the connection is encrypted, and whether the server's certificate is checked.
    #[serde(default)]
    sslmode: Option<SslMode>,
    /// Certificates to trust instead of the public ones, as a PEM file; for `sslmode: verify-full`.
    #[serde(default)]
    ca_file: Option<PathBuf>,
}

/// The parameters as servers and paths.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) primary: Target,
    pub(super) candidate: Target,
    pub(super) paths: Vec<Address>,
    pub(super) observers: u32,
    pub(super) every: Duration,
    down_since: Option<Timestamp>,
}

impl Plan {
    /// The servers and paths that the parameters name.
    pub(super) fn of(params: &FenceParams) -> Result<Self, ParamProblem> {
        let primary = params.target()?;
        let candidate = params.candidate.target(&primary).map_err(|problem| {
            let message = format!("candidate: {}", problem.message);
            ParamProblem { message, ..problem.within("candidate") }
        })?;
        if candidate.address == primary.address {
            let message = format!("the old primary and the candidate are both {}", primary.address);
            return Err(ParamProblem::new(message).about(["host"]).about(["candidate", "host"]));
        }
        let paths = addresses("paths", &params.paths)?;
        if params.minimum == Proof::Isolated && paths.is_empty() {
            let problem =
                ParamProblem::new("`minimum: isolated` needs the `paths` by which clients get there");
            return Err(problem.about(["minimum"]).about(["paths"]));
        }
        let FenceParams { observers, every, down_since, .. } = *params;
        Ok(Self { primary, candidate, paths, observers, every, down_since })
    }

    /// The moment at which the old primary was first seen gone.
    pub(super) fn gone_since(&self, absence: &Absence) -> Timestamp {
        self.down_since.map_or(absence.since, |since| since.min(absence.since))
    }
}

impl Candidate {
    fn target(&self, primary: &Target) -> Result<Target, ParamProblem> {
        let sslmode = self.sslmode.unwrap_or(primary.sslmode);
        let inherited_ca = primary.ca_file.clone().filter(|_| sslmode == SslMode::VerifyFull);
        Target {
            address: Address::of(&self.host, self.port)?,
            user: self.user.clone().unwrap_or_else(|| primary.user.clone()),
            password: self.password.clone().or_else(|| primary.password.clone()),
            database: self.database.clone().unwrap_or_else(|| primary.database.clone()),
            sslmode,
            ca_file: self.ca_file.clone().or(inherited_ca),
            ..primary.clone()
        }
        .checked()
    }
}

fn default_minimum() -> Proof {
    Proof::ReadOnly
}

fn default_observers() -> u32 {
    3
}

fn default_every() -> Duration {
    Duration::from_millis(500)
}

fn default_max_lag() -> Duration {
    Duration::from_secs(10)
}

fn default_wait() -> Duration {
    Duration::from_secs(10)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(params: serde_json::Value) -> Result<Plan, String> {
        Plan::of(&serde_json::from_value(params).unwrap()).map_err(|problem| problem.message)
    }

    #[test]
    fn the_candidate_takes_over_what_it_is_not_told() {
        let plan =
            plan(json!({"host": "db-a", "user": "ops", "candidate": {"host": "db-b", "database": "app"}}))
                .unwrap();
        assert_eq!(plan.candidate.user, "ops");
        assert_eq!(plan.candidate.database, "app");
        assert_eq!(plan.candidate.address.to_string(), "db-b:5432");
    }

    #[test]
    fn a_server_cannot_take_over_from_itself() {
        let why = plan(json!({"host": "db-a", "candidate": {"host": "db-a:5432"}})).unwrap_err();
        assert_eq!(why, "the old primary and the candidate are both db-a:5432");
    }

    #[test]
    fn isolation_cannot_be_proved_without_paths() {
        let params = json!({"host": "db-a", "candidate": {"host": "db-b"}, "minimum": "isolated"});
        assert!(plan(params).unwrap_err().contains("paths"));
    }
}
