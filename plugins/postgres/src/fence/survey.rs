//! What everybody sees of the old primary, and what that proves. Reads only.

mod words;

use std::time::Duration;

use jiff::Timestamp;
use lifeboat_action::{ActionContext, Failure};

use crate::address::Address;
use crate::evidence::{FenceEvidence, Proof};
use crate::fence::params::Plan;
use crate::fence::witness::Witness;
use crate::lag::Lag;
use crate::look::Server;
use crate::lsn::Lsn;
use crate::observers::{Absence, Sighting, observe};
use crate::path::Path;
use crate::reach::Unreached;

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
    taken_at: Timestamp,
}

/// The old primary, as seen from here.
#[derive(Debug)]
enum Primary {
    Answers(Box<Server>),
    Gone {
        absence: Absence,
        /// The moment at which it was first seen gone.
        since: Timestamp,
        witness: Witness,
    },
}

impl Survey {
    /// Looks at the candidate, the old primary, the paths, and the candidate again.
    pub(super) async fn take(context: &ActionContext, plan: &Plan) -> Result<Self, Failure> {
        let before = look_at_candidate(context, plan).await?;
        let sighting = observe(context, &plan.primary, plan.observers, plan.every).await;
        let mut paths = Vec::new();
        for address in &plan.paths {
            paths.push(Path::follow(context, &plan.primary, address.clone()).await);
        }
        let candidate = look_at_candidate(context, plan).await?;
        let primary = match sighting {
            Sighting::Seen(server) => Primary::Answers(server),
            Sighting::Gone(absence) => {
                let witness = Witness::ask(context, plan, &candidate, &absence).await;
                Primary::Gone { since: plan.gone_since(&absence), absence, witness }
            }
            Sighting::Undecided(reach) => return Err(untouched(reach, &plan.primary.address)),
        };
        Ok(Self {
            candidate,
            held: before.lsn(),
            primary,
            primary_address: plan.primary.address.clone(),
            paths,
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
            Primary::Gone { .. } => None,
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
        self.paths.iter().filter_map(Path::primary).find_map(|server| self.wrong_end(server))
    }

    /// Why no path may lead to this primary, whatever becomes of the old one, if so.
    fn wrong_end(&self, server: &Server) -> Option<String> {
        let Server { address, timeline, .. } = &self.candidate;
        if server.system_identifier != self.candidate.system_identifier {
            return Some(format!(
                "path {} leads to another database cluster than {address}: name the paths by which clients get there",
                server.address
            ));
        }
        // Only a promotion begins a timeline.
        (server.timeline > *timeline).then(|| {
            format!(
                "path {} leads to a {server}, which {address} on timeline {timeline} does not follow: another server has \
                 taken over",
                server.address
            )
        })
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

    /// The strongest proof that these looks give: none while anybody hears a primary.
    pub(super) fn proof(&self) -> Option<Proof> {
        if !self.heard().is_empty() {
            return None;
        }
        let direct = match &self.primary {
            Primary::Answers(server) => (server.read_only && none_older(server)).then_some(Proof::ReadOnly),
            Primary::Gone { absence, .. } if absence.all_refused() => Some(Proof::Stopped),
            Primary::Gone { .. } => Some(Proof::Unreachable),
        };
        let no_sessions = self.answering().is_none_or(none_open);
        direct.max((self.paths_closed() && no_sessions).then_some(Proof::Isolated))
    }

    /// The strongest proof there would be once an answering server was made read-only and its sessions ended.
    pub(super) fn attainable(&self) -> Option<Proof> {
        if self.answering().is_none() || !self.heard().is_empty() {
            return self.proof();
        }
        let made = if self.paths_closed() { Proof::Isolated } else { Proof::ReadOnly };
        self.proof().max(Some(made))
    }

    /// Who hears a primary that must not be heard, in words. One that does not answer here is heard through the
    /// candidate or a path; one that answers and is read-only is not the one that takes writes at the end of a path.
    fn heard(&self) -> Vec<String> {
        let through = |writable: bool| {
            let leads =
                move |path: &&Path| path.primary().is_some_and(|server| !writable || server.accepts_writes());
            self.paths.iter().filter(leads).map(Path::to_string)
        };
        match &self.primary {
            Primary::Answers(server) if server.read_only => through(true).collect(),
            Primary::Answers(_) => Vec::new(),
            Primary::Gone { witness: Witness::Hears(word), .. } => {
                std::iter::once(word.clone()).chain(through(false)).collect()
            }
            Primary::Gone { .. } => through(false).collect(),
        }
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
            Primary::Gone { since, .. } => *since,
        }
    }

    fn paths_closed(&self) -> bool {
        !self.paths.is_empty() && self.paths.iter().all(Path::is_closed)
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

#[cfg(test)]
mod tests;
