//! Making a primary that answers read-only, and writable again.
//!
//! New transactions are made read-only by the server's configuration; then every client session is ended, because a
//! transaction that was open, or a session that chose for itself, would go on writing. In that order: a session that
//! begins after the new setting is in force is read-only from its start.

use std::time::Duration;

use lifeboat_action::{ActionContext, Failure};
use tokio::time::Instant;
use tokio_postgres::error::SqlState;

use crate::connection::Target;
use crate::look::Server;
use crate::observers::pause;
use crate::session::{Session, StatementError};

/// How often to look whether a change has taken effect.
const POLL: Duration = Duration::from_millis(50);

/// Settings of a role or a database that would make its transactions writable in spite of the server's own.
const OVERRIDES: &str = "
    select string_agg(coalesce(role.rolname, 'every role') || ' in ' || coalesce(db.datname, 'every database'), ', ')
    from pg_db_role_setting as setting
    cross join unnest(setting.setconfig) as line
    left join pg_roles as role on role.oid = setting.setrole
    left join pg_database as db on db.oid = setting.setdatabase
    where lower(line) in ('default_transaction_read_only=off', 'default_transaction_read_only=false',
                          'default_transaction_read_only=no', 'default_transaction_read_only=0')";

const END_SESSIONS: &str = "
    select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()";

/// Makes the server read-only, ends its client sessions, and sees a write refused.
pub(super) async fn enforce(context: &ActionContext, target: &Target, wait: Duration) -> Result<(), Failure> {
    let deadline = Instant::now() + wait;
    let session = open(context, target).await?;
    refuse_overrides(context, &session).await?;
    set(context, &session, "alter system set default_transaction_read_only = on").await?;
    let read_only = |server: &Server| server.read_only;
    until(context, target, deadline, "new sessions are not read-only", read_only).await?;
    let ended = end_sessions(context, session).await?;
    context.say(format!("{}: read-only, ending {ended} client session(s)", target.address));
    let all_ended = |server: &Server| {
        server.as_primary().and_then(|primary| primary.sessions).is_some_and(|sessions| sessions.older == 0)
    };
    until(context, target, deadline, "client sessions have not ended", all_ended).await?;
    see_a_write_refused(context, target).await
}

/// Takes [`enforce`] back.
pub(super) async fn lift(context: &ActionContext, target: &Target, wait: Duration) -> Result<(), Failure> {
    let session = open(context, target).await?;
    set(context, &session, "alter system reset default_transaction_read_only").await?;
    let writable = |server: &Server| server.accepts_writes();
    until(context, target, Instant::now() + wait, "new sessions are still read-only", writable).await
}

pub(super) async fn open(context: &ActionContext, target: &Target) -> Result<Session, Failure> {
    Session::open(context, target).await.map_err(|reach| reach.into_failure(&target.address))
}

async fn refuse_overrides(context: &ActionContext, session: &Session) -> Result<(), Failure> {
    overrides(context, session).await?.map_or(Ok(()), |why| {
        Err(Failure::permanent(format!("the server cannot be made read-only: {why}: nothing was touched")))
    })
}

/// Whose transactions would be writable all the same.
pub(super) async fn overrides(context: &ActionContext, session: &Session) -> Result<Option<String>, Failure> {
    let row = session.link.bounded(context, session.client.query_one(OVERRIDES, &[])).await;
    let row = row.map_err(|error| error.into_failure("the settings of roles cannot be read"))?;
    let who: Option<String> = row.try_get(0).unwrap_or_default();
    Ok(who.map(|who| format!("default_transaction_read_only is switched off for {who}")))
}

/// Ends every client session, this one too, which is as old as the others. Returns how many others there were.
async fn end_sessions(context: &ActionContext, session: Session) -> Result<i64, Failure> {
    let ended = session.link.bounded(context, session.client.query_one(END_SESSIONS, &[])).await;
    Ok(ended.map_err(|error| in_between(&error))?.try_get(0).unwrap_or_default())
}

/// Changes the configuration and has it read.
async fn set(context: &ActionContext, session: &Session, change: &str) -> Result<(), Failure> {
    match session.execute(context, change).await {
        Ok(()) => {
            session.execute(context, "select pg_reload_conf()").await.map_err(|error| in_between(&error))
        }
        Err(error) if error.is_refusal() => Err(error.into_failure(&format!("`{change}` was refused"))),
        Err(error) => Err(in_between(&error)),
    }
}

/// After the first change, an error leaves it open how much is in force: a look tells.
fn in_between(error: &StatementError) -> Failure {
    Failure::unknown(format!("the server's settings were being changed, and then: {error}"))
}

/// Looks, over new sessions, until `done`.
async fn until(
    context: &ActionContext,
    target: &Target,
    deadline: Instant,
    otherwise: &str,
    done: impl Fn(&Server) -> bool,
) -> Result<(), Failure> {
    loop {
        let seen = match Server::look_at(context, target).await {
            Ok(server) if done(&server) => return Ok(()),
            Ok(server) => format!("is a {server}"),
            Err(reach) => reach.to_string(),
        };
        if context.is_cancelled() || Instant::now() >= deadline {
            return Err(Failure::unknown(format!("{otherwise} in time: {} {seen}", target.address)));
        }
        pause(context, POLL).await;
    }
}

/// Tries to write, in a transaction that is rolled back whatever comes of it.
async fn see_a_write_refused(context: &ActionContext, target: &Target) -> Result<(), Failure> {
    let session = open(context, target).await?;
    let attempt = "begin; create table lifeboat_write_attempt (); rollback";
    match session.execute(context, attempt).await {
        Err(error) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => Ok(()),
        Err(error) => Err(in_between(&error)),
        Ok(()) => Err(Failure::permanent(format!(
            "{} still takes writes after it was made read-only",
            target.address
        ))),
    }
}
