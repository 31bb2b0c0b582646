//! Rehearsing a promotion before there is proof of fencing: is this a standby that could be promoted?

use lifeboat_action::{ActionContext, Observation};

use super::conditions::no_standby;
use super::{PromoteParams, change};
use crate::connection::Target;
use crate::lag::Lag;
use crate::look::{Server, Standby};
use crate::session::Session;

const MAY_PROMOTE: &str = "select has_function_privilege('pg_promote(boolean, integer)', 'execute')";

/// What there is to change, or what would be in the way.
pub(super) async fn observation(
    context: &ActionContext,
    params: &PromoteParams,
    target: &Target,
    server: &Server,
) -> Observation {
    let Some(standby) = server.as_standby() else {
        return Observation::Blocked { why: no_standby(server) };
    };
    if let Some(why) = unfit(params, server, standby) {
        return Observation::Blocked { why: format!("{} {why}", server.address) };
    }
    match may_promote(context, target).await {
        Ok(true) => {
            let lag = Lag::measure(standby, None, server.looked_at).words();
            Observation::Pending { change: change(server, &format!("{lag} as of now")) }
        }
        Ok(false) => Observation::Blocked {
            why: format!(
                "{}: {} may not promote it: grant execute on pg_promote",
                server.address, target.user
            ),
        },
        Err(why) => Observation::Blocked { why: format!("{}: {why}", server.address) },
    }
}

/// Why this standby is not fit to take over now.
///
/// How much it lacks is for the fencing to measure. One that holds all that it was told of is no obstacle, since its
/// primary may be idle; one that is told nothing, or holds less, is judged as of now.
fn unfit(params: &PromoteParams, server: &Server, standby: &Standby) -> Option<String> {
    if standby.paused {
        return Some("has its replay paused: resume it with pg_wal_replay_resume()".to_owned());
    }
    if standby.is_caught_up() {
        return None;
    }
    let why = Lag::measure(standby, None, server.looked_at).exceeds(params.max_lag)?;
    Some(format!("is too far behind as of now: {why}"))
}

async fn may_promote(context: &ActionContext, target: &Target) -> Result<bool, String> {
    let session = Session::open(context, target).await.map_err(|reach| reach.to_string())?;
    let answer = session.link.bounded(context, session.client.query_one(MAY_PROMOTE, &[])).await;
    answer.and_then(|row| Ok(row.try_get(0)?)).map_err(|error| error.to_string())
}
