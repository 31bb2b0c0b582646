//! Several looks at one server that must agree.
//!
//! One process on one machine is one witness. What it can do is look more than once, over a new connection each time
//! and a little apart, so that a hiccup of the network or of the server is not taken for its end. Witnesses that stand
//! elsewhere are named apart: other ways to the server, and the standby that receives from it.

use std::time::Duration;

use jiff::Timestamp;
use lifeboat_action::ActionContext;

use crate::connection::Target;
use crate::look::Server;
use crate::reach::Unreached;

/// The result of looking several times.
#[derive(Debug)]
pub(crate) enum Sighting {
    /// It answered: the first answer ends the looking.
    Seen(Box<Server>),
    /// Every look failed.
    Gone(Absence),
    /// Nothing can be concluded: it answers but lets nobody in, or it could not be looked at.
    Undecided(Unreached),
}

/// That every look at a server failed.
#[derive(Debug, Clone)]
pub(crate) struct Absence {
    /// The moment of the first failed look.
    pub(crate) since: Timestamp,
    /// How each look failed, with its moment, in order.
    pub(crate) looks: Vec<(Timestamp, Unreached)>,
}

impl Absence {
    /// Whether each look found that nothing listens there.
    pub(crate) fn all_refused(&self) -> bool {
        self.looks.iter().all(|(_, how)| *how == Unreached::Refused)
    }

    /// Whether the last look found that nothing listens there.
    pub(crate) fn last_was_refused(&self) -> bool {
        self.looks.last().is_some_and(|(_, how)| *how == Unreached::Refused)
    }

    /// How it failed in one word: `mixed` when the looks differ.
    pub(crate) fn kind(&self) -> &'static str {
        let mut kinds = self.looks.iter().map(|(_, how)| how.kind());
        let first = kinds.next().unwrap_or("mixed");
        if kinds.all(|kind| kind == first) { first } else { "mixed" }
    }

    /// Each look in words.
    pub(crate) fn words(&self, server: &dyn std::fmt::Display) -> Vec<String> {
        self.looks.iter().map(|(at, how)| format!("{at:.3}: {server} {how}")).collect()
    }
}

/// Looks up to `times`, `apart` from each other, until it answers.
pub(crate) async fn observe(
    context: &ActionContext,
    target: &Target,
    times: u32,
    apart: Duration,
) -> Sighting {
    let mut looks: Vec<(Timestamp, Unreached)> = Vec::new();
    for turn in 0..times.max(1) {
        if turn > 0 {
            pause(context, apart).await;
        }
        let at = Timestamp::now();
        match Server::look_at(context, target).await {
            Ok(server) => return Sighting::Seen(Box::new(server)),
            Err(reach) if reach.looks_down() => looks.push((at, reach)),
            Err(reach) => return Sighting::Undecided(reach),
        }
    }
    let since = looks.first().map_or_else(Timestamp::now, |(at, _)| *at);
    Sighting::Gone(Absence { since, looks })
}

/// Waits, unless the step is cancelled.
pub(crate) async fn pause(context: &ActionContext, time: Duration) {
    tokio::select! {
        biased;
        () = context.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absence(looks: &[Unreached]) -> Absence {
        let at = Timestamp::UNIX_EPOCH;
        Absence { since: at, looks: looks.iter().map(|how| (at, how.clone())).collect() }
    }

    #[test]
    fn one_look_that_differs_weakens_the_whole() {
        let refused = absence(&[Unreached::Refused, Unreached::Refused]);
        assert!(refused.all_refused());
        assert_eq!(refused.kind(), "refused");
        let mixed = absence(&[Unreached::Refused, Unreached::Closed]);
        assert!(!mixed.all_refused());
        assert_eq!(mixed.kind(), "mixed");
    }
}
