//! One statement, on a connection of its own, with a time limit.

use std::thread;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

/// How long connecting and answering may take together: a frozen server accepts and says nothing.
const LIMIT: Duration = Duration::from_secs(4);

/// Runs `statement` on the server at `port` and returns the first column of its rows as text, null as the empty string.
///
/// Works inside an asynchronous test as well: it brings its own thread and runtime.
///
/// # Errors
/// What went wrong, in words: no connection, no answer in time, or the server's complaint.
pub(crate) fn column(port: u16, statement: &str) -> Result<Vec<String>, String> {
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .map_err(|error| error.to_string())?
                .block_on(async { timeout(LIMIT, ask(port, statement)).await })
                .map_err(|_| "no answer in time".to_owned())?
                .map_err(|error| error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string))
        });
        worker.join().unwrap_or_else(|_| Err("the query's thread panicked".to_owned()))
    })
}

async fn ask(port: u16, statement: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut target = Config::new();
    target.host("127.0.0.1").port(port).user("postgres").dbname("postgres").application_name("test");
    let (client, connection) = target.connect(NoTls).await?;
    // Its errors come back through the client; it ends when the client is dropped.
    let connection = tokio::spawn(connection);
    let answer = client.simple_query(statement).await?;
    drop(client);
    // The server's process is gone, or about to be, when the next fact is asked for.
    drop(connection.await);
    let rows = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    });
    Ok(rows.collect())
}
