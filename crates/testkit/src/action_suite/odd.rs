//! Parameters that nobody would write, and values of templates that nobody expected.

use std::time::Duration;

use lifeboat_action::Effect;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::peer::{Nobody, turns};
use super::schema::{places, with};
use super::{Case, MakeSuite, driven};

/// Whatever JSON they are: checking them answers, and no effect is made of what is none.
pub fn no_parameters_are_too_odd_to_check(make: MakeSuite<'_>) {
    let suite = make();
    for case in &suite.cases {
        extremes().for_each(|odd| is_checked(case, &odd));
    }
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(odd in json_value(), at in any::<prop::sample::Index>())| {
        for case in &suite.cases {
            let places = places(&case.action.spec().params);
            is_checked(case, &with(&case.params(), &at.get(&places).path, odd.clone()));
            is_checked(case, &odd);
        }
    });
}

fn is_checked(case: &Case, params: &Value) {
    case.action.check(params);
    case.action.stop_takes(params);
    case.harmlessness(params);
    let looks = case.action.spec().effect == Effect::Read;
    assert!(!looks || case.effect(params) == Effect::Read, "{case:?} only looks, but not with {params}");
}

/// Longer than any call takes that is refused or told to stop.
const LONG: Duration = Duration::from_secs(20);

/// Any JSON value, with texts that mean something to somebody.
fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        proptest::sample::select(EXTREME_TEXTS).prop_map(str::to_owned),
        "[a-z]{1,6}".prop_map(|name| format!("{{{{ inputs.{name} }}}}")),
    ];
    let key = prop_oneof![any::<String>(), "[a-z_]{1,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Nothing, what ends a text elsewhere, and the ends of time.
const EXTREME_TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "\n",
    "é\u{301}\u{202e}",
    "0s",
    "1ns",
    "9223372036854775807s",
    "-9999-01-02T01:59:59Z",
    "9999-12-30T22:00:00.999999999Z",
];

fn extremes() -> impl Iterator<Item = Value> {
    let numbers =
        [json!(0), json!(-1), json!(1), json!(i64::MIN), json!(i64::MAX), json!(u64::MAX), json!(1e308)];
    let texts = EXTREME_TEXTS.iter().map(|text| json!(text));
    let others = [Value::Null, json!([]), json!({}), json!("x".repeat(1 << 16)), json!(true), json!(false)];
    numbers.into_iter().chain(texts).chain(others)
}

/// A template's value comes when the step starts. No call panics or hangs over it, in whatever way it ends.
pub fn no_value_is_too_extreme_to_call_with(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        let nobody = Nobody::new();
        for case in &suite.cases {
            let good = (case.params)(&nobody.address());
            let places = places(&case.action.spec().params);
            for place in places.iter().filter(|place| !case.leads(&place.path)) {
                for params in extremes().map(|value| with(&good, &place.path, value)) {
                    call_with(case, &params).await;
                }
            }
        }
    });
}

async fn call_with(case: &Case, params: &Value) {
    let (looking, applying) = (Call::of(&case.action), Call::of(&case.action));
    ends(case, params, &looking, looking.observe(params)).await;
    ends(case, params, &applying, applying.apply(params)).await;
}

/// What reaches out is refused; what does not would go on.
async fn ends<T>(case: &Case, params: &Value, call: &Call, answer: impl Future<Output = T>) {
    let stop = async {
        if !case.reaches {
            turns().await;
            call.stop.cancel();
        }
    };
    let answered = async { tokio::join!(answer, stop) };
    if tokio::time::timeout(LONG, answered).await.is_err() {
        panic!("{case:?}: with {params} it does not end");
    }
}
