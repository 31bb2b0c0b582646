//! A region: takes customers' rows while it is primary, copies of them while it is standby, and can be promoted.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::audit::Audit;
use crate::http::{Reply, Request, call};

/// How long a promotion takes: a real one waits for its log to be replayed.
const PROMOTION: Duration = Duration::from_secs(2);
/// How long rows wait for their copying. Replication is asynchronous, as it mostly is between regions: what was
/// acknowledged within this time is lost with the primary.
const REPLICATION: Duration = Duration::from_millis(150);
/// The parts of a complete search index.
pub(crate) const SHARDS: usize = 10;

/// One region. Cheap to share: all of it is behind an [`Arc`].
#[derive(Debug, Clone)]
pub(super) struct Region(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: &'static str,
    folder: PathBuf,
    audit: Audit,
    rows_file: File,
    state: Mutex<State>,
    promoted: Condvar,
}

#[derive(Debug)]
struct State {
    role: Role,
    rows: BTreeSet<u64>,
    /// Rows that the standby does not have.
    to_copy: Vec<u64>,
    promotions: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Primary,
    Standby,
    Promoting,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Standby => "standby",
            Self::Promoting => "promoting",
        }
    }
}

impl Region {
    /// Opens a region: a primary if it has a standby to copy rows to, a standby otherwise.
    pub(super) fn open(name: &'static str, folder: PathBuf, standby: Option<SocketAddr>) -> io::Result<Self> {
        let role = if standby.is_some() { Role::Primary } else { Role::Standby };
        let rows_file = OpenOptions::new().append(true).create(true).open(folder.join("rows"))?;
        let state = State { role, rows: BTreeSet::new(), to_copy: Vec::new(), promotions: 0 };
        let region = Self(Arc::new(Shared {
            name,
            audit: Audit::open(&folder)?,
            folder,
            rows_file,
            state: Mutex::new(state),
            promoted: Condvar::new(),
        }));
        if let Some(standby) = standby {
            let region = region.clone();
            thread::spawn(move || {
                loop {
                    thread::sleep(REPLICATION);
                    region.copy_to(standby);
                }
            });
        }
        Ok(region)
    }

    /// Answers a request.
    pub(super) fn answer(&self, request: &Request) -> Reply {
        let answer = match request.target.as_str() {
            "GET /health" => Ok(self.health()),
            "GET /role" => {
                Ok(Reply::ok(json!({ "region": self.0.name, "role": self.state().role.as_str() })))
            }
            "GET /ready" => Ok(self.ready(request)),
            "GET /index" => self.index(),
            "POST /rows" => self.take(&request.body["row"]),
            "POST /replicate" => self.replicate(&request.body["rows"]),
            "POST /promote" => self.promote(request),
            _ => Ok(Reply::refused(404, "there is nothing here")),
        };
        answer.unwrap_or_else(|error| Reply::refused(500, &error.to_string()))
    }

    fn health(&self) -> Reply {
        let state = self.state();
        Reply::ok(json!({
            "region": self.0.name,
            "role": state.role.as_str(),
            "rows": state.rows,
            "promotions": state.promotions,
        }))
    }

    /// Whether this region could take over after `acked` rows without losing more than `max_lost` of them.
    fn ready(&self, request: &Request) -> Reply {
        let (Some(acked), Some(max_lost)) = (request.number("acked"), request.number("max_lost")) else {
            return Reply::refused(400, "acked and max_lost must be numbers");
        };
        let newest = self.state().rows.last().copied().unwrap_or_default();
        let behind = acked.saturating_sub(newest);
        let status = if behind <= max_lost { 200 } else { 409 };
        Reply { status, body: json!({ "newest": newest, "behind": behind }) }
    }

