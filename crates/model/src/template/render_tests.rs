//! Filling templates in, with what is known, what is not, and what is secret.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{CannotFill, Decided, Filled, Values};
use crate::action_spec::{ActionSpec, Effect, Harmlessness};
use crate::attempt_key::AttemptKey;
use crate::catalog::{Catalog, ParamProblem};
use crate::ids::{ActionName, Attempt, Effort, Epoch, RunId, Seq, StepId};
use crate::node_path::NodePath;
use crate::outcome::Outcome;
use crate::record::{Driver, Mode, Record, RecordBody, RunCreated, StepEnd};
use crate::run_state::RunState;
use crate::{Source, check_source};

struct AnyParameters(ActionSpec);

impl Catalog for AnyParameters {
    fn spec(&self, _: &str) -> Option<&ActionSpec> {
        Some(&self.0)
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn check_params(&self, _: &str, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }

    fn effect(&self, _: &str, _: &Value) -> Effect {
        Effect::Write
    }

    fn harmlessness(&self, _: &str, _: &Value) -> Harmlessness {
        Harmlessness::Proven
    }
}

fn catalog() -> AnyParameters {
    AnyParameters(ActionSpec {
        name: ActionName::new("test.do").expect("the name is valid"),
        summary: String::new(),
        effect: Effect::Write,
        idempotent: false,
        observable: false,
        recoverable: false,
        rehearsed_without: Vec::new(),
        vouched_by: None,
        params: json!({}),
        outputs: json!({ "additionalProperties": true }),
    })
}

/// A run of two steps: `done` gave outputs, `later` did not run.
fn state() -> RunState {
    let text = "runbook: x\nsteps: [{ id: done, action: test.do }, { id: later, action: test.do }]\n";
    let plan = check_source(Source::new("x.yaml", text), &catalog()).expect("the runbook is good");
    let run = RunId::new("run_01jdxk3w5v8h3m4n5p6q7r8s9t").expect("the id is valid");
    let step = StepId::new("done").expect("the id is valid");
    let inputs = json!({ "port": 5432, "host": "db-a", "hosts": ["a", "b"], "braces": "{{ mode }}" });
    let Value::Object(outputs) =
        json!({ "lag": 1.5, "json": { "ok": true, "n": null, "rows": [{ "n": 7 }] } })
    else {
        panic!("the outputs are an object");
    };
    let created = RunCreated {
        run: run.clone(),
        mode: Mode::Drill,
        plan,
        inputs: inputs.as_object().cloned().unwrap_or_default(),
        actor: "ada".to_owned(),
        driver: Driver { pid: 1, host: "h".to_owned(), boot: None, version: "0".to_owned() },
        folder: None,
        plugins: std::collections::BTreeMap::new(),
    };
    let (node, effort, attempt) = (NodePath::top(&step), Effort::Apply, Attempt::FIRST);
    let key = AttemptKey::of(&run, &node, 1, effort);
    let outcome = Outcome { outputs, ..Outcome::default() };
    let bodies = [
        RecordBody::RunCreated(Arc::new(created)),
        RecordBody::StepStarted { node: node.clone(), effort, attempt, key, with: Value::Null },
        RecordBody::StepFinished { node, attempt: Some(attempt), end: StepEnd::Succeeded(outcome) },
    ];
    let mut records = (1..).zip(bodies).map(|(seq, body)| Record {
        seq: Seq(seq),
        epoch: Epoch(1),
        at: Timestamp::UNIX_EPOCH,
        body,
    });
    let first = records.next().expect("there is a first record");
    let mut state = RunState::new(&first).expect("a run begins with its creation");
    records.for_each(|record| state.apply(&record).expect("the record is legal"));
    state
}

fn fill(with: &Value) -> Result<Filled, CannotFill> {
    let state = state();
    let secrets = Map::from_iter([("token".to_owned(), json!("hunter2"))]);
    Values { state: &state, node: None, secrets: &secrets, mask: "***" }.fill(with)
}

fn value(text: &str) -> Value {
    match fill(&json!(text)) {
        Ok(Filled::Known { value, .. }) => value,
        other => panic!("{text}: {other:?}"),
    }
}

fn why_not(text: &str) -> String {
    fill(&json!(text)).expect_err("the template cannot be filled in").why
}

#[test]
fn one_expression_keeps_its_type() {
    assert_eq!(value("{{ inputs.port }}"), json!(5432));
    assert_eq!(value("{{~inputs.hosts~}}"), json!(["a", "b"]));
    assert_eq!(value("{{ steps.done.json }}"), json!({ "ok": true, "n": null, "rows": [{ "n": 7 }] }));
    assert_eq!(value("{{ steps.done.json.rows.[0].n }}"), json!(7));
    assert_eq!(value("{{ gt steps.done.lag 1 }}"), json!(true));
    assert_eq!(value("{{ (eq mode 'live') }}"), json!(false));
    assert_eq!(value("{{ json inputs.hosts }}"), json!("[\"a\",\"b\"]"));
    assert_eq!(value("{{ len inputs.hosts }}"), json!(2));
    assert_eq!(value("{{ lookup inputs.hosts 1 }}"), json!("b"));
}

#[test]
fn text_around_an_expression_makes_text() {
    assert_eq!(value("{{ inputs.host }}:{{ inputs.port }}"), json!("db-a:5432"));
    assert_eq!(
        value("{{#each inputs.hosts}}{{ this }}:{{ @root.inputs.port }} {{/each}}"),
        json!("a:5432 b:5432 ")
    );
    assert_eq!(
        value("{{#if (eq mode 'drill')}}drill{{else}}live{{/if}} of {{ run.id }}"),
        json!("drill of run_01jdxk3w5v8h3m4n5p6q7r8s9t")
    );
    assert_eq!(value("\\{{ literal }}"), json!("{{ literal }}"));
    assert_eq!(value("say {{ shell \"it's\" }}"), json!("say 'it'\\''s'"));
}

#[test]
fn what_a_value_holds_is_never_a_template() {
    assert_eq!(value("{{ inputs.braces }}!"), json!("{{ mode }}!"));
    assert_eq!(value("{{ inputs.braces }}"), json!("{{ mode }}"));
}

#[test]
fn what_did_not_run_stays_unknown() {
    let Ok(Filled::Unknown { why, masked }) =
        fill(&json!({ "a": "{{ steps.later.x }}", "b": "{{ inputs.port }}" }))
    else {
        panic!("the value is not known");
    };
    assert_eq!(why, "`steps.later.x` is not known: step `later` did not run (pending)");
    assert_eq!(masked, json!({ "a": null, "b": 5432 }));
    assert!(matches!(fill(&json!("{{#if steps.later.x}}a{{/if}}")), Ok(Filled::Unknown { .. })));
    assert!(matches!(fill(&json!("{{ or steps.later.x true }}")), Ok(Filled::Unknown { .. })));
}

#[test]
fn what_is_not_there_is_never_quietly_false() {
    for text in [
        "{{ steps.done.json.no }}",
        "{{#if steps.done.json.no}}a{{else}}b{{/if}}",
        "{{#unless steps.done.json.no}}a{{/unless}}",
        "{{ and steps.done.json.no true }}",
        "{{ not steps.done.json.no }}",
    ] {
        assert_eq!(why_not(text), "there is no `steps.done.json.no`", "{text}");
    }
    assert_eq!(why_not("{{ steps.done.json.rows.[1].n }}"), "there is no `steps.done.json.rows.[1].n`");
}

#[test]
fn what_has_no_text_is_no_part_of_one() {
    let null = "`steps.done.json.n` is null, which has no place in a text: \
                use it only where it has a value, or write `json`";
    assert_eq!(why_not("--host={{ steps.done.json.n }}"), null);
    assert_eq!(why_not("{{#if true}}{{ steps.done.json.n }}{{/if}}"), null);
    assert_eq!(why_not("x {{ shell steps.done.json.n }}"), null);
    assert_eq!(
        why_not("{{ mode }} {{ steps.done.json }}"),
        "`steps.done.json` is a mapping, which has no place in a text: pick a field, write `json`, or use it alone"
    );
    assert_eq!(
        why_not("{{#each steps.done.json.rows}}{{ this }}{{/each}}"),
        "`this` is a mapping, which has no place in a text: pick a field, write `json`, or use it alone"
    );
    let list = " is a list, which has no place in a text: \
                pick an item, go through it with `each`, write `json`, or use it alone";
    assert_eq!(why_not("all of {{ inputs.hosts }}"), format!("`inputs.hosts`{list}"));
    assert_eq!(why_not("of {{ lookup steps.done.json 'rows' }}"), format!("the value{list}"));

    assert_eq!(value("{{ steps.done.json.n }}"), json!(null));
    assert_eq!(value("n={{ json steps.done.json.n }}"), json!("n=null"));
    assert_eq!(value("all of {{ json inputs.hosts }}"), json!("all of [\"a\",\"b\"]"));
    assert_eq!(value("{{ steps.done.json.ok }} {{ (len inputs.hosts) }}"), json!("true 2"));
    assert_eq!(value("{{#if steps.done.json.n}}a{{else}}b{{/if}}"), json!("b"));
}

#[test]
fn what_cannot_be_compared_is_never_quietly_false() {
    let null = "cannot be decided: `steps.done.json.n` is null; it compares two numbers";
    assert_eq!(why_not("{{ gt steps.done.json.n 5 }}"), format!("`gt` {null}"));
    assert_eq!(why_not("{{ lte 5 steps.done.json.n }}"), format!("`lte` {null}"));
    let second = "cannot be decided: its second value is a text; it compares two numbers";
    assert_eq!(why_not("{{ gt 0 'a' }}"), format!("`gt` {second}"));
    assert_eq!(why_not("{{ lt 11 '12' }}"), format!("`lt` {second}"));
    assert_eq!(
        why_not("{{ gte '10s' '9s' }}"),
        "`gte` cannot be decided: its first value is a text; it compares two numbers"
    );
    for call in ["eq", "ne"] {
        assert_eq!(
            why_not(&format!("{{{{ {call} inputs.port '5432' }}}}")),
            format!(
                "`{call}` cannot be decided: `inputs.port` is a number, and its second value is a text; \
                 compare values of one kind"
            )
        );
    }
    assert_eq!(value("{{ eq steps.done.json.n null }}"), json!(true));
    assert_eq!(value("{{ ne steps.done.json.ok null }}"), json!(true));
    assert_eq!(value("{{ eq inputs.port 5432.0 }}"), json!(true));
    assert_eq!(value("{{ lt -1 inputs.port }}"), json!(true));
    assert_eq!(value("{{ gte steps.done.lag 1.5 }}"), json!(true));
}

#[test]
fn why_not_is_said_in_the_words_of_the_template() {
    assert_eq!(
        why_not("{{ lookup inputs.hosts 7 }}"),
        "in `inputs.hosts` there is nothing at the place that its second value says"
    );
    assert_eq!(
        why_not("{{ lookup inputs.host 0 }}"),
        "`inputs.host` is a text, there is nothing in it to look up"
    );
    assert_eq!(why_not("{{ len inputs.port }}"), "`inputs.port` is a number, it has no length");
    assert_eq!(
        why_not("{{#each steps.done.json.n}}x{{else}}y{{/each}}"),
        "`steps.done.json.n` is null, `each` needs a list"
    );
    assert_eq!(why_not("{{#each steps.done.json.rows}}{{ eq ok true }}{{/each}}"), "there is no `ok`");
    assert_eq!(
        why_not("{{#each steps.done.json.rows}}{{ not ok }}{{/each}}"),
        "what `not` asks for is not there"
    );
}

#[test]
fn what_a_template_may_become_is_bounded() {
    let each = "{{#each inputs.hosts}}";
    let text = format!(
        "{}0123456789abcdef{}",
        each.replace("inputs", "@root.inputs").repeat(17),
        "{{/each}}".repeat(17)
    );
    assert_eq!(why_not(&text), "it becomes longer than 1048576 bytes");
}

#[test]
fn secrets_are_masked_in_what_is_stored() {
    let filled = fill(&json!({ "env": { "T": "Bearer {{ secrets.token }}" }, "s": ["{{ secrets.token }}"] }));
    assert_eq!(
        filled,
        Ok(Filled::Known {
            value: json!({ "env": { "T": "Bearer hunter2" }, "s": ["hunter2"] }),
            masked: json!({ "env": { "T": "Bearer ***" }, "s": ["***"] }),
        })
    );
}

#[test]
fn conditions_are_true_false_or_unknown() {
    let (state, secrets) = (state(), Map::new());
    let values = Values { state: &state, node: None, secrets: &secrets, mask: "" };
    assert_eq!(values.decide("{{ steps.done.json.ok }}"), Ok(Decided::True));
    assert_eq!(values.decide("{{ eq mode 'live' }}"), Ok(Decided::False));
    assert!(matches!(values.decide("{{ steps.later.ok }}"), Ok(Decided::Unknown { .. })));
    assert!(values.decide("{{ inputs.port }}").is_err());
}
