//! What the candidate hears of an old primary that does not answer here. Reads only.
//!
//! The candidate stands elsewhere in the network: a primary that it hears is alive and may take writes, whatever it
//! looks like from here. The candidate keeps the moments at which it last received something, so that also a message
//! counts that came before the fencing began.

use jiff::Timestamp;
use lifeboat_action::ActionContext;

use super::params::Plan;
use crate::address::Address;
use crate::look::{Receiver, Server, Upstream};
use crate::observers::Absence;
use crate::path::Path;
use crate::reach::Unreached;
use crate::session::resolve;

/// The candidate's word, with what it was asked about in it.
#[derive(Debug, Clone)]
pub(super) enum Witness {
    /// It hears the old primary, or it cannot be seen that it does not: nothing is proved.
    Hears(String),
    /// It hears nothing.
    HearsNothing(String),
}

impl Witness {
    /// Asks the candidate, which was looked at after the old primary.
    pub(super) async fn ask(
        context: &ActionContext,
        plan: &Plan,
        candidate: &Server,
        absence: &Absence,
    ) -> Self {
        let address = &candidate.address;
        match candidate.as_standby().map(|standby| &standby.upstream) {
            None | Some(Upstream::Nobody) => Self::HearsNothing(format!("{address} hears nothing from it")),
            Some(Upstream::Hidden) => Self::Hears(format!(
                "{address} is connected to a server that our role may not see: grant it pg_read_all_stats"
            )),
            Some(Upstream::Known(receiver)) => {
                let connection = Connection { plan, address, receiver, absence };
                connection.word(context).await
            }
        }
    }
}

/// The candidate's connection to where its log comes from.
struct Connection<'a> {
    plan: &'a Plan,
    address: &'a Address,
    receiver: &'a Receiver,
    absence: &'a Absence,
}

impl Connection<'_> {
    async fn word(&self, context: &ActionContext) -> Witness {
        let Self { plan, receiver, .. } = self;
        // Log that grew was written by a live primary, also where a standby in between passed it on.
        if let Some(at) = self.after_it_was_gone(receiver.grew_at) {
            return self.still_receives(&format!("the log there grew at {at:.3}"));
        }
        if is_from(plan, receiver).await {
            self.about_the_primary()
        } else {
            self.about_another(context).await
        }
    }

    fn about_the_primary(&self) -> Witness {
        let Self { receiver, absence, .. } = self;
        if let Some(at) = self.after_it_was_gone(receiver.heard_at) {
            return self.still_receives(&format!("it was heard at {at:.3}"));
        }
        if absence.last_was_refused() {
            return self.still_receives("a connection that a stopped server cannot have");
        }
        let since = receiver.heard_at.map(|at| format!(" since {at:.3}")).unwrap_or_default();
        Witness::HearsNothing(format!(
            "{} is still connected to it and has heard nothing{since}",
            self.address
        ))
    }

    /// The old primary may be known to the candidate by another address, or it may be another server than the one
    /// that was named.
    async fn about_another(&self, context: &ActionContext) -> Witness {
        let Self { plan, address, receiver, .. } = self;
        let from = &receiver.from;
        match Path::follow(context, &plan.primary, from.clone()).await {
            Path::Standby(_) => {
                Witness::HearsNothing(format!("{address} receives from {from}, a standby, and no new log"))
            }
            Path::Primary(server) => self
                .still_receives(&format!("it is a {server}; is {} the right address?", plan.primary.address)),
            Path::Nowhere(_, reach) | Path::Unclear(_, reach) => self.cannot_be_seen(&reach),
        }
    }

    fn cannot_be_seen(&self, reach: &Unreached) -> Witness {
        let Self { plan, address, receiver, .. } = self;
        let (from, primary) = (&receiver.from, &plan.primary.address);
        Witness::Hears(format!(
            "{address} is connected to {from} and not to {primary}, and {from} {reach}: name the address that \
             {address} uses, or wait until it gives the connection up"
        ))
    }

    fn still_receives(&self, how: &str) -> Witness {
        Witness::Hears(format!("{} still receives from {}: {how}", self.address, self.receiver.from))
    }

    /// The moment, if it lies after the one at which the old primary was first seen gone.
    fn after_it_was_gone(&self, moment: Option<Timestamp>) -> Option<Timestamp> {
        let seen_gone = self.plan.gone_since(self.absence);
        moment.filter(|moment| *moment > seen_gone)
    }
}

/// Whether the candidate receives from the old primary's own address.
pub(super) async fn is_from(plan: &Plan, receiver: &Receiver) -> bool {
    let primary = &plan.primary;
    if receiver.from == primary.address {
        return true;
    }
    let (ours, theirs) = (resolve(primary).await, resolve(&primary.at(receiver.from.clone())).await);
    matches!((ours, theirs), (Ok(ours), Ok(theirs)) if theirs.iter().any(|address| ours.contains(address)))
}
