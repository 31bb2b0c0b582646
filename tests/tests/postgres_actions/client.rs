//! A client that stays connected.

use tokio::runtime::Runtime;

/// A session with a server.
pub(crate) struct Client {
    runtime: Runtime,
    client: tokio_postgres::Client,
}

impl Client {
    /// Logs in.
    pub(crate) fn open(port: u16) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let settings = format!("host=127.0.0.1 port={port} user=postgres");
            let (client, connection) =
                tokio_postgres::connect(&settings, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Self { runtime, client }
    }

    /// Carries out statements that answer no rows.
    pub(crate) fn execute(&self, statements: &str) -> Result<(), tokio_postgres::Error> {
        self.runtime.block_on(self.client.batch_execute(statements))
    }
}
