//! Whether a server that answers is as expected.

use lifeboat_action::Observation;

use super::{CheckOutputs, CheckParams, Expect, answer};
use crate::lag::Lag;
use crate::look::{Role, Server};

/// A server, and what it is held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged<'j> {
    pub(super) params: &'j CheckParams,
    pub(super) server: &'j Server,
    /// A rehearsal does not know when the primary will be gone.
    pub(super) gone_since_unknown: bool,
}

impl Judged<'_> {
    /// What is to be said of it.
    pub(super) fn observation(self) -> Observation {
        let Self { params, server, .. } = self;
        let words = |why| format!("{}: {why}; it is a {}", server.address, self.words());
        if let Some(why) = self.wrong_role().or_else(|| self.too_early()).or_else(|| self.still_hears()) {
            return Observation::Blocked { why: words(why) };
        }
        let lag = self.lag();
        let too_much = lag.zip(params.max_lag).and_then(|(lag, bound)| lag.exceeds(bound));
        match too_much.map(words) {
            None => answer(format!("{} is a {}", server.address, self.words()), &self.outputs()),
            Some(why) if lag.is_some_and(|lag| lag.is_known()) => Observation::Blocked { why },
            Some(why) => Observation::Unknown { why },
        }
    }

    fn wrong_role(self) -> Option<String> {
        let Self { params, server, .. } = self;
        match (params.expect, &server.role) {
            (Expect::Primary | Expect::Writable, Role::Standby(_)) => Some("it is in recovery".to_owned()),
            (Expect::Standby, Role::Primary(_)) => Some("it is not in recovery".to_owned()),
            (Expect::Writable, Role::Primary(_)) if server.read_only => {
                Some("new transactions are read-only".to_owned())
            }
            (Expect::Writable, Role::Primary(primary)) if primary.commits_hang == Some(true) => {
                Some("every commit would wait for a synchronous standby, and none is attached".to_owned())
            }
            (Expect::Up | Expect::Down | Expect::Primary | Expect::Standby | Expect::Writable, _) => None,
        }
    }

    fn too_early(self) -> Option<String> {
        let Self { params, server, .. } = self;
        let least = params.min_timeline.filter(|least| server.timeline < *least)?;
        Some(format!("timeline {} has not reached {least}", server.timeline))
    }

    /// A log that went on growing was written by a primary that is not gone.
    fn still_hears(self) -> Option<String> {
        let Self { params, server, .. } = self;
        let (since, receiver) = (params.down_since?, server.as_standby()?.receiver()?);
        let grew_at = receiver.grew_at.filter(|grew_at| *grew_at > since)?;
        Some(format!(
            "it still receives from {}: the log there grew at {grew_at:.3}, and its primary is said to be gone since \
             {since:.3}",
            receiver.from
        ))
    }

    /// A standby's lag: as of when its primary was gone, where that is known.
    fn lag(self) -> Option<Lag> {
        let Self { params, server, .. } = self;
        let at = params.down_since.map_or(server.looked_at, |since| since.min(server.looked_at));
        Some(Lag::measure(server.as_standby()?, None, at))
    }

    /// The server in words, with its lag where that matters.
    fn words(self) -> String {
        let Self { params, server, gone_since_unknown } = self;
        let as_of = match (params.down_since, params.max_lag) {
            (Some(since), _) => format!("as of {since:.3}"),
            (None, _) if gone_since_unknown => "if the primary were gone now".to_owned(),
            (None, Some(_)) => "as of now".to_owned(),
            (None, None) => return server.to_string(),
        };
        match self.lag() {
            Some(lag) => format!("{server}, {} {as_of}", lag.words()),
            None => server.to_string(),
        }
    }

    fn outputs(self) -> CheckOutputs {
        let Self { server, .. } = self;
        let lag_bytes = match &server.role {
            Role::Primary(primary) => primary.standby_lag,
            Role::Standby(standby) => {
                let heard_of = standby.receiver().and_then(|receiver| receiver.latest_end);
                Some(standby.replayed.bytes_to(standby.received.max(heard_of.unwrap_or(standby.received))))
            }
        };
        CheckOutputs {
            role: if server.as_standby().is_some() { "standby" } else { "primary" }.to_owned(),
            writable: server.accepts_writes(),
            timeline: Some(server.timeline),
            lsn: Some(server.lsn().to_string()),
            lag_bytes,
            lag_seconds: self.lag().and_then(|lag| lag.seconds()),
            version: Some(server.version.clone()),
            observed_by: vec![format!("{:.3}: {} is a {server}", server.looked_at, server.address)],
            ..CheckOutputs::default()
        }
    }
}
