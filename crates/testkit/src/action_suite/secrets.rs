//! Secrets in parameters, and what is stored and shown.

use lifeboat_action::Effect;
use lifeboat_model::Mode;
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::peer::{Listener, Manner, Nobody};
use super::schema::{get, places, with};
use super::{Case, MakeSuite, driven};

/// Secrets in words that can stand nowhere by chance, between letters that are written otherwise in an address, in JSON
/// or in quotes. Some are too long to be shown whole.
const SECRETS: [&str; 3] = [
    "quokka \"wombat\"\\numbat%41bilby\u{a0}bandicoot/é&dingo",
    "-----BEGIN QUOKKA-----\nWOMBATWOMBAT\nNUMBATNUMBAT\n-----END BILBY-----\n",
    "quokka-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-wombat-0123456789-0123456789-\
     0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-numbat",
];
const WORDS: [&str; 6] = ["quokka", "wombat", "numbat", "bilby", "bandicoot", "dingo"];

/// A secret may be the value of any parameter, or a part of it, also where it makes no sense. Not of one that others can
/// read anyway.
pub fn secrets_are_shown_nowhere(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        let (nobody, listener) = (Nobody::new(), Listener::new().await);
        for case in &suite.cases {
            for secret in SECRETS {
                for params in holding(case, secret, &nobody.address()) {
                    shows_nothing(case, secret, &params).await;
                }
                if case.reaches {
                    for params in holding(case, secret, &listener.address()) {
                        listener.answering(Manner::Echoes, shows_nothing(case, secret, &params)).await;
                    }
                }
            }
        }
    });
}

/// Parameters with the secret in each place, in the place of what is there and behind it.
fn holding(case: &Case, secret: &str, address: &str) -> Vec<Value> {
    let good = (case.params)(address);
    let mut all = Vec::new();
    for place in places(&case.action.spec().params).iter().filter(|place| !place.visible) {
        if !case.leads(&place.path) {
            all.push(with(&good, &place.path, json!(secret)));
        }
        if let Some(Value::String(text)) = get(&good, &place.path) {
            all.push(with(&good, &place.path, json!(format!("{text}{secret}"))));
        }
    }
    all
}

async fn shows_nothing(case: &Case, secret: &str, params: &Value) {
    let call = || {
        let call = Call::of(&case.action).knowing(secret);
        if !case.reaches {
            // It would go on for ever.
            call.stop.cancel();
        }
        call
    };
    for mode in [Mode::Live, Mode::DryRun] {
        let call = call().in_mode(mode);
        let seen = call.observe(params).await;
        is_clean(case, params, &call, seen);
    }
    let applied = call();
    let ended = applied.apply(params).await;
    is_clean(case, params, &applied, ended);
    if case.action.spec().effect == Effect::Write {
        let found = applied.recover(params).await;
        is_clean(case, params, &applied, found);
        if let Some(undone) = applied.undo(params).await {
            is_clean(case, params, &applied, undone);
        }
    }
}

fn is_clean(case: &Case, params: &Value, call: &Call, answer: impl Into<Answer>) {
    let shown = call.shown(answer).to_lowercase();
    let leaked = WORDS.iter().find(|word| shown.contains(*word));
    assert!(leaked.is_none(), "{case:?}: with {params}, a secret is shown: {shown}");
}
