//! What everybody sees of the old primary, and what that proves. Reads only.

use std::time::Duration;

use jiff::Timestamp;
use lifeboat_action::{ActionContext, Failure};

use crate::address::Address;
use crate::evidence::{FenceEvidence, Proof};
use crate::fence::params::Plan;
use crate::lag::Lag;
use crate::look::{Receiver, Server};
use crate::lsn::Lsn;
use crate::observers::{Absence, Sighting, observe};
use crate::path::Path;
use crate::reach::Unreached;
use crate::session::resolve;

/// The looks of one moment, taken together.
#[derive(Debug)]
pub(super) struct Survey {
    /// The candidate, looked at last.
    pub(super) candidate: Server,
    /// The end of the log that the candidate held before the old primary was looked at.
    held: Lsn,
    primary: Primary,
    primary_address: Address,
    paths: Vec<Path>,
    /// How the candidate still hears from the old primary, if it does.
    still_heard: Option<String>,
    down_since: Option<Timestamp>,
    taken_at: Timestamp,
}

/// The old primary, as seen from here.
#[derive(Debug)]
enum Primary {
    Answers(Box<Server>),
    Gone(Absence),
}

impl Survey {
    /// Looks at the candidate, the old primary, the paths, and the candidate again.
    pub(super) async fn take(context: &ActionContext, plan: &Plan) -> Result<Self, Failure> {
        let before = look_at_candidate(context, plan).await?;
        let primary = match observe(context, &plan.primary, plan.observers, plan.every).await {
            Sighting::Seen(server) => Primary::Answers(server),
            Sighting::Gone(absence) => Primary::Gone(absence),
            Sighting::Undecided(reach) => return Err(untouched(reach, &plan.primary.address)),
        };
        let mut paths = Vec::new();
        for address in &plan.paths {
            paths.push(Path::follow(context, &plan.primary, address.clone()).await);
        }
        let candidate = look_at_candidate(context, plan).await?;
        let still_heard = still_heard(plan, &before, &candidate).await;
        Ok(Self {
            candidate,
            held: before.lsn(),
            primary,
            primary_address: plan.primary.address.clone(),
            paths,
            still_heard,
            down_since: plan.down_since,
            taken_at: Timestamp::now(),
        })
    }

    pub(super) fn primary_address(&self) -> &Address {
        &self.primary_address
    }

    /// The clients' paths.
    pub(super) fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// The old primary, if it answers.
    pub(super) fn answering(&self) -> Option<&Server> {
        match &self.primary {
            Primary::Answers(server) => Some(server),
            Primary::Gone(_) => None,
        }
    }

    /// Why these servers are not an old primary and its candidate, if so.
    pub(super) fn mismatch(&self) -> Option<String> {
        let Server { address, .. } = &self.candidate;
        if self.candidate.as_standby().is_none() {
            return Some(format!("the candidate {address} is no standby: it is a {}", self.candidate));
        }
        if let Some(primary) = self.answering() {
            if primary.as_primary().is_none() {
                return Some(format!("{} is not a primary but a {primary}", primary.address));
            }
            if primary.system_identifier != self.candidate.system_identifier {
                return Some(format!(
                    "{} and {address} belong to different database clusters",
                    primary.address
                ));
            }
        }
        None
    }

    /// Why the candidate cannot have its log from the old primary, though both are of one cluster, if so. A copy of a
    /// cluster has its identifier, and a standby of the copy too.
    pub(super) fn strayed(&self) -> Option<String> {
        let primary = self.answering()?;
        let (candidate, held, end) = (&self.candidate.address, self.held, primary.lsn());
        (held > end).then(|| {
            let address = &primary.address;
            format!("{candidate} is no standby of {address}: it holds log up to {held}, and {address} has written {end}")
        })
    }

    /// Why the candidate lacks too much to take over, if so.
    pub(super) fn too_far_behind(&self, max_lag: Duration) -> Option<String> {
        let why = self.lag().exceeds(max_lag)?;
        Some(format!("the candidate {} is not fit: {why}", self.candidate.address))
    }

    /// What the candidate lacks.
    pub(super) fn lag(&self) -> Lag {
        match self.candidate.as_standby() {
            Some(standby) => Lag::measure(standby, self.answering().map(Server::lsn), self.lag_at()),
            None => Lag::default(),
        }
    }

    /// The strongest proof that these looks give.
    pub(super) fn proof(&self) -> Option<Proof> {
        let direct = match &self.primary {
            Primary::Answers(server) => (server.read_only && none_older(server)).then_some(Proof::ReadOnly),
            Primary::Gone(_) if self.still_heard.is_some() => None,
            Primary::Gone(absence) if absence.all_refused() => Some(Proof::Stopped),
            Primary::Gone(_) => Some(Proof::Unreachable),
        };
        let no_sessions = self.answering().is_none_or(none_open);
        direct.max((self.paths_closed() && no_sessions).then_some(Proof::Isolated))
    }

