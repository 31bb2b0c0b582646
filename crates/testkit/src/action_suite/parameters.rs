//! Which parameters are refused, and in which words.

use lifeboat_action::{Effect, Failure, FailureKind, Harmlessness, Observation, ParamProblem};
use serde_json::{Value, json};

use super::call::Call;
use super::schema::{ANY_KEY, allows, get, kinds, places, with, without};
use super::{Case, MakeSuite, driven};

/// A value that is not known yet.
const TEMPLATE: &str = "{{ inputs.suite }}";

/// The parameters that the plug-in gives as good.
pub fn good_parameters_are_accepted(make: MakeSuite<'_>) {
    let suite = make();
    for case in &suite.cases {
        assert_eq!(case.action.check(&case.params()), [], "{case:?}");
    }
}

/// On every level: a misspelt key that is ignored is a setting that does not hold.
pub fn unknown_parameters_are_refused(make: MakeSuite<'_>) {
    let suite = make();
    for case in &suite.cases {
        let (spec, good) = (case.action.spec(), case.params());
        let inner = places(&spec.params).into_iter().map(|place| (place.path, place.schema));
        let levels = std::iter::once((Vec::new(), &spec.params)).chain(inner);
        for (level, _) in levels.filter(|(path, schema)| has_names(schema) && is_map(&good, path)) {
            let path = [level, vec![ANY_KEY.to_owned()]].concat();
            let problems = case.action.check(&with(&good, &path, json!(1)));
            let refused = |problem: &ParamProblem| problem.on_key && problem.place() == path;
            assert!(problems.iter().any(refused), "{case:?}: `{}` is taken: {problems:?}", path.join("."));
        }
    }
}

fn has_names(schema: &Value) -> bool {
    super::schema::alternatives(schema).any(|schema| schema.get("properties").is_some())
}

fn is_map(params: &Value, path: &[String]) -> bool {
    get(params, path).is_some_and(Value::is_object)
}

/// When a runbook is checked, and also by the call itself, which then does nothing.
pub fn a_missing_parameter_is_named(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        for case in &suite.cases {
            for name in required(case) {
                let params = without(&case.params(), &name);
                let problems = case.action.check(&params);
                let named = problems.iter().any(|problem| problem.message.contains(&format!("`{name}`")));
                assert!(named, "{case:?}: without `{name}`: {problems:?}");
                let why = refused(case, &params).await;
                assert!(why.contains(&name), "{case:?}: without `{name}`: {why}");
            }
        }
    });
}

fn required(case: &Case) -> Vec<String> {
    let required = case.action.spec().params["required"].as_array().cloned().unwrap_or_default();
    required.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a call says to parameters that cannot be used. It says it every time: trying again would not help.
async fn refused(case: &Case, params: &Value) -> String {
    let seen = Call::of(&case.action).observe(params).await;
    match (case.effect(params), &seen) {
        (Effect::Read, Observation::Unknown { .. }) => {}
        (Effect::Write, Observation::Unknown { .. } | Observation::Blocked { .. }) => {}
        (effect, _) => panic!("{case:?}: {effect:?} with {params}: {seen:?}"),
    }
    match Call::of(&case.action).apply(params).await {
        Err(failure) if is_final(case, &failure) => failure.to_string(),
        other => panic!("{case:?}: called with {params}: {other:?}"),
    }
}

/// An action that only looks is not applied by the engine, and tells one failure from another by looking.
fn is_final(case: &Case, failure: &Failure) -> bool {
    failure.kind == FailureKind::Permanent || case.action.spec().effect == Effect::Read
}

/// With the place, so that a runbook's author is shown the line.
pub fn a_wrong_type_is_refused_where_it_stands(make: MakeSuite<'_>) {
    let suite = make();
    for case in &suite.cases {
        let good = case.params();
        for place in places(&case.action.spec().params) {
            for (kind, value) in kinds().into_iter().filter(|(kind, _)| !allows(place.schema, kind)) {
                let params = with(&good, &place.path, value);
                let problems = case.action.check(&params);
                let there = problems.iter().any(|problem| problem.place() == place.path);
                assert!(there, "{case:?}: {kind} at `{}`: {problems:?}", place.path.join("."));
            }
        }
    }
}

/// Its value is not known until the step starts, and it must not make the call look more harmless than it is.
pub fn a_template_may_stand_anywhere(make: MakeSuite<'_>) {
    let suite = make();
    for case in &suite.cases {
        let good = case.params();
        for place in places(&case.action.spec().params) {
            let params = with(&good, &place.path, json!(TEMPLATE));
            let elsewhere = |problem: &ParamProblem| problem.place().starts_with(&place.path);
            let problems = case.action.check(&params);
            assert!(!problems.iter().any(elsewhere), "{case:?}: `{}`: {problems:?}", place.path.join("."));
            // What it stands for may be what was there before.
            let narrowed = case.effect(&good) == Effect::Write && case.effect(&params) == Effect::Read;
            assert!(!narrowed, "{case:?}: counts as reading with a template at `{}`", place.path.join("."));
        }
        if case.action.spec().effect == Effect::Read {
            assert_eq!(case.effect(&json!(TEMPLATE)), Effect::Read, "{case:?}");
        }
    }
}

/// A dry run makes a call that is known to change nothing. What a template stands for is not known, so it makes no call
/// more harmless than it was; and a parameter by which an author vouches is taken for his word, if it is literally true.
pub fn a_template_is_nobodys_word(make: MakeSuite<'_>) {
    let suite = make();
    for case in &suite.cases {
        let (spec, good) = (case.action.spec(), case.params());
        let known = case.harmlessness(&good);
        for place in places(&spec.params) {
            let params = with(&good, &place.path, json!(TEMPLATE));
            let path = place.path.join(".");
            assert!(case.harmlessness(&params) <= known, "{case:?}: harmless with a template at `{path}`");
        }
        let Some(word) = &spec.vouched_by else { continue };
        let said = |value| case.harmlessness(&with(&good, std::slice::from_ref(word), value));
        assert!(said(json!(true)) >= Harmlessness::Vouched, "{case:?}: `{word}: true` is not taken");
        for other in [json!(TEMPLATE), json!("true"), json!(false), Value::Null] {
            assert_ne!(said(other.clone()), Harmlessness::Vouched, "{case:?}: `{word}: {other}` is taken");
        }
    }
}

/// By this the value of an input is blamed that a run is given, before anything starts.
pub fn what_is_wrong_together_says_what_it_is_about(make: MakeSuite<'_>) {
    let suite = make();
    for case in &suite.contradictions {
        let known = &case.action.spec().params["properties"];
        for problem in case.action.check(&case.params()) {
            let about = &problem.about;
            let is_known = |path: &Vec<String>| path.first().is_some_and(|name| known.get(name).is_some());
            assert!(!about.is_empty() && about.iter().all(is_known), "{case:?}: about nothing: {problem:?}");
        }
    }
}

/// Not even where it was not known when the runbook was checked, because of a template.
pub fn what_is_wrong_together_is_not_carried_out(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        for case in &suite.contradictions {
            let params = case.params();
            let problems = case.action.check(&params);
            assert!(!problems.is_empty(), "{case:?} is accepted");
            let why = refused(case, &params).await;
            let said = problems.iter().any(|problem| why.contains(&problem.message));
            assert!(said, "{case:?}: check says {problems:?}, the call {why}");
        }
    });
}
