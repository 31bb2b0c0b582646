//! A session with one server. Every exchange has a bound of its own and gives way to cancellation.
//!
//! The TCP connection is opened here and not by the protocol library, so that a refused port, a silent host and a
//! server that accepts and then says nothing are told apart.

use std::net::SocketAddr;
use std::time::Duration;

use lifeboat_action::{ActionContext, Failure, NetworkFault};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::debug;

use crate::connection::Target;
use crate::reach::Unreached;
use crate::sqlstate::{may_pass, words};
use crate::tls;

/// A session that is logged in.
#[derive(Debug)]
pub(crate) struct Session {
    /// For statements; give their futures to [`Link::bounded`].
    pub(crate) client: Client,
    /// What bounds them.
    pub(crate) link: Link,
}

/// The other half of a session: how long an answer may take, and how to call a statement off.
pub(crate) struct Link {
    peer: SocketAddr,
    host: String,
    tls: MakeRustlsConnect,
    cancel: tokio_postgres::CancelToken,
    driver: JoinHandle<()>,
    connect_timeout: Duration,
    /// The server ends a statement by itself after `statement_timeout`; only then, and if it is frozen, we do.
    answer_timeout: Duration,
}

/// How a statement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatementError {
    /// The server answered with an error.
    #[error("{}", words(.0))]
    Refused(tokio_postgres::Error),
    /// The connection broke: nobody knows whether the statement was carried out.
    #[error("the connection broke: {words}")]
    Lost {
        /// Which side it was.
        fault: NetworkFault,
        /// The error.
        words: String,
    },
    /// No answer came within the bound.
    #[error("no answer within {0:?}")]
    Silent(Duration),
    /// The step was cancelled.
    #[error("the step was cancelled")]
    Cancelled,
}

impl Session {
    /// Opens a connection and logs in, trying every address the name resolves to.
    pub(crate) async fn open(context: &ActionContext, target: &Target) -> Result<Self, Unreached> {
        let config = config(context, target);
        tokio::select! {
            biased;
            () = context.cancelled() => Err(Unreached::Cancelled),
            session = open(&config, target) => session,
        }
    }

    /// Carries out statements that answer no rows.
    pub(crate) async fn execute(&self, context: &ActionContext, sql: &str) -> Result<(), StatementError> {
        self.link.bounded(context, self.client.batch_execute(sql)).await
    }
}

impl Link {
    /// Waits for an answer within the bound. What is given up is called off at the server, as far as it listens.
    pub(crate) async fn bounded<T>(
        &self,
        context: &ActionContext,
        exchange: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StatementError> {
        let given_up = tokio::select! {
            biased;
            answer = exchange => return answer.map_err(StatementError::from),
            () = context.cancelled() => StatementError::Cancelled,
            () = tokio::time::sleep(self.answer_timeout) => StatementError::Silent(self.answer_timeout),
        };
        if let Err(why) =
            timeout(self.connect_timeout, self.call_off()).await.unwrap_or(Err("no answer".to_owned()))
        {
            debug!(peer = %self.peer, why, "a statement that was given up could not be called off");
        }
        self.driver.abort();
        Err(given_up)
    }

    async fn call_off(&self) -> Result<(), String> {
        let stream = TcpStream::connect(self.peer).await.map_err(|error| error.to_string())?;
        let tls = tls_for(&self.tls, &self.host);
        self.cancel.cancel_query_raw(stream, tls).await.map_err(|error| words(&error))
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl StatementError {
    /// The code, when the server answered with one.
    pub(crate) fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Refused(error) => error.code(),
            Self::Lost { .. } | Self::Silent(_) | Self::Cancelled => None,
        }
    }

    /// Whether the server has said that it did not do it.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// The failure of a step that has changed nothing.
    pub(crate) fn into_failure(self, what: &str) -> Failure {
        let message = format!("{what}: {self}");
        match self.code() {
            Some(code) if !may_pass(code) => Failure::permanent(message),
            _ => Failure::transient(message),
        }
    }
}

impl From<tokio_postgres::Error> for StatementError {
    fn from(error: tokio_postgres::Error) -> Self {
        let ended = error.code().is_some_and(|code| matches!(code.code(), "57P01" | "57P02"));
        let fault =
            if error.is_closed() || ended { Some(NetworkFault::Closed) } else { NetworkFault::of(&error) };
        match fault {
            Some(fault) => Self::Lost { fault, words: words(&error) },
            None => Self::Refused(error),
        }
    }
}

fn config(context: &ActionContext, target: &Target) -> Config {
    let info = context.info();
    let mut config = Config::new();
    config
        .user(&target.user)
        .dbname(&target.database)
        .application_name(format!("lifeboat {} {}", info.run, info.step))
        // At login, so that it takes the place of a role's own setting before the first statement.
        .options(format!("-c statement_timeout={}", target.statement_timeout.as_millis()))
        .ssl_mode(target.sslmode.negotiation());
    if let Some(password) = &target.password {
        config.password(password.reveal());
    }
    config
}

async fn open(config: &Config, target: &Target) -> Result<Session, Unreached> {
    let tls = tls::connector(target.sslmode, target.ca_file.as_deref()).map_err(Unreached::NotTried)?;
    let mut failed = Vec::new();
    for address in resolve(target).await? {
        match open_at(address, config, target, &tls).await {
            Ok(session) => return Ok(session),
            Err(reach) if reach.answered() => return Err(reach),
            // Another address of the same name may lead to it.
            Err(reach) => failed.push((address, reach)),
        }
    }
    let none = || Unreached::NotTried(format!("{} has no address", target.address.host));
    Err(Unreached::of_all(&failed).unwrap_or_else(none))
}

/// The addresses of a target's host. A name that does not resolve says nothing about the server.
pub(crate) async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, Unreached> {
    let address = &target.address;
    let lookup = tokio::net::lookup_host((address.host.as_str(), address.port));
    match timeout(target.connect_timeout, lookup).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(Unreached::NotTried(format!("its name does not resolve: {error}"))),
        Err(_) => Err(Unreached::NotTried("its name does not resolve in time".to_owned())),
    }
}

async fn open_at(
    peer: SocketAddr,
    config: &Config,
    target: &Target,
    tls: &MakeRustlsConnect,
) -> Result<Session, Unreached> {
    let deadline = Instant::now() + target.connect_timeout;
    let stream = match timeout_at(deadline, TcpStream::connect(peer)).await {
        Ok(stream) => stream.map_err(|error| Unreached::from_connect(&error))?,
        Err(_) => {
            return Err(Unreached::Unreachable(format!("no answer within {:?}", target.connect_timeout)));
        }
    };
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%peer, %error, "small packets may be held back");
    }
    let host = target.address.host.clone();
    let login = config.connect_raw(stream, tls_for(tls, &host));
    let (client, connection) = match timeout_at(deadline, login).await {
        Ok(session) => session.map_err(|error| Unreached::from_login(&error))?,
        Err(_) => return Err(Unreached::Silent(target.connect_timeout)),
    };
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            debug!(%peer, error = words(&error), "a session ended");
        }
    });
    let link = Link {
        peer,
        host,
        tls: tls.clone(),
        cancel: client.cancel_token(),
        driver,
        connect_timeout: target.connect_timeout,
        answer_timeout: target.statement_timeout.saturating_add(target.connect_timeout),
    };
    Ok(Session { client, link })
}

fn tls_for(
    tls: &MakeRustlsConnect,
    host: &str,
) -> <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::TlsConnect {
    let Ok(connect) = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls.clone(), host);
    connect
}
