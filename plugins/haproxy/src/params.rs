//! The parameters and outputs of `haproxy.set_server`.

use std::time::Duration;

use lifeboat_action::ParamProblem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::socket::Address;

/// Where Debian and most others put the runtime socket.
const USUAL_SOCKET: &str = "/run/haproxy/admin.sock";

/// What to set of which server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// HAProxy's runtime socket: the absolute path of a unix socket, or `host:port`. It must have `level admin`.
    #[serde(default = "usual_socket")]
    #[schemars(with = "String", default = "usual_socket_text")]
    pub(crate) socket: Address,
    /// The backend (or `listen` section) that the server belongs to.
    #[schemars(with = "String")]
    pub(crate) backend: Name,
    /// The server's name in that backend.
    #[schemars(with = "String")]
    pub(crate) server: Name,
    /// `ready`: takes traffic as its health checks allow. `drain`: takes no new clients, known ones may come back.
    /// `maint`: takes no traffic and is not checked.
    pub(crate) state: State,
    /// The server's weight, 0 to 256. Weight 0 takes no new clients. Left as it is when not given.
    #[serde(default)]
    #[schemars(range(max = 256))]
    pub(crate) weight: Option<Weight>,
    /// `up`: count the server as healthy at once instead of waiting for its checks; the next checks may say otherwise.
    /// Only with `state: ready`.
    #[serde(default)]
    pub(crate) health: Option<Health>,
    /// Whether to close the sessions that are open on the server: `maint` alone leaves them alive, so that clients
    /// would go on writing to a server that is out of service. True when not given. Only with `state: maint`.
    #[serde(default)]
    pub(crate) shutdown_sessions: Option<bool>,
    /// Wait that long, such as `30s`, for the server to pass its health checks. Without it, `ready` is in place as
    /// soon as HAProxy may use the server, even while the server is still DOWN. Only with `state: ready`.
    #[serde(default, with = "lifeboat_action::duration::option")]
    #[schemars(schema_with = "lifeboat_action::duration::schema")]
    pub(crate) wait_until_up: Option<Duration>,
}

impl Params {
    /// Parameters that are right for themselves and wrong together.
    pub(crate) fn contradictions(&self) -> Vec<ParamProblem> {
        let given = [
            ("health", State::Ready, self.health.is_some()),
            ("wait_until_up", State::Ready, self.wait_until_up.is_some()),
            ("shutdown_sessions", State::Maint, self.shutdown_sessions.is_some()),
        ];
        let wrong = given.into_iter().filter(|(_, needs, given)| *given && *needs != self.state);
        let problem = |(key, needs, _)| {
            ParamProblem::new(format!("`{key}` goes with `state: {needs}`, not with `{}`", self.state))
                .about([key])
                .about(["state"])
        };
        wrong.map(problem).collect()
    }

    /// Whether open sessions are to be closed.
    pub(crate) fn closes_sessions(&self) -> bool {
        self.state == State::Maint && self.shutdown_sessions.unwrap_or(true)
    }
}

fn usual_socket() -> Address {
    Address::Unix(USUAL_SOCKET.to_owned())
}

fn usual_socket_text() -> String {
    USUAL_SOCKET.to_owned()
}

/// A backend's or server's name, in the letters HAProxy allows: none of them can end a command or begin another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if (1..=256).contains(&text.len()) && text.chars().all(allowed) {
            return Ok(Self(text));
        }
        Err(format!("{text:?} is not a name HAProxy allows: use letters, digits, `-`, `_`, `.` and `:`"))
    }
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an operator set a server to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Ready,
    Drain,
    Maint,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maint => "maint",
        })
    }
}

/// The health an operator can force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Health {
    Up,
}

/// 0 to 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u16", into = "u16")]
pub(crate) struct Weight(u16);

impl TryFrom<u16> for Weight {
    type Error = String;

    fn try_from(number: u16) -> Result<Self, String> {
        if number <= 256 { Ok(Self(number)) } else { Err(format!("{number} is more than 256")) }
    }
}

impl From<Weight> for u16 {
    fn from(weight: Weight) -> u16 {
        weight.0
    }
}

impl std::fmt::Display for Weight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A server as HAProxy saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Seen {
    /// What it is set to.
    pub(crate) state: State,
    /// The weight it is set to, 0 to 256.
    pub(crate) weight: Weight,
    /// HAProxy's word for it, such as `UP`, `DOWN 1/2`, `MAINT`, `DRAIN` or `no check`.
    pub(crate) status: String,
    /// How many sessions are open on it.
    pub(crate) sessions: u64,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { state, weight, status, sessions } = self;
        write!(f, "{state} ({status}), weight {weight}, {}", count(*sessions))
    }
}

/// A number of sessions in words.
pub(crate) fn count(sessions: u64) -> String {
    match sessions {
        0 => "no sessions".to_owned(),
        1 => "1 session".to_owned(),
        more => format!("{more} sessions"),
    }
}

/// What `haproxy.set_server` gives to later steps.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Outputs {
    /// The server before the change; missing where nothing had to be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Seen>,
    /// The server now.
    pub(crate) after: Seen,
    /// How many sessions were closed.
    pub(crate) sessions_closed: u64,
}

impl From<Outputs> for lifeboat_model::outcome::Outputs {
    fn from(outputs: Outputs) -> Self {
        match serde_json::to_value(outputs) {
            Ok(serde_json::Value::Object(map)) => map,
            other => panic!("bug: outputs are a JSON object, not {other:?}"),
        }
    }
}
