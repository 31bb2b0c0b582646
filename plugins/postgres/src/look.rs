//! One look at a server: its role and how far its write-ahead log goes. Reads only.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use lifeboat_action::ActionContext;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use crate::address::Address;
use crate::connection::Target;
use crate::lsn::Lsn;
use crate::reach::Unreached;
use crate::session::{Session, StatementError};

/// What a server said of itself.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) address: Address,
    pub(crate) looked_at: Timestamp,
    pub(crate) version: String,
    /// The same in a primary and all its standbys, and in no other cluster.
    pub(crate) system_identifier: String,
    /// Whether a new transaction is read-only: always on a standby.
    pub(crate) read_only: bool,
    pub(crate) timeline: u32,
    pub(crate) role: Role,
}

/// What a server is.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    Primary(Primary),
    Standby(Standby),
}

/// A server that is not in recovery.
#[derive(Debug, Clone)]
pub(crate) struct Primary {
    /// The end of its write-ahead log.
    pub(crate) lsn: Lsn,
    /// The farthest any attached standby is behind in replaying; `None` when none is attached, or it may not be known.
    pub(crate) standby_lag: Option<u64>,
    /// Whether a commit waits for a synchronous standby and none is attached. `None`: our role may not know.
    pub(crate) commits_hang: Option<bool>,
    /// Client sessions besides ours. `None`: our role may not know.
    pub(crate) sessions: Option<Sessions>,
}

/// Client sessions of a primary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sessions {
    /// All of them.
    pub(crate) open: i64,
    /// Those from before the configuration was last loaded: they may have kept what it said then.
    pub(crate) older: i64,
}

/// A server in recovery.
#[derive(Debug, Clone)]
pub(crate) struct Standby {
    /// The end of the log it holds; promotion replays all of it.
    pub(crate) received: Lsn,
    pub(crate) replayed: Lsn,
    pub(crate) paused: bool,
    /// When the newest transaction it has replayed was committed, by the primary's clock.
    pub(crate) last_commit: Option<Timestamp>,
    pub(crate) upstream: Upstream,
}

/// Where a standby's log comes from.
#[derive(Debug, Clone)]
pub(crate) enum Upstream {
    /// It is connected to nobody.
    Nobody,
    /// It is connected, and our role may not see to whom.
    Hidden,
    /// It is connected to this server.
    Known(Receiver),
}

/// A standby's connection to where its log comes from.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub(crate) from: Address,
    /// The end of the log there, as last heard.
    pub(crate) latest_end: Option<Lsn>,
    /// When the last message was sent, by the sender's clock.
    pub(crate) sent_at: Option<Timestamp>,
    /// When it was received, by our clock.
    pub(crate) heard_at: Option<Timestamp>,
    /// When a message last said that the log had grown, by our clock.
    pub(crate) grew_at: Option<Timestamp>,
}

impl Server {
    /// Opens a session and looks.
    pub(crate) async fn look_at(context: &ActionContext, target: &Target) -> Result<Self, Unreached> {
        let session = Session::open(context, target).await?;
        Self::look(context, target, &session).await.map_err(|error| match error {
            StatementError::Refused(_) => Unreached::Rejected(error.to_string()),
            StatementError::Lost { fault, words } => Unreached::from_fault(fault, words),
            StatementError::Silent(bound) => Unreached::Silent(bound),
            StatementError::Cancelled => Unreached::Cancelled,
        })
    }

