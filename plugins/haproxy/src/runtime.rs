//! The few commands that are needed, and what HAProxy's answers to them mean.

use lifeboat_action::{ActionContext, Failure, FailureKind};
use lifeboat_model::nearest;

use crate::params::{Name, Params, Seen, State, Weight};
use crate::socket::{Address, NoAnswer, ask};
use crate::table::{Row, Table};

/// One server, as reached through one runtime socket.
#[derive(Debug)]
pub(crate) struct Runtime<'c> {
    context: &'c ActionContext,
    socket: &'c Address,
    backend: &'c Name,
    server: &'c Name,
}

/// A server, and what keeps it from being what it is set to.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) seen: Seen,
    /// Set, in words, while the server is kept out of service by something that an operator's state cannot override.
    pub(crate) held: Option<&'static str>,
}

/// Why the server could not be looked at, or not be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// No answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// HAProxy has no such backend or server.
    #[error("{0}")]
    Missing(String),
    /// HAProxy said no, in these words.
    #[error("HAProxy refused `{command}`: {words}")]
    Refused { command: String, words: String },
    /// An answer that makes no sense.
    #[error("HAProxy's answer to `{command}` is not understood: {words}")]
    Garbled { command: String, words: String },
}

impl Refusal {
    /// As the failure of looking, when nothing was changed yet.
    pub(crate) fn of_looking(&self) -> Failure {
        let kind = match self {
            Self::NoAnswer(_) => FailureKind::Transient,
            Self::Missing(_) | Self::Refused { .. } | Self::Garbled { .. } => FailureKind::Permanent,
        };
        Failure::new(kind, self.to_string())
    }

    /// As the failure of a change.
    pub(crate) fn of_changing(&self) -> Failure {
        let kind = match self {
            Self::NoAnswer(NoAnswer::NotSent { .. }) => FailureKind::Transient,
            Self::NoAnswer(NoAnswer::Lost { .. }) => FailureKind::Unknown,
            Self::Missing(_) | Self::Refused { .. } | Self::Garbled { .. } => FailureKind::Permanent,
        };
        Failure::new(kind, self.to_string())
    }
}

impl<'c> Runtime<'c> {
    pub(crate) fn new(context: &'c ActionContext, params: &'c Params) -> Self {
        let Params { socket, backend, server, .. } = params;
        Self { context, socket, backend, server }
    }

    /// Looks at the server.
    pub(crate) async fn look(&self) -> Result<Server, Refusal> {
        let command = format!("show servers state {}", self.backend);
        let answer = self.ask(&command).await?;
        if answer.starts_with("Can't find backend") {
            return Err(self.no_such_backend().await);
        }
        let table = Table::spaced(&answer).ok_or_else(|| self.not_a_table(&command, &answer))?;
        let row = table.rows().find(|row| row.get("srv_name") == Some(&self.server.as_str()));
        let row = row.ok_or_else(|| self.no_such_server(&table))?;
        let garbled = || self.garbled(&command, &answer);
        let admin: u32 = number(&row, "srv_admin_state").ok_or_else(garbled)?;
        let weight = number(&row, "srv_uweight").and_then(|number: u16| Weight::try_from(number).ok());
        let (status, sessions) = self.statistics(&row).await?;
        let seen = Seen { state: state(admin), weight: weight.ok_or_else(garbled)?, status, sessions };
        Ok(Server { seen, held: held(admin) })
    }

    /// Status and number of sessions. Asked for by number, since `show stat` takes a name that starts with a digit
    /// for a number.
    async fn statistics(&self, row: &Row<'_>) -> Result<(String, u64), Refusal> {
        let (backend, server): (Option<u32>, Option<u32>) = (number(row, "be_id"), number(row, "srv_id"));
        let (Some(backend), Some(server)) = (backend, server) else {
            return Err(self.garbled("show servers state", "a row without `be_id` and `srv_id`"));
        };
        let command = format!("show stat {backend} 4 {server}");
        let answer = self.ask(&command).await?;
        let table = Table::csv(&answer).ok_or_else(|| self.not_a_table(&command, &answer))?;
        let found = table.rows().find_map(|row| {
            let ours = row.get("svname") == Some(&self.server.as_str());
            Some((row.get("status").filter(|_| ours)?.to_string(), number(&row, "scur")?))
        });
        found.ok_or_else(|| self.garbled(&command, &answer))
    }

    /// Whether the socket may change things, or what it says its level is.
    pub(crate) async fn level(&self) -> Result<String, Refusal> {
        Ok(self.ask("show cli level").await?.trim().to_owned())
    }

