//! Rehearsing the fencing of a primary that lives, between incidents.
//!
//! A run gets here only when the primary is down, and after steps of its own that close the clients' paths. Neither is
//! so in a rehearsal, so an open path or a writable primary is no obstacle but what is going to change. Wrong would be
//! a candidate that follows another server. A candidate that is none or lacks too much, and a path that leads to another
//! cluster or to a new primary, have been refused by now.

use lifeboat_action::{ActionContext, Change, Observation};

use super::params::{FenceParams, Plan};
use super::survey::Survey;
use super::witness::is_from;
use super::{rights, with_sessions};
use crate::evidence::Proof;
use crate::look::{Server, Standby};
use crate::path::Path;

/// What there is to change, or what would be in the way.
pub(super) async fn observation(
    context: &ActionContext,
    params: &FenceParams,
    survey: &Survey,
    primary: &Server,
) -> Observation {
    if let Some(why) = survey.strayed() {
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

fn where_it_leads(path: &Path) -> String {
    match path.primary() {
        Some(server) => format!("path {} leads to a primary of this cluster", server.address),
        None => path.to_string(),
    }
}

/// How the candidate stands to the primary now. It may know the primary by another address, or receive from a standby.
async fn follows(plan: &Plan, survey: &Survey) -> String {
    let candidate = &survey.candidate;
    let from = match candidate.as_standby().and_then(Standby::receiver) {
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
