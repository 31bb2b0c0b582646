//! What must be so before a standby is promoted. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::evidence::FenceEvidence;
use crate::lag::Lag;
use crate::look::{Role, Server};
use crate::promote::PromoteParams;

/// The bounds that a promotion is held to.
#[derive(Debug)]
pub(super) struct Conditions<'p> {
    pub(super) fence: &'p FenceEvidence,
    pub(super) max_fence_age: Duration,
    pub(super) max_lag: Duration,
    pub(super) catch_up: Duration,
}

impl<'p> Conditions<'p> {
    /// None without evidence of fencing.
    pub(super) fn of(params: &'p PromoteParams) -> Option<Self> {
        let PromoteParams { max_fence_age, max_lag, catch_up, .. } = *params;
        Some(Self { fence: params.fence.as_ref()?, max_fence_age, max_lag, catch_up })
    }

    /// Why this server must not be promoted.
    pub(super) fn refusal(&self, server: &Server) -> Option<String> {
        self.refusal_but_for_lag(server).or_else(|| {
            let why = self.lag(server).exceeds(self.max_lag)?;
            Some(format!("{} is too far behind: {why}", server.address))
        })
    }

    /// The same, but for lag.
    pub(super) fn refusal_but_for_lag(&self, server: &Server) -> Option<String> {
        if let Role::Primary(_) = server.role {
            return Some(no_standby(server));
        }
        let fence = self.fence;
        if fence.host == server.address.to_string() {
            return Some(format!("{} is the server that was fenced", server.address));
        }
        if fence.system_identifier != server.system_identifier {
            return Some(format!(
                "{} belongs to another database cluster than {}",
                server.address, fence.host
            ));
        }
        self.too_old(server.looked_at).or_else(|| self.still_hears(server))
    }

    /// What the server lacks, at the moment the evidence says to judge it.
    pub(super) fn lag(&self, server: &Server) -> Lag {
        match server.as_standby() {
            Some(standby) => Lag::measure(standby, self.fence.last_lsn, self.fence.lag_at),
            None => Lag::default(),
        }
    }

    /// Whether the standby lacks bytes that it is still being sent.
    pub(super) fn catching_up(&self, server: &Server) -> bool {
        match (server.as_standby(), self.fence.last_lsn) {
            (Some(standby), Some(end)) => standby.receiver().is_some() && standby.received < end,
            _ => false,
        }
    }

    /// A log that grew after its server was fenced was written by a live primary. A server that was made read-only
    /// goes on writing some.
    fn still_hears(&self, server: &Server) -> Option<String> {
        let receiver = server.as_standby()?.receiver()?;
        let FenceEvidence { host, fenced_at, last_lsn, .. } = self.fence;
        let grew_at = receiver.grew_at.filter(|grew_at| last_lsn.is_none() && grew_at > fenced_at)?;
        Some(format!(
            "{} still receives from {}: the log there grew at {grew_at:.3}, after {host} was fenced at {fenced_at:.3}: fence again",
            server.address, receiver.from
        ))
    }

    fn too_old(&self, now: Timestamp) -> Option<String> {
        let fence = self.fence;
        let age = now.duration_since(fence.fenced_at);
        // A clock may have been set back since, but evidence from the far future proves nothing.
        let too_old = age.unsigned_abs() > self.max_fence_age;
        too_old.then(|| {
            format!(
                "the proof that {} is fenced is {age:#} old, and `max_fence_age` is {:?}: fence again",
                fence.host, self.max_fence_age
            )
        })
    }
}

/// Why a primary is not promoted.
pub(super) fn no_standby(server: &Server) -> String {
    format!("{} is a {server}, so promoting it would not help", server.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::evidence::Proof;
    use crate::look::{Primary, Receiver, Standby, Upstream};
    use crate::lsn::Lsn;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn server(role: Role) -> Server {
        Server {
            address: Address { host: "db-b".to_owned(), port: 5432 },
            looked_at: at(1000),
            version: "15".to_owned(),
            system_identifier: "7".to_owned(),
            read_only: true,
            timeline: 1,
            role,
        }
    }

    fn standby() -> Server {
        let lsn = Lsn::from_u64(100);
        let last_commit = Some(at(995));
        server(Role::Standby(Standby {
            received: lsn,
            replayed: lsn,
            paused: false,
            last_commit,
            upstream: Upstream::Nobody,
        }))
    }

    fn fence() -> FenceEvidence {
        FenceEvidence {
            proof: Proof::Stopped,
            host: "db-a:5432".to_owned(),
            candidate: "db-b:5432".to_owned(),
            fenced_at: at(990),
            lag_at: at(998),
            last_lsn: None,
            system_identifier: "7".to_owned(),
            observed_by: Vec::new(),
        }
    }

    fn refusal(fence: &FenceEvidence, server: &Server) -> String {
        let second = Duration::from_secs(1);
        let conditions =
            Conditions { fence, max_fence_age: 60 * second, max_lag: 5 * second, catch_up: second };
        conditions.refusal(server).unwrap_or_default()
    }

    #[test]
    fn a_standby_with_young_evidence_and_little_lag_may_go() {
        assert_eq!(refusal(&fence(), &standby()), "");
    }

    #[test]
    fn old_evidence_is_refused_and_so_is_evidence_from_the_future() {
        let old = FenceEvidence { fenced_at: at(900), ..fence() };
        assert!(refusal(&old, &standby()).contains("fence again"));
        let future = FenceEvidence { fenced_at: at(1100), ..fence() };
        assert!(refusal(&future, &standby()).contains("fence again"));
    }

    #[test]
    fn evidence_about_the_standby_itself_or_another_cluster_is_refused() {
        let own = FenceEvidence { host: "db-b:5432".to_owned(), ..fence() };
        assert!(refusal(&own, &standby()).contains("is the server that was fenced"));
        let other = FenceEvidence { system_identifier: "8".to_owned(), ..fence() };
        assert!(refusal(&other, &standby()).contains("another database cluster"));
    }

    #[test]
    fn log_that_grew_after_the_fencing_disproves_it() {
        let receiving = |grew_at: i64| {
            let receiver = Receiver {
                from: Address { host: "db-a".to_owned(), port: 5432 },
                latest_end: Some(Lsn::from_u64(100)),
                sent_at: Some(at(999)),
                heard_at: Some(at(999)),
                grew_at: Some(at(grew_at)),
            };
            let Role::Standby(standby) = standby().role else { panic!("it is a standby") };
            server(Role::Standby(Standby { upstream: Upstream::Known(receiver), ..standby }))
        };
        assert_eq!(refusal(&fence(), &receiving(989)), "");
        assert!(refusal(&fence(), &receiving(991)).contains("db-b:5432 still receives from db-a:5432"));
        let read_only = FenceEvidence { last_lsn: Some(Lsn::from_u64(100)), ..fence() };
        assert_eq!(refusal(&read_only, &receiving(991)), "");
    }

    #[test]
    fn lag_is_judged_by_what_was_received() {
        let behind = FenceEvidence { lag_at: at(1001), ..fence() };
        assert!(refusal(&behind, &standby()).contains("too far behind"));
        let arrived = FenceEvidence { last_lsn: Some(Lsn::from_u64(100)), ..behind };
        assert_eq!(refusal(&arrived, &standby()), "");
    }

    #[test]
    fn a_read_only_primary_is_no_standby() {
        let primary =
            Primary { lsn: Lsn::from_u64(1), standby_lag: None, commits_hang: None, sessions: None };
        assert!(refusal(&fence(), &server(Role::Primary(primary))).contains("would not help"));
    }
}
