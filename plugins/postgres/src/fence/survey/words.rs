//! A survey in words: each look, and why there is no proof.

use super::{Primary, Survey};
use crate::evidence::Proof;
use crate::fence::witness::Witness;

impl Survey {
    /// Every look, with its moment.
    pub(super) fn observed_by(&self) -> Vec<String> {
        let paths = self.paths.iter().map(|path| format!("{:.3}: {path}", self.taken_at));
        match &self.primary {
            Primary::Answers(server) => {
                let seen = format!("{:.3}: {} is a {server}", server.looked_at, server.address);
                std::iter::once(seen).chain(paths).collect()
            }
            Primary::Gone { absence, witness, .. } => {
                let (Witness::Hears(word) | Witness::HearsNothing(word)) = witness;
                let word = format!("{:.3}: {word}", self.candidate.looked_at);
                absence.words(&self.primary_address).into_iter().chain(paths).chain([word]).collect()
            }
        }
    }

    /// Why there is no proof of that strength, and what would give it.
    pub(in crate::fence) fn too_weak(&self, minimum: Proof) -> String {
        let address = &self.primary_address;
        let seen = match &self.primary {
            Primary::Answers(server) => format!("it is a {server}"),
            Primary::Gone { absence, .. } => format!("from here it is {}", absence.kind()),
        };
        let heard = self.heard();
        if !heard.is_empty() {
            let heard = heard.join("; ");
            return format!(
                "{address} is not fenced: there is no proof while a primary is heard: {heard}; {seen}; check that `host` \
                 is the old primary, and stop it or close its paths first"
            );
        }
        let found = match self.proof() {
            Some(proof) => format!("the proof is only `{proof}`"),
            None => "there is no proof".to_owned(),
        };
        let open: String =
            self.paths.iter().filter(|path| !path.is_closed()).map(|path| format!("; {path}")).collect();
        let how = self.how_to_prove(minimum);
        format!("{address} is not fenced: {found} and `{minimum}` is asked for: {seen}{open}; {how}")
    }

    fn how_to_prove(&self, minimum: Proof) -> &'static str {
        match minimum {
            Proof::Stopped => "stop the server first",
            Proof::Isolated => "close every path in `paths` first",
            Proof::ReadOnly | Proof::Unreachable if self.answering().is_some() => {
                "let the role see all sessions (pg_read_all_stats), or stop the server first"
            }
            Proof::ReadOnly | Proof::Unreachable => {
                "stop the server, or close the clients' paths and name them in `paths`, first; `minimum: unreachable` \
                 accepts the risk that it still takes writes"
            }
        }
    }
}