    /// The strongest proof there would be once an answering server was made read-only and its sessions ended.
    pub(super) fn attainable(&self) -> Option<Proof> {
        let made =
            self.answering().map(|_| if self.paths_closed() { Proof::Isolated } else { Proof::ReadOnly });
        made.max(self.proof())
    }

    /// Why there is no proof of that strength, and what would give it.
    pub(super) fn too_weak(&self, minimum: Proof) -> String {
        let address = &self.primary_address;
        let found = match self.proof() {
            Some(proof) => format!("the proof is only `{proof}`"),
            None => "there is no proof".to_owned(),
        };
        let seen = match &self.primary {
            Primary::Answers(server) => format!("it is a {server}"),
            Primary::Gone(absence) => format!("from here it is {}", absence.kind()),
        };
        let heard = self.still_heard.as_ref().map(|heard| format!("; {heard}")).unwrap_or_default();
        let open = self.paths.iter().filter(|path| !path.is_closed()).map(|path| format!("; {path}"));
        let open: String = open.collect();
        let how = match minimum {
            Proof::Stopped => "stop the server first",
            Proof::Isolated => "close every path in `paths` first",
            Proof::ReadOnly | Proof::Unreachable if self.answering().is_some() => {
                "let the role see all sessions (pg_read_all_stats), or stop the server first"
            }
            Proof::ReadOnly | Proof::Unreachable => {
                "stop the server, or close the clients' paths and name them in `paths`, first; `minimum: unreachable` \
                 accepts the risk that it still takes writes"
            }
        };
        format!("{address} is not fenced: {found} and `{minimum}` is asked for: {seen}{heard}{open}; {how}")
    }

    /// The proof as `postgres.promote` takes it.
    pub(super) fn evidence(&self, proof: Proof) -> FenceEvidence {
        FenceEvidence {
            proof,
            host: self.primary_address.to_string(),
            candidate: self.candidate.address.to_string(),
            fenced_at: self.taken_at,
            lag_at: self.lag_at(),
            last_lsn: self.answering().map(Server::lsn),
            system_identifier: self.candidate.system_identifier.clone(),
            observed_by: self.observed_by(),
        }
    }

    fn lag_at(&self) -> Timestamp {
        match &self.primary {
            Primary::Answers(server) => server.looked_at,
            Primary::Gone(absence) => self.down_since.map_or(absence.since, |since| since.min(absence.since)),
        }
    }

    fn paths_closed(&self) -> bool {
        !self.paths.is_empty() && self.paths.iter().all(Path::is_closed)
    }

    fn observed_by(&self) -> Vec<String> {
        let mut looks = match &self.primary {
            Primary::Answers(server) => {
                vec![format!("{:.3}: {} is a {server}", server.looked_at, server.address)]
            }
            Primary::Gone(absence) => absence.words(&self.primary_address),
        };
        looks.extend(self.paths.iter().map(|path| format!("{:.3}: {path}", self.taken_at)));
        let heard = self
            .still_heard
            .clone()
            .unwrap_or_else(|| format!("{} hears nothing from it", self.candidate.address));
        if self.answering().is_none() {
            looks.push(format!("{:.3}: {heard}", self.candidate.looked_at));
        }
        looks
    }
}

fn none_open(server: &Server) -> bool {
    server.as_primary().and_then(|primary| primary.sessions).is_some_and(|sessions| sessions.open == 0)
}

fn none_older(server: &Server) -> bool {
    server.as_primary().and_then(|primary| primary.sessions).is_some_and(|sessions| sessions.older == 0)
}

async fn look_at_candidate(context: &ActionContext, plan: &Plan) -> Result<Server, Failure> {
    let Plan { candidate, .. } = plan;
    Server::look_at(context, candidate).await.map_err(|reach| {
        let who = format!("the candidate {}", candidate.address);
        untouched(reach, &who)
    })
}

fn untouched(reach: Unreached, server: &dyn std::fmt::Display) -> Failure {
    let mut failure = reach.into_failure(server);
    failure.message.push_str(": nothing was touched");
    failure
}

/// Whether the candidate heard from the old primary while it was not to be reached from here. Log that grew was written
/// by a live primary, whoever passed it on; a message counts when it came from the old primary's own address.
async fn still_heard(plan: &Plan, before: &Server, after: &Server) -> Option<String> {
    let first = before.as_standby()?.receiver.as_ref()?;
    let last = after.as_standby()?.receiver.as_ref()?;
    let grew = last.latest_end > first.latest_end;
    let message = last.heard_at > first.heard_at;
    let heard = grew || (message && is_from(plan, last).await);
    heard.then(|| format!("{} still receives from {}", after.address, last.from))
}

pub(super) async fn is_from(plan: &Plan, receiver: &Receiver) -> bool {
    let primary = &plan.primary;
    if receiver.from == primary.address {
        return true;
    }
    let (ours, theirs) = (resolve(primary).await, resolve(&primary.at(receiver.from.clone())).await);
    matches!((ours, theirs), (Ok(ours), Ok(theirs)) if theirs.iter().any(|address| ours.contains(address)))
}
