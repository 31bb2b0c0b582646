//! Whether a server that answers could be made read-only, as far as looking tells. Reads only.

use lifeboat_action::{ActionContext, Failure};

use super::read_only::{open, overrides};
use crate::connection::Target;
use crate::session::{Session, StatementError};

/// What our role may do. A superuser may do all of it.
const MAY: &str = "
    select current_setting('is_superuser')::bool as superuser, current_setting('server_version_num')::int4 as version,
           pg_has_role('pg_read_all_stats', 'usage') as see, pg_has_role('pg_signal_backend', 'usage') as end";

/// From version 15 on, others than superusers may be given the right.
const MAY_SET: &str =
    "select has_parameter_privilege('default_transaction_read_only', 'alter system') as set";

/// Why the server could not be made read-only, if so.
pub(super) async fn obstacle(context: &ActionContext, target: &Target) -> Option<String> {
    look(context, target).await.unwrap_or_else(|failure| Some(failure.message))
}

async fn look(context: &ActionContext, target: &Target) -> Result<Option<String>, Failure> {
    let session = open(context, target).await?;
    let lacking = lacking(context, &session).await;
    let lacking = lacking.map_err(|error| error.into_failure("the rights of our role cannot be read"))?;
    if lacking.is_empty() {
        return overrides(context, &session).await;
    }
    Ok(Some(format!("{} may not {}", target.user, lacking.join(" or "))))
}

/// The rights that our role would need and lacks, in words.
async fn lacking(context: &ActionContext, session: &Session) -> Result<Vec<&'static str>, StatementError> {
    let one = async |sql| session.link.bounded(context, session.client.query_one(sql, &[])).await;
    let may = one(MAY).await?;
    let set = may.try_get("superuser")?
        || (may.try_get::<_, i32>("version")? >= 150_000 && one(MAY_SET).await?.try_get("set")?);
    let needed = [
        (may.try_get("see")?, "see the sessions of others (pg_read_all_stats)"),
        (may.try_get("end")?, "end them (pg_signal_backend)"),
        (set, "change the server's settings (alter system)"),
    ];
    Ok(needed.into_iter().filter(|(has, _): &(bool, _)| !has).map(|(_, right)| right).collect())
}
