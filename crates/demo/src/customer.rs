//! The customer: writes numbered rows through the front, one after the other, and keeps count of what was acknowledged.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::http::call;

/// How long a customer thinks between two rows.
const PACE: Duration = Duration::from_millis(15);

/// A customer that writes for as long as the process lives, or until it is dropped.
#[derive(Debug)]
pub(crate) struct Customer {
    ledger: Arc<Mutex<Ledger>>,
}

/// What the customer knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// The newest acknowledged row; all rows before it were acknowledged too.
    pub(crate) acked: u64,
    /// Who acknowledged it.
    pub(crate) by: String,
    /// How often a write was refused or not answered.
    pub(crate) refusals: u64,
    /// The longest time between two acknowledgements.
    pub(crate) longest_wait: Duration,
    last: Option<Instant>,
    gone: bool,
}

impl Customer {
    pub(crate) fn start(front: SocketAddr) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let customer = Self { ledger: Arc::clone(&ledger) };
        thread::spawn(move || while write_next(&ledger, front) {});
        customer
    }

    /// What is known now.
    pub(crate) fn ledger(&self) -> Ledger {
        lock(&self.ledger).clone()
    }
}

impl Drop for Customer {
    fn drop(&mut self) {
        lock(&self.ledger).gone = true;
    }
}

/// Writes the next row, the same one again after a refusal. Says whether there is to be another.
fn write_next(ledger: &Mutex<Ledger>, front: SocketAddr) -> bool {
    let row = lock(ledger).acked + 1;
    let reply = call(front, "POST /rows", &json!({ "row": row }));
    let mut known = lock(ledger);
    match reply {
        Ok(reply) if reply.is_ok() => {
            let waited = known.last.replace(Instant::now()).map(|last| last.elapsed()).unwrap_or_default();
            known.longest_wait = known.longest_wait.max(waited);
            known.acked = row;
            known.by = reply.body["by"].as_str().unwrap_or_default().to_owned();
        }
        Ok(_) | Err(_) => known.refusals += 1,
    }
    let goes_on = !known.gone;
    drop(known);
    thread::sleep(PACE);
    goes_on
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