    fn index(&self) -> io::Result<Reply> {
        let shards = match fs::read_dir(self.0.folder.join("index")) {
            Ok(entries) => entries.count(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Reply::ok(json!({ "shards": shards, "complete": shards == SHARDS })))
    }

    /// Takes a customer's row. The same row again is the same row.
    fn take(&self, row: &Value) -> io::Result<Reply> {
        let Some(row) = row.as_u64() else { return Ok(Reply::refused(400, "a row is a number")) };
        let mut state = self.state();
        if state.role != Role::Primary {
            return Ok(Reply::refused(409, "this region is not the primary"));
        }
        if state.rows.insert(row) {
            writeln!(&self.0.rows_file, "{row}")?;
            state.to_copy.push(row);
        }
        Ok(Reply::ok(json!({ "by": self.0.name })))
    }

    fn replicate(&self, rows: &Value) -> io::Result<Reply> {
        let mut state = self.state();
        if state.role != Role::Standby {
            return Ok(Reply::refused(409, "this region is not a standby"));
        }
        for row in rows.as_array().into_iter().flatten().filter_map(Value::as_u64) {
            if state.rows.insert(row) {
                writeln!(&self.0.rows_file, "{row}")?;
            }
        }
        Ok(Reply::ok(Value::Null))
    }

    fn copy_to(&self, standby: SocketAddr) {
        let rows = std::mem::take(&mut self.state().to_copy);
        if rows.is_empty() {
            return;
        }
        match call(standby, "POST /replicate", &json!({ "rows": rows })) {
            Ok(reply) if reply.is_ok() => {}
            Ok(_) | Err(_) => self.state().to_copy.splice(0..0, rows).for_each(drop),
        }
    }

    /// Becomes primary. Refuses without proof that the old primary is fenced, and never does it twice.
    fn promote(&self, request: &Request) -> io::Result<Reply> {
        let key = request.key.as_deref().unwrap_or("none");
        let Some(fence) = request.body["fence"].as_str().filter(|fence| !fence.is_empty()) else {
            return Ok(Reply::refused(
                409,
                "no fence, no promotion: customers could still reach the old primary",
            ));
        };
        let mut state = self.state();
        self.0.audit.write(&format!("promotion asked for, fence {fence}, key {key}"))?;
        if state.role == Role::Standby {
            (state.role, state.promotions) = (Role::Promoting, state.promotions + 1);
            self.0.audit.write(&format!("promotion {} began", state.promotions))?;
            drop(state);
            thread::sleep(PROMOTION);
            state = self.state();
            state.role = Role::Primary;
            self.0.audit.write(&format!("promotion {} done", state.promotions))?;
            self.0.promoted.notify_all();
        }
        while state.role == Role::Promoting {
            state = self.0.promoted.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(Reply::ok(json!({ "role": state.role.as_str(), "rows": state.rows.len() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(region: &Region, target: &str, body: Value) -> Reply {
        region.answer(&Request::new(target, None, body))
    }

    #[test]
    fn a_standby_takes_no_customers_and_is_promoted_once() {
        let folder = crate::scene::Folder::new().unwrap();
        let west = Region::open("west", folder.path().to_owned(), None).unwrap();
        assert_eq!(ask(&west, "POST /rows", json!({"row": 1})).status, 409);
        assert_eq!(ask(&west, "POST /promote", Value::Null).status, 409, "no fence");
        let twins = [west.clone(), west.clone()]
            .map(|west| thread::spawn(move || ask(&west, "POST /promote", json!({"fence": "run_1"})).status));
        assert_eq!(twins.map(|twin| twin.join().unwrap()), [200, 200]);
        assert_eq!(ask(&west, "GET /health", Value::Null).body["promotions"], 1);
        assert_eq!(ask(&west, "POST /rows", json!({"row": 1})).status, 200);
    }

    #[test]
    fn readiness_is_how_far_it_is_behind() {
        let folder = crate::scene::Folder::new().unwrap();
        let west = Region::open("west", folder.path().to_owned(), None).unwrap();
        assert!(ask(&west, "POST /replicate", json!({"rows": [1, 2, 3]})).is_ok());
        assert_eq!(ask(&west, "GET /ready?acked=5&max_lost=2", Value::Null).body["behind"], 2);
        assert_eq!(ask(&west, "GET /ready?acked=6&max_lost=2", Value::Null).status, 409);
    }
}
