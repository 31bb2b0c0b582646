//! `expect: down`: nobody gets an answer, whichever way they go.

use jiff::Timestamp;
use lifeboat_action::{ActionContext, Change, Observation};

use super::{CheckOutputs, CheckParams, answer};
use crate::connection::Target;
use crate::observers::{Absence, Sighting, observe};
use crate::path::{Path, addresses};

/// Looks several times, and down every other way.
pub(super) async fn look(context: &ActionContext, params: &CheckParams, target: &Target) -> Observation {
    let up = |before| Observation::Pending { change: Change { before, after: "down".to_owned() } };
    let absence = match observe(context, target, params.observers, params.every).await {
        Sighting::Seen(server) => return up(server.to_string()),
        Sighting::Undecided(reach) if reach.answered() => {
            return up(format!("up: {} {reach}", target.address));
        }
        Sighting::Undecided(reach) => {
            return Observation::Unknown { why: format!("{} {reach}", target.address) };
        }
        Sighting::Gone(absence) => absence,
    };
    let mut observed_by = absence.words(&target.address);
    for address in addresses("via", &params.via).unwrap_or_default() {
        let path = Path::follow(context, target, address).await;
        match &path {
            Path::Primary(_) => return up(path.to_string()),
            Path::Unclear(..) => return Observation::Unknown { why: path.to_string() },
            Path::Nowhere(..) | Path::Standby(_) => {
                observed_by.push(format!("{:.3}: {path}", Timestamp::now()));
            }
        }
    }
    down(target, &absence, observed_by)
}

fn down(target: &Target, absence: &Absence, observed_by: Vec<String>) -> Observation {
    let looks = observed_by.len();
    let outputs = CheckOutputs {
        role: "down".to_owned(),
        down_since: Some(absence.since.to_string()),
        down_as: Some(absence.kind().to_owned()),
        observed_by,
        ..CheckOutputs::default()
    };
    answer(format!("{} is down ({}), seen by {looks} look(s)", target.address, absence.kind()), &outputs)
}
