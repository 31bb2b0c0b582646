//! Rehearsing the fencing of a primary that lives, between incidents.
//!
//! A run gets here only when the primary is down, and after steps of its own that close the clients' paths. Neither is
//! so in a rehearsal, so an open path or a writable primary is no obstacle but what is going to change. Wrong would be
//! a candidate that is none, or lacks too much (which the survey has refused by now), or follows another server, and a
//! path that leads to another cluster.

use lifeboat_action::{ActionContext, Change, Observation};

use super::params::{FenceParams, Plan};
use super::survey::{Survey, is_from};
use super::{rights, with_sessions};
use crate::evidence::Proof;
use crate::look::Server;
use crate::path::Path;

/// What there is to change, or what would be in the way.
pub(super) async fn observation(
    context: &ActionContext,
    params: &FenceParams,
    survey: &Survey,
    primary: &Server,
) -> Observation {
    let elsewhere = survey.paths().iter().find_map(|path| leads_elsewhere(path, primary));
    if let Some(why) = survey.strayed().or(elsewhere) {
        return Observation::Blocked { why };
    }
    let plan = match Plan::of(params) {
        Ok(plan) => plan,
        Err(problem) => return Observation::Blocked { why: problem.message },
    };
    let obstacle = match params.minimum {
        // Only somebody else can stop it.
        Proof::Stopped => None,
        Proof::Unreachable | Proof::ReadOnly | Proof::Isolated => {
            rights::obstacle(context, &plan.primary).await
        }
    };
    let before = std::iter::once(with_sessions(primary))
        .chain(survey.paths().iter().map(where_it_leads))
        .chain([follows(&plan, survey).await]);
    let after = std::iter::once(format!("takes no writes ({})", params.minimum))
        .chain(left_to_others(params.minimum, survey))
        .chain(obstacle.map(|why| format!("only if it is gone by then, because {why}")));
    let change = Change { before: joined(before), after: joined(after) };
    Observation::Pending { change }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

/// Why a path would prove nothing about this primary.
fn leads_elsewhere(path: &Path, primary: &Server) -> Option<String> {
    match path {
        Path::Primary(server) if server.system_identifier != primary.system_identifier => Some(format!(
            "path {} leads to another database cluster than {}: name the paths by which clients get there",
            server.address, primary.address
        )),
        Path::Primary(_) | Path::Nowhere(..) | Path::Standby(_) | Path::Unclear(..) => None,
    }
}

fn where_it_leads(path: &Path) -> String {
    match path {
        Path::Primary(server) => format!("path {} leads to a primary of this cluster", server.address),
        Path::Nowhere(..) | Path::Standby(_) | Path::Unclear(..) => path.to_string(),
    }
}

/// How the candidate stands to the primary now. It may know the primary by another address, or receive from a standby.
async fn follows(plan: &Plan, survey: &Survey) -> String {
    let candidate = &survey.candidate;
    let from = match candidate.as_standby().and_then(|standby| standby.receiver.as_ref()) {
        Some(receiver) if is_from(plan, receiver).await => "receives from it".to_owned(),
        Some(receiver) => format!("receives from {}", receiver.from),
        None => "receives nothing".to_owned(),
    };
    format!(
        "{} is a standby of this cluster and {from}: {} as of now",
        candidate.address,
        survey.lag().words()
    )
}

/// What the incident, or steps before this one, have to bring about.
fn left_to_others(minimum: Proof, survey: &Survey) -> Option<String> {
    match minimum {
        Proof::Isolated if survey.paths().iter().any(|path| !path.is_closed()) => {
            Some("once every path is closed".to_owned())
        }
        Proof::Stopped => Some("once it is stopped".to_owned()),
        Proof::Isolated | Proof::ReadOnly | Proof::Unreachable => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::look::{Primary, Role};
    use crate::lsn::Lsn;

    fn primary(system_identifier: &str) -> Server {
        let lsn = Lsn::from_u64(1);
        Server {
            address: Address { host: "db-a".to_owned(), port: 5432 },
            looked_at: jiff::Timestamp::UNIX_EPOCH,
            version: "15".to_owned(),
            system_identifier: system_identifier.to_owned(),
            read_only: false,
            timeline: 1,
            role: Role::Primary(Primary { lsn, standby_lag: None, commits_hang: None, sessions: None }),
        }
    }

    #[test]
    fn a_path_to_another_cluster_proves_nothing() {
        let path = |cluster| Path::Primary(Box::new(primary(cluster)));
        assert_eq!(leads_elsewhere(&path("7"), &primary("7")), None);
        assert!(leads_elsewhere(&path("8"), &primary("7")).unwrap().contains("another database cluster"));
    }
}
