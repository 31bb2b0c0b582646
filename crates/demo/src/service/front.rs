//! The front: sends customers' writes to the active region, and holds them back while that one is fenced.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::audit::Audit;
use crate::http::{Reply, Request, call};

/// How long an acknowledged write counts as recent.
const RECENT: Duration = Duration::from_secs(1);
/// How long a region may take to accept a connection before it counts as down.
const CONNECT: Duration = Duration::from_millis(300);

/// The front of the service.
#[derive(Debug)]
pub(super) struct Front {
    regions: [(&'static str, SocketAddr); 2],
    audit: Audit,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    active: &'static str,
    /// The region that gets no writes any more.
    fenced: Option<&'static str>,
    /// How many rows were acknowledged.
    acked: u64,
    last: Option<(&'static str, Instant)>,
    notice: Value,
}

impl Front {
    /// Opens the front with east as the active region.
    pub(super) fn open(folder: &Path, east: SocketAddr, west: SocketAddr) -> io::Result<Self> {
        let state = State { active: "east", fenced: None, acked: 0, last: None, notice: Value::Null };
        let regions = [("east", east), ("west", west)];
        Ok(Self { regions, audit: Audit::open(folder)?, state: Mutex::new(state) })
    }

    /// Answers a request.
    pub(super) fn answer(&self, request: &Request) -> Reply {
        let answer = match request.target.as_str() {
            "GET /health" => Ok(self.health()),
            "GET /notice" => Ok(Reply::ok(self.state().notice.clone())),
            "POST /rows" => Ok(self.forward(&request.body)),
            "POST /fence" => self.fence(&request.body),
            "PUT /route" => self.route(&request.body["to"]),
            "PUT /notice" => self.put_notice(&request.body),
            _ => Ok(Reply::refused(404, "there is nothing here")),
        };
        answer.unwrap_or_else(|error| Reply::refused(500, &error.to_string()))
    }

    fn health(&self) -> Reply {
        // Connecting may take a while: not under the lock.
        let up = self.regions.map(|(_, at)| TcpStream::connect_timeout(&at, CONNECT).is_ok());
        let word = |up| if up { "up" } else { "down" };
        let state = self.state();
        let recent = state.last.filter(|(_, at)| at.elapsed() < RECENT);
        Reply::ok(json!({
            "active": state.active,
            "fenced": state.fenced,
            "regions": { "east": word(up[0]), "west": word(up[1]) },
            "acked": state.acked,
            "writes_acked_by": recent.map(|(region, _)| region),
        }))
    }

    fn forward(&self, row: &Value) -> Reply {
        let State { active, fenced, .. } = *self.state();
        if fenced == Some(active) {
            return Reply::refused(503, "writes are held back: the region is fenced");
        }
        let Some(region) = self.region(active) else { return Reply::refused(500, "no such region") };
        match call(region.1, "POST /rows", row) {
            Ok(reply) if reply.is_ok() => {
                let mut state = self.state();
                (state.acked, state.last) = (state.acked + 1, Some((active, Instant::now())));
                reply
            }
            Ok(reply) => Reply::refused(503, reply.body["error"].as_str().unwrap_or("the region refused")),
            Err(error) => Reply::refused(502, &format!("{active} does not answer: {error}")),
        }
    }

    /// From now on no write reaches that region through here.
    fn fence(&self, fence: &Value) -> io::Result<Reply> {
        let Some((region, _)) = fence["region"].as_str().and_then(|name| self.region(name)) else {
            return Ok(Reply::refused(400, "no such region"));
        };
        let mut state = self.state();
        if state.fenced != Some(region) {
            self.audit.write(&format!("fenced {region} for {}", fence["by"]))?;
            state.fenced = Some(region);
        }
        Ok(Reply::ok(json!({ "fenced": region })))
    }

    fn route(&self, to: &Value) -> io::Result<Reply> {
        let Some((to, _)) = to.as_str().and_then(|name| self.region(name)) else {
            return Ok(Reply::refused(400, "no such region"));
        };
        let mut state = self.state();
        if state.active != to {
            if state.fenced != Some(state.active) {
                return Ok(Reply::refused(409, "the active region is not fenced"));
            }
            state.active = to;
            self.audit.write(&format!("routed customers to {to}"))?;
        }
        Ok(Reply::ok(json!({ "active": to })))
    }

    fn put_notice(&self, notice: &Value) -> io::Result<Reply> {
        self.audit.write("told people")?;
        self.state().notice = notice.clone();
        Ok(Reply::ok(Value::Null))
    }

    fn region(&self, name: &str) -> Option<(&'static str, SocketAddr)> {
        self.regions.into_iter().find(|(known, _)| *known == name)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
