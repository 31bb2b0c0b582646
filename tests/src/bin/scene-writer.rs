//! Writes numbered rows through a service's front and keeps a ledger of what it was told about each.
//!
//! `scene-writer PORT LEDGER ROWS_A_SECOND FIRST_NUMBER`: a client like any other, in a process of its own, so that what a
//! test does to itself does not disturb the measurement. SIGTERM lets the row in flight end first.

use std::env;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lifeboat_tests::ledger::{Answer, Entry, LedgerFile};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_postgres::error::Severity;
use tokio_postgres::{Client, Config, NoTls};

/// How long a client of the service waits for a connection, and for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [port, ledger, rate, first] = arguments.as_slice() else {
        return Err("usage: scene-writer PORT LEDGER ROWS_A_SECOND FIRST_NUMBER".into());
    };
    let mut writer = Writer::new(port.parse()?);
    let mut ledger = LedgerFile::open(Path::new(ledger))?;
    let mut ticks = interval(Duration::from_secs(1).div_f64(rate.parse()?));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = signal(SignalKind::terminate())?;
    for number in first.parse()?.. {
        tokio::select! {
            biased;
            _ = stop.recv() => break,
            _ = ticks.tick() => ledger.append(&writer.write(number).await?)?,
        }
    }
    Ok(())
}

/// A client with at most one connection, made anew after anything but an acknowledgement: behind a proxy, a server that
/// says no may be the wrong one.
struct Writer {
    target: Config,
    connection: Option<Client>,
}

impl Writer {
    fn new(port: u16) -> Self {
        let mut target = Config::new();
        target.host("127.0.0.1").port(port).user("postgres").dbname("postgres").application_name("writer");
        Self { target, connection: None }
    }

    async fn write(&mut self, number: u64) -> Result<Entry, Box<dyn Error>> {
        let start = now()?;
        let (answer, detail) = self.attempt(number).await;
        if answer != Answer::Acked {
            self.connection = None;
        }
        Ok(Entry { number, start, end: now()?, answer, detail })
    }

    async fn attempt(&mut self, number: u64) -> (Answer, String) {
        let client = match self.connect().await {
            Ok(client) => client,
            Err(why) => return (Answer::Failed, why),
        };
        let insert = format!("insert into orders(n) values ({number})");
        match timeout(PATIENCE, client.simple_query(&insert)).await {
            Ok(Ok(_)) => (Answer::Acked, String::new()),
            Ok(Err(error)) => (verdict(&error), describe(&error)),
            Err(_) => (Answer::Unknown, "no answer in time".to_owned()),
        }
    }

    async fn connect(&mut self) -> Result<&Client, String> {
        if self.connection.as_ref().is_none_or(Client::is_closed) {
            let (client, connection) = timeout(PATIENCE, self.target.connect(NoTls))
                .await
                .map_err(|_| "no connection in time".to_owned())?
                .map_err(|error| describe(&error))?;
            // Its errors come back through the client.
            tokio::spawn(connection);
            self.connection = Some(client);
        }
        self.connection.as_ref().ok_or_else(|| "no connection".to_owned())
    }
}

/// An error of the statement is a plain no. One that ends the session (shutdown, crash of a neighbour) may come after
/// the commit.
fn verdict(error: &tokio_postgres::Error) -> Answer {
    match error.as_db_error().and_then(tokio_postgres::error::DbError::parsed_severity) {
        Some(Severity::Error) => Answer::Failed,
        _ => Answer::Unknown,
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} {}", said.code().code(), said.message()),
        None => match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

fn now() -> Result<u64, Box<dyn Error>> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