    /// Looks within a session.
    pub(crate) async fn look(
        context: &ActionContext,
        target: &Target,
        session: &Session,
    ) -> Result<Self, StatementError> {
        match Self::look_once(context, target, session).await {
            // It was promoted between the question for its role and those for the role's details. It happens once.
            Err(error) if error.code() == Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE) => {
                Self::look_once(context, target, session).await
            }
            seen => seen,
        }
    }

    async fn look_once(
        context: &ActionContext,
        target: &Target,
        session: &Session,
    ) -> Result<Self, StatementError> {
        let one = async |sql| session.link.bounded(context, session.client.query_one(sql, &[])).await;
        let common = one(COMMON).await?;
        let in_recovery: bool = common.try_get("in_recovery")?;
        let (timeline, role) = if in_recovery {
            let asked_at = Timestamp::now();
            let row = one(STANDBY).await?;
            (number(row.try_get("timeline")?), Role::Standby(standby(&row, asked_at)?))
        } else {
            let row = one(PRIMARY).await?;
            (number(row.try_get("timeline")?), Role::Primary(primary(&row)?))
        };
        Ok(Self {
            address: target.address.clone(),
            looked_at: Timestamp::now(),
            version: common.try_get("version")?,
            system_identifier: common.try_get("system_identifier")?,
            read_only: common.try_get("read_only")?,
            timeline,
            role,
        })
    }

    /// The standby's side, if it is one.
    pub(crate) fn as_standby(&self) -> Option<&Standby> {
        match &self.role {
            Role::Standby(standby) => Some(standby),
            Role::Primary(_) => None,
        }
    }

    /// The primary's side, if it is one.
    pub(crate) fn as_primary(&self) -> Option<&Primary> {
        match &self.role {
            Role::Primary(primary) => Some(primary),
            Role::Standby(_) => None,
        }
    }

    /// Whether a client that asks for nothing special can write here.
    pub(crate) fn accepts_writes(&self) -> bool {
        self.as_primary().is_some() && !self.read_only
    }

    /// How far its log goes: what it has written, or what it has received.
    pub(crate) fn lsn(&self) -> Lsn {
        match &self.role {
            Role::Primary(primary) => primary.lsn,
            Role::Standby(standby) => standby.received,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.role {
            Role::Primary(primary) => {
                let writes = if self.read_only { "read-only" } else { "accepting writes" };
                write!(f, "primary, {writes}, timeline {}, at {}", self.timeline, primary.lsn)
            }
            Role::Standby(standby) => {
                let Standby { received, replayed, .. } = standby;
                write!(f, "standby, timeline {}, received {received}, replayed {replayed}", self.timeline)?;
                match &standby.upstream {
                    Upstream::Known(receiver) => write!(f, ", receiving from {}", receiver.from)?,
                    Upstream::Hidden => f.write_str(", receiving from a server that our role may not see")?,
                    Upstream::Nobody => f.write_str(", receiving nothing")?,
                }
                if standby.paused { f.write_str(", replay paused") } else { Ok(()) }
            }
        }
    }
}

impl Standby {
    /// Its connection to where its log comes from, as far as it is known.
    pub(crate) fn receiver(&self) -> Option<&Receiver> {
        match &self.upstream {
            Upstream::Known(receiver) => Some(receiver),
            Upstream::Nobody | Upstream::Hidden => None,
        }
    }

    /// Whether it holds all that it was told of.
    pub(crate) fn is_caught_up(&self) -> bool {
        let told = self.receiver().and_then(|receiver| receiver.latest_end);
        told.is_some_and(|end| self.received >= end)
    }

    /// The moment up to which it certainly holds every commit: when the newest one it has was made, or when the
    /// primary last said that there was nothing more.
    pub(crate) fn complete_until(&self) -> Option<Timestamp> {
        let heard = self.receiver().and_then(|receiver| receiver.sent_at);
        let heard = heard.filter(|_| self.is_caught_up());
        self.last_commit.max(heard)
    }
}

const COMMON: &str = "
    select pg_is_in_recovery() as in_recovery,
           current_setting('transaction_read_only')::bool as read_only,
           current_setting('server_version') as version,
           (select system_identifier::text from pg_control_system()) as system_identifier";

/// The timeline is taken from the name of the WAL file: the control file shows the old one until the first checkpoint
/// after a promotion. A role without `pg_read_all_stats` sees the sessions of others as rows full of nulls.
const PRIMARY: &str = "
    with may_see as (select pg_has_role('pg_read_all_stats', 'usage') as stats),
         here as materialized (select pg_current_wal_lsn() as lsn),
         clients as (
             select backend_start < pg_conf_load_time() as older from pg_stat_activity
             where backend_type = 'client backend' and pid <> pg_backend_pid())
    select here.lsn::text as lsn,
           ('x' || left(pg_walfile_name(here.lsn), 8))::bit(32)::int8 as timeline,
           (select max(pg_wal_lsn_diff(here.lsn, replay_lsn))::int8 from pg_stat_replication
             where state = 'streaming') as standby_lag,
           case when current_setting('synchronous_standby_names') = '' then false
                when may_see.stats then not exists (
                    select from pg_stat_replication where sync_state in ('sync', 'quorum')) end as commits_hang,
           case when may_see.stats then (select count(*) from clients) end as open_sessions,
           case when may_see.stats then (select count(*) from clients where older) end as older_sessions
    from may_see, here";