    /// Sets the server's state.
    pub(crate) async fn set_state(&self, state: State) -> Result<(), Refusal> {
        self.change(&format!("set server {self} state {state}")).await
    }

    /// Sets the server's weight.
    pub(crate) async fn set_weight(&self, weight: Weight) -> Result<(), Refusal> {
        self.change(&format!("set server {self} weight {weight}")).await
    }

    /// Makes HAProxy count the server as healthy.
    pub(crate) async fn set_healthy(&self) -> Result<(), Refusal> {
        self.change(&format!("set server {self} health up")).await
    }

    /// Closes every session that is open on the server.
    pub(crate) async fn shutdown_sessions(&self) -> Result<(), Refusal> {
        self.change(&format!("shutdown sessions server {self}")).await
    }

    async fn change(&self, command: &str) -> Result<(), Refusal> {
        let answer = self.ask(command).await?;
        if answer.trim().is_empty() { Ok(()) } else { Err(self.refused(command, &answer)) }
    }

    async fn ask(&self, command: &str) -> Result<String, NoAnswer> {
        ask(self.context, self.socket, command).await
    }

    fn not_a_table(&self, command: &str, answer: &str) -> Refusal {
        if answer.contains("# ") { self.garbled(command, answer) } else { self.refused(command, answer) }
    }

    fn refused(&self, command: &str, answer: &str) -> Refusal {
        Refusal::Refused { command: command.to_owned(), words: self.start(answer) }
    }

    fn garbled(&self, command: &str, answer: &str) -> Refusal {
        Refusal::Garbled { command: command.to_owned(), words: self.start(answer) }
    }

    /// The start of an answer. Masked before it is cut: half a secret would not be recognised.
    fn start(&self, answer: &str) -> String {
        start(&self.context.masker().mask(answer))
    }

    async fn no_such_backend(&self) -> Refusal {
        let known = self.ask("show backend").await.ok();
        let table = known.as_deref().and_then(Table::spaced);
        let names = table.iter().flat_map(Table::rows).filter_map(|row| row.get("name").copied());
        Refusal::Missing(missing("backend", self.backend, names))
    }

    fn no_such_server(&self, table: &Table) -> Refusal {
        let names = table.rows().filter_map(|row| row.get("srv_name").copied());
        let what = format!("server in backend `{}`", self.backend);
        Refusal::Missing(missing(&what, self.server, names))
    }
}

impl std::fmt::Display for Runtime<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.backend, self.server)
    }
}

fn missing<'n>(what: &str, name: &Name, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<_> = known.collect();
    let hint = match nearest(name.as_str(), known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there are: {}", start(&known.join(", "))),
    };
    format!("HAProxy has no {what} named `{name}`{hint}")
}

fn number<N: std::str::FromStr>(row: &Row<'_>, column: &str) -> Option<N> {
    row.get(column)?.parse().ok()
}

/// HAProxy's bits of `srv_admin_state`: what an operator forced.
fn state(admin: u32) -> State {
    const FORCED_MAINT: u32 = 0x01;
    const FORCED_DRAIN: u32 = 0x08;
    if admin & FORCED_MAINT != 0 {
        State::Maint
    } else if admin & FORCED_DRAIN != 0 {
        State::Drain
    } else {
        State::Ready
    }
}

/// HAProxy's bits of `srv_admin_state`: what the server cannot get rid of by an operator's word.
fn held(admin: u32) -> Option<&'static str> {
    const INHERITED_MAINT: u32 = 0x02;
    const INHERITED_DRAIN: u32 = 0x10;
    const UNRESOLVED: u32 = 0x20;
    let holds = [
        (INHERITED_MAINT, "the server it tracks is in maintenance"),
        (INHERITED_DRAIN, "the server it tracks is draining"),
        (UNRESOLVED, "its name does not resolve"),
    ];
    holds.into_iter().find(|(bit, _)| admin & bit != 0).map(|(_, why)| why)
}

/// The start of a text, on one line: enough for a message.
fn start(text: &str) -> String {
    const MOST: usize = 200;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_forced_is_told_from_what_is_inherited() {
        assert_eq!(state(0x05), State::Maint, "disabled in the configuration");
        assert_eq!(state(0x04), State::Ready, "disabled in the configuration, made ready since");
        assert_eq!(state(0x0c), State::Drain);
        assert_eq!((state(0x02), held(0x02).is_some()), (State::Ready, true));
        assert_eq!(held(0x0d), None);
    }

    #[test]
    fn long_answers_are_cut_and_kept_on_one_line() {
        assert_eq!(start("a\nb"), "a b");
        assert_eq!(start(&"é".repeat(1000)).chars().count(), 202);
    }
}