/// `received` falls back to the start of a segment when the receiver starts anew; what was replayed was received. Times
/// of the sender and of the standby are asked for as time gone by, each by one clock, so that clocks need not agree. A
/// role without `pg_read_all_stats` sees no more of the receiver than its process.
const STANDBY: &str = "
    select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text as received,
           pg_last_wal_replay_lsn()::text as replayed,
           pg_is_wal_replay_paused() as paused,
           extract(epoch from pg_last_xact_replay_timestamp())::float8 as last_commit,
           greatest(receiver.received_tli,
                    (select timeline_id from pg_control_checkpoint()),
                    (select min_recovery_end_timeline from pg_control_recovery()))::int8 as timeline,
           receiver.pid, receiver.status, receiver.sender_host, receiver.sender_port,
           receiver.latest_end_lsn::text as latest_end,
           extract(epoch from receiver.last_msg_send_time)::float8 as sent_at,
           extract(epoch from clock_timestamp() - receiver.last_msg_receipt_time)::float8 as heard_ago,
           extract(epoch from clock_timestamp() - receiver.last_msg_receipt_time
                            + greatest(receiver.last_msg_send_time - receiver.latest_end_time, '0'))::float8 as grew_ago
    from (select) as one left join pg_stat_wal_receiver as receiver on true";

fn primary(row: &Row) -> Result<Primary, tokio_postgres::Error> {
    let open: Option<i64> = row.try_get("open_sessions")?;
    let older: Option<i64> = row.try_get("older_sessions")?;
    let standby_lag: Option<i64> = row.try_get("standby_lag")?;
    Ok(Primary {
        lsn: lsn(row.try_get("lsn")?).unwrap_or(Lsn::from_u64(0)),
        standby_lag: standby_lag.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
        commits_hang: row.try_get("commits_hang")?,
        sessions: open.zip(older).map(|(open, older)| Sessions { open, older }),
    })
}

fn standby(row: &Row, asked_at: Timestamp) -> Result<Standby, tokio_postgres::Error> {
    let (pid, status): (Option<i32>, Option<String>) = (row.try_get("pid")?, row.try_get("status")?);
    let upstream = match (pid, status.as_deref()) {
        (_, Some("streaming")) => Upstream::Known(receiver(row, asked_at)?),
        (Some(_), None) => Upstream::Hidden,
        _ => Upstream::Nobody,
    };
    Ok(Standby {
        received: lsn(row.try_get("received")?).unwrap_or(Lsn::from_u64(0)),
        replayed: lsn(row.try_get("replayed")?).unwrap_or(Lsn::from_u64(0)),
        paused: row.try_get("paused")?,
        last_commit: moment(row.try_get("last_commit")?),
        upstream,
    })
}

fn receiver(row: &Row, asked_at: Timestamp) -> Result<Receiver, tokio_postgres::Error> {
    let host: Option<String> = row.try_get("sender_host")?;
    let port: Option<i32> = row.try_get("sender_port")?;
    Ok(Receiver {
        from: Address {
            host: host.unwrap_or_default(),
            port: port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
        },
        latest_end: lsn(row.try_get("latest_end")?),
        sent_at: moment(row.try_get("sent_at")?),
        heard_at: ago(asked_at, row.try_get("heard_ago")?),
        grew_at: ago(asked_at, row.try_get("grew_ago")?),
    })
}

fn lsn(text: Option<String>) -> Option<Lsn> {
    text.and_then(|text| text.parse().ok())
}

fn number(timeline: i64) -> u32 {
    u32::try_from(timeline).unwrap_or_default()
}

/// Seconds since 1970 as a moment; to the microsecond, which is what the server keeps.
fn moment(seconds: Option<f64>) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "microseconds of any real date fit")]
    seconds.and_then(|seconds| Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok())
}

/// The moment that lies so many seconds before another.
fn ago(moment: Timestamp, seconds: Option<f64>) -> Option<Timestamp> {
    moment.checked_sub(SignedDuration::try_from_secs_f64(seconds?).ok()?).ok()
}
