//! Whole runbooks through the check, against a small catalogue.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::check_source;
use crate::action_spec::{ActionSpec, Effect, Harmlessness};
use crate::catalog::{Catalog, ParamProblem};
use crate::ids::{ActionName, StepId, StepIndex};
use crate::inputs::{Given, InputProblem, bind_inputs};
use crate::plan::{OnUnknown, Plan, Section, StepKind};
use crate::problem::Problems;
use crate::source::{Source, Span};

/// A few actions; parameters are checked for their names alone, and that the items of an `argv` are no lists.
struct Actions(BTreeMap<String, ActionSpec>);

impl Actions {
    fn new() -> Self {
        let properties = |names: &[&str]| -> BTreeMap<String, Value> {
            names.iter().map(|name| ((*name).to_owned(), json!({}))).collect()
        };
        let mut actions = BTreeMap::new();
        let mut add = |name: &str, effect, idempotent, params: Value, outputs: Value| {
            let spec = ActionSpec {
                name: ActionName::new(name).expect("the name is valid"),
                summary: String::new(),
                effect,
                idempotent,
                observable: true,
                recoverable: false,
                rehearsed_without: Vec::new(),
                vouched_by: (name == "command.run").then(|| "read_only".to_owned()),
                params,
                outputs,
            };
            actions.insert(name.to_owned(), spec);
        };
        let lag = json!({ "properties": properties(&["lag", "ok"]) });
        add(
            "postgres.check",
            Effect::Read,
            true,
            json!({ "properties": properties(&["host", "expect"]), "required": ["host"] }),
            lag,
        );
        let lsn = json!({ "properties": properties(&["lsn", "timeline"]) });
        add(
            "postgres.promote",
            Effect::Write,
            false,
            json!({ "properties": properties(&["host", "max_lag"]) }),
            lsn,
        );
        let argv = json!({ "properties": { "argv": { "x-visible": true }, "env": {} } });
        add("command.run", Effect::Write, false, argv, json!({ "additionalProperties": true }));
        add("wait.for", Effect::Write, true, json!({ "properties": properties(&["duration"]) }), json!({}));
        Self(actions)
    }
}

impl Catalog for Actions {
    fn spec(&self, name: &str) -> Option<&ActionSpec> {
        self.0.get(name)
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    fn check_params(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        let (Some(spec), Some(params)) = (self.spec(name), params.as_object()) else { return Vec::new() };
        let unknown = params.keys().filter(|key| spec.params["properties"].get(key).is_none());
        let unknown =
            unknown.map(|key| ParamProblem::new(format!("unknown parameter `{key}`")).about([key]).on_key());
        let required = spec.params["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing = required.filter(|key| !params.contains_key(*key));
        let missing = missing.map(|key| ParamProblem::new(format!("`{key}` is missing")).about([key]));
        let items = params.get("argv").and_then(Value::as_array).into_iter().flatten().enumerate();
        let lists = items.filter(|(_, item)| item.is_array());
        let lists = lists
            .map(|(at, _)| ParamProblem::new("this is a list").about(["argv".to_owned(), at.to_string()]));
        unknown.chain(missing).chain(lists).collect()
    }

    fn effect(&self, name: &str, _: &Value) -> Effect {
        self.spec(name).map_or(Effect::Write, |spec| spec.effect)
    }

    fn harmlessness(&self, name: &str, _: &Value) -> Harmlessness {
        let proven = self.spec(name).is_some_and(|spec| spec.vouched_by.is_none());
        if proven { Harmlessness::Proven } else { Harmlessness::Unvouched }
    }
}

fn plan(text: &str) -> Plan {
    match check_source(Source::new("a.yaml", text), &Actions::new()) {
        Ok(plan) => plan,
        Err(problems) => panic!("{}", render(text, &problems)),
    }
}

fn report(text: &str) -> String {
    match check_source(Source::new("a.yaml", text), &Actions::new()) {
        Ok(_) => "no problem".to_owned(),
        Err(problems) => render(text, &problems),
    }
}

fn render(text: &str, problems: &Problems) -> String {
    let source = Source::new("a.yaml", text);
    let place = |span: Span| {
        let at = source.position(span.start);
        format!("{}:{} `{}`", at.line, at.column, source.slice(span))
    };
    let mut lines = Vec::new();
    for problem in problems {
        let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        lines.push(format!("{} {}: {}{help}", place(problem.span), problem.code, problem.message));
        lines
            .extend(problem.related.iter().map(|other| format!("    {} {}", place(other.span), other.label)));
    }
    lines.join("\n")
}

const GOOD: &str = r#"
runbook: orders-db-failover
objectives: { rto: 5m }
inputs:
  standby: { type: string }
  max_lag: { type: duration, default: 10s }
  ports: { type: list, default: [5432, 5433] }
secrets:
  password: { env: PASSWORD }
steps:
  - { id: look, action: postgres.check, with: { host: "{{ inputs.standby }}" } }
  - id: promote
    title: Promote the standby
    action: postgres.promote
    with: { host: "{{ inputs.standby }}", max_lag: "{{ inputs.max_lag }}" }
    check: { action: postgres.check, with: { host: "{{ inputs.standby }}" } }
    timeout: 2m
    retry: { attempts: 3 }
  - parallel: repoint
    when: "{{ ne mode 'dry_run' }}"
    steps:
      - id: dns
        action: command.run
        with: { argv: [dns, "{{ steps.promote.lsn }}"], env: { PASSWORD: "{{ secrets.password }}" } }
        when: "{{ gt steps.look.lag 5 }}"
      - { id: lb, action: wait.for, with: { duration: 1s }, on_unknown: rerun }
      - { id: lb2, action: wait.for, needs: [lb] }
  - { id: early, action: wait.for, needs: [] }
  - { id: last, action: command.run, needs: [repoint, early], with: { argv: ["{{ steps.dns.json.a.b }}"] } }
finally:
  - { id: report, action: command.run, with: { argv: ["{{ steps.early.x }}", "{{ run.id }}"] } }
  - { id: more, action: wait.for }
"#;

#[test]
fn a_good_runbook_becomes_a_plan() {
    let text = GOOD.replace("\"{{ steps.early.x }}\", ", "");
    let plan = plan(&text);
    let rows: Vec<_> = plan
        .steps()
        .iter()
        .map(|step| {
            let needs: Vec<_> = step.needs.iter().map(|need| need.0).collect();
            (step.id.as_str(), step.line, step.parent.map(|parent| parent.0), needs)
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("look", 11, None, vec![]),
            ("promote", 12, None, vec![0]),
            ("repoint", 19, None, vec![1]),
            ("dns", 22, Some(2), vec![]),
            ("lb", 26, Some(2), vec![]),
            ("lb2", 27, Some(2), vec![4]),
            ("early", 28, None, vec![]),
            ("last", 29, None, vec![2, 6]),
            ("report", 31, None, vec![]),
            ("more", 32, None, vec![8]),
        ]
    );
    let step = |id: &str| {
        let index = StepId::new(id).ok().and_then(|id| plan.find(&id)).expect("the step is there");
        plan.step(index)
    };
    assert_eq!(
        step("repoint").kind,
        StepKind::Block { children: vec![StepIndex(3), StepIndex(4), StepIndex(5)] }
    );
    assert_eq!(step("repoint").when, ["{{ ne mode 'dry_run' }}"]);
    assert_eq!(step("dns").when, ["{{ gt steps.look.lag 5 }}"]);
    assert_eq!(step("promote").title, "Promote the standby");
    assert_eq!(step("more").section, Section::Finally);
    let promote = step("promote").action().expect("it calls an action");
    assert_eq!(promote.retry.attempts, 3);
    assert_eq!(
        promote.call.with,
        json!({ "host": "{{ inputs.standby }}", "max_lag": "{{ inputs.max_lag }}" })
    );
    assert!(promote.check.is_some());
    assert_eq!(step("lb").action().map(|lb| lb.on_unknown), Some(OnUnknown::Rerun));
    assert_eq!(plan.inputs()[2].default, Some(json!(["5432", "5433"])));
}

#[test]
fn the_example_of_the_documentation_is_right() {
    let page = include_str!("../../../../docs/runbook.md");
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(plan(example.expect("the page has an example")).steps().len(), 7);
}

#[test]
fn a_plan_survives_its_journal() {
    let plan = plan(&GOOD.replace("\"{{ steps.early.x }}\", ", ""));
    let stored = serde_json::to_string(&plan).expect("a plan serialises");
    let back: Plan = serde_json::from_str(&stored).expect("a plan deserialises");
    assert_eq!(back.steps(), plan.steps());
    assert_eq!(back.source(), plan.source());
}

#[test]
fn ids_and_needs_must_fit() {
    let text = r#"
runbook: Not An Id
title: "{{ inputs.x }}"
steps:
  - { id: fence, action: wait.for }
  - { id: Fence It, action: wait.for }
  - { id: fence, action: wait.for }
  - { id: promote, action: wait.for, needs: [fense, fence, end] }
  - parallel: both
    steps:
      - { id: a, action: wait.for, needs: [both] }
      - { id: b, action: wait.for }
finally:
  - { id: end, action: wait.for, needs: [fence] }
  - parallel: not-here
    steps:
      - { id: c, action: wait.for }
"#;
    assert_snapshot!(report(text), @r#"
    2:10 `Not An Id` invalid_id: `Not An Id` is not a valid runbook id (use 1 to 64 of a-z, 0-9, `-` and `_`, starting with a letter)
    3:8 `"{{ inputs.x }}"` template_not_rendered: templates are not rendered here (templates belong in `with` and `when`)
    6:11 `Fence It` invalid_id: `Fence It` is not a valid step id (use 1 to 64 of a-z, 0-9, `-` and `_`, starting with a letter)
    7:11 `fence` duplicate_id: two steps have the id `fence`
        5:11 `fence` first here
    8:46 `fense` unknown_step: no step has the id `fense` (did you mean `fence`?)
    8:60 `end` needs_finally: `end` stands in `finally` and runs after all steps
    9:15 `both` cycle: these steps wait for each other: `both` → `a` → `both` (take one of them out of a `needs`)
        11:15 `a` part of the circle
    14:42 `fence` needs_in_finally: the steps of `finally` run one after the other, they have no `needs`
    15:5 `parallel` block_in_finally: the steps of `finally` run one after the other, there is no block
    "#);
}

#[test]
fn circles_are_reported_once_each_with_their_whole_path() {
    let text = r#"
runbook: x
steps:
  - { id: alone, action: wait.for, needs: [alone] }
  - { id: a, action: wait.for, needs: [c] }
  - { id: b, action: wait.for, needs: [a] }
  - { id: c, action: wait.for, needs: [b, a] }
  - parallel: block
    needs: [outside]
    steps:
      - { id: inside, action: wait.for }
  - { id: outside, action: wait.for, needs: [inside] }
"#;
    assert_snapshot!(report(text), @r#"
    4:11 `alone` cycle: `alone` waits for itself (take one of them out of a `needs`)
    5:11 `a` cycle: these steps wait for each other: `a` → `c` → `a` (take one of them out of a `needs`)
        7:11 `c` part of the circle
    8:15 `block` cycle: these steps wait for each other: `block` → `outside` → `inside` → `block` (take one of them out of a `needs`)
        12:11 `outside` part of the circle
        11:15 `inside` part of the circle
    "#);
}

#[test]
fn a_circle_hides_no_other_problem() {
    let text = r#"
runbook: x
steps:
  - { id: a, action: command.run, needs: [b], with: { argv: ["{{ steps.b.x }}"] } }
  - { id: b, action: command.run, needs: [a], with: { argv: ["{{ steps.a.x }}"] } }
  - { id: apart, action: command.run, needs: [], with: { argv: ["{{ steps.c.x }}", "{{ steps.a.x }}"] } }
  - { id: c, action: command.run, needs: [b], with: { argv: ["{{ steps.a.x }}", "{{ steps.apart.x }}"] } }
"#;
    assert_snapshot!(report(text), @r#"
    4:11 `a` cycle: these steps wait for each other: `a` → `b` → `a` (take one of them out of a `needs`)
        5:11 `b` part of the circle
    6:69 `steps.c.x` not_run_before: `c` may not have run when this step starts (add `c` to the `needs` of this step)
        7:11 `c` this step
    6:88 `steps.a.x` not_run_before: `a` may not have run when this step starts (add `a` to the `needs` of this step)
        4:11 `a` this step
    7:85 `steps.apart.x` not_run_before: `apart` may not have run when this step starts (add `apart` to the `needs` of this step)
        6:11 `apart` this step
    "#);
}

#[test]
fn actions_and_parameters_must_fit() {
    let text = r#"
runbook: x
inputs:
  host: { type: string }
secrets:
  token: { env: TOKEN }
steps:
  - { id: a, action: postgres.promot }
  - { id: b, action: promote }
  - { id: c, action: postgres.fence }
  - { id: d, action: postgres.check, with: { hots: db-a } }
  - { id: e, action: postgres.check, with: [db-a] }
  - { id: f, action: command.run, with: { argv: [curl, "-H{{ secrets.token }}"], env: { T: "{{ secrets.token }}" } } }
  - { id: g, action: command.run, check: { action: wait.for }, on_unknown: rerun }
  - { id: h, action: command.run, with: { env: { "{{ inputs.host }}": x, y: .nan } } }
  - { id: i, action: command.run, check: { action: postgres.chek, with: {} } }
  - { id: j, action: command.run, check: { action: command.run } }
"#;
    assert_snapshot!(report(text), @r#"
    8:22 `postgres.promot` unknown_action: there is no action `postgres.promot` (did you mean `postgres.promote`?)
    9:22 `promote` unknown_action: there is no action `promote` (write family.verb, such as `command.run`)
    10:22 `postgres.fence` unknown_action: there is no action `postgres.fence` (did you mean `postgres.check`?)
    11:22 `postgres.check` parameter: `host` is missing
    11:46 `hots` parameter: unknown parameter `hots`
    12:44 `[db-a]` wrong_type: `with` must be a mapping of parameters, this is a list
    13:62 `secrets.token` visible_secret: others can read `argv`, so it cannot hold a secret (hand it over in another way, such as an environment variable)
    14:52 `wait.for` check_writes: `check` must only look, and `wait.for` can change something
    14:76 `rerun` rerun: `command.run` is not safe to repeat, so it cannot be run again when in doubt (use `ask` or `fail`, or vouch for the step with `idempotent: true`)
    15:50 `"{{ inputs.host }}"` template_not_rendered: templates are not rendered in keys
    15:77 `.nan` not_finite: `.nan` is not a finite number (put it in quotes to keep it as text)
    16:52 `postgres.chek` unknown_action: there is no action `postgres.chek` (did you mean `postgres.check`?)
    17:52 `command.run` check_writes: `check` must only look, and `command.run` can change something (if it only looks, say so with `read_only: true`)
    "#);
}

#[test]
fn every_name_in_a_template_must_mean_something() {
    let text = r#"
runbook: x
inputs:
  host: { type: string }
  hosts: { type: list }
secrets:
  token: { env: TOKEN }
steps:
  - { id: look, action: postgres.check, with: { host: "{{ inputs.hots }}" } }
  - id: run
    action: command.run
    when: "{{ eq secrets.token 'x' }}"
    with:
      argv: ["{{ host }}", "{{ secrets.tokn }}", "{{ steps.lok.lag }}", "{{ steps.look.lagg }} {{ steps.look.lag }}"]
      env: { A: "{{ steps.run.x }}", B: "{{ steps.late.x }}", C: "{{ steps.end.x }}", D: "{{ steps.block.x }}" }
  - parallel: block
    steps:
      - { id: one, action: command.run, with: { argv: ["{{ steps.two.x }}", "{{ inputs.host.name }}", "{{ inputs.hosts.[0] }}"] } }
      - { id: two, action: command.run, when: steps.one.ok }
  - { id: late, action: command.run, with: { argv: ["{{ steps.one.x }}", "{{#if nothing}}x{{/if}}", "{{ if }", "{{> p }}"] } }
finally:
  - { id: start, action: command.run, with: { argv: ["{{ steps.end.x }}", "{{ steps.late.x }}"] } }
  - { id: end, action: command.run, when: "{{ eq mode 'live' }} ", with: { argv: ["{{ steps.start.x }}", "{{ shel inputs.host }}"] } }
"#;
    assert_snapshot!(report(text), @r#"
    9:59 `inputs.hots` unknown_input: there is no input `hots` (did you mean `host`?)
    12:18 `secrets.token` secret_in_condition: a condition cannot use a secret
    14:18 `host` template: nothing is named `host` (did you mean `inputs.host`?)
    14:32 `secrets.tokn` unknown_secret: there is no secret `tokn` (did you mean `token`?)
    14:32 `secrets.tokn` visible_secret: others can read `argv`, so it cannot hold a secret (hand it over in another way, such as an environment variable)
    14:54 `steps.lok.lag` unknown_step: no step has the id `lok` (did you mean `look`?)
    14:77 `steps.look.lagg` unknown_output: `postgres.check` gives no output `lagg` (did you mean `lag`?)
    15:21 `steps.run.x` not_run_before: `run` cannot use its own outputs
    15:45 `steps.late.x` not_run_before: `late` may not have run when this step starts (add `late` to the `needs` of this step)
        20:11 `late` this step
    15:70 `steps.end.x` not_run_before: `end` stands in `finally` and runs after this step
        23:11 `end` this step
    15:94 `steps.block.x` unknown_output: `block` is a block, it has no outputs (name a step inside it)
    18:60 `steps.two.x` not_run_before: `two` may not have run when this step starts (add `two` to the `needs` of this step)
        19:15 `two` this step
    18:81 `inputs.host.name` unknown_input: there is nothing inside the input `host`, it is not a list
    19:47 `steps.one.ok` not_a_condition: `when` must be one template that is true or false (write it like "{{ eq mode 'live' }}")
    20:81 `nothing` template: nothing is named `nothing` (a name begins with `inputs.`, `secrets.`, `steps.`, or is `mode` or `run.id`)
    20:101 `"{{ if }"` template: the braces `{{` are not closed (end the expression with `}}`)
    20:115 `>` template: a template cannot include another one
    22:58 `steps.end.x` not_run_before: `end` may not have run when this step starts (put `end` above)
        23:11 `end` this step
    23:43 `"{{ eq mode 'live' }} "` not_a_condition: `when` must be one template that is true or false (write it like "{{ eq mode 'live' }}")
    23:110 `shel` template: there is no helper `shel` (did you mean `shell`?)
    "#);
}

#[test]
fn defaults_and_choices_have_the_type_of_their_input() {
    let text = r#"
runbook: x
inputs:
  a: { type: integer, default: 1.5 }
  b: { type: boolean, default: yes }
  c: { type: string, default: 5432, choices: [5432, 5433] }
  d: { type: string, default: x, choices: [y, z] }
  e: { type: duration, default: 10 }
  f: { type: list, default: [a, [b]] }
  g: { type: number, default: [1] }
  h: { type: list, default: [a, b], choices: [a] }
  i: { type: string, default: }
steps:
  - { id: a, action: wait.for }
"#;
    assert_snapshot!(report(text), @r#"
    4:32 `1.5` wrong_type: `1.5` is not a whole number
    5:32 `yes` wrong_type: `yes` is not true or false
    7:31 `x` not_a_choice: `x` is not one of `y`, `z`
    8:33 `10` wrong_type: `10` has no unit; write it like 250ms, 10s, 2m or 1h 30m
    9:33 `[b]` wrong_type: `["b"]` is not a text
    10:31 `[1]` wrong_type: `[1]` is not a number
    11:29 `[a, b]` not_a_choice: `b` is not one of `a`
    12:22 `default` wrong_type: `null` is not a text
    "#);
}

#[test]
fn problems_of_reading_and_checking_come_together_in_order() {
    let text = "runbook: x\nsteps:\n  - { id: a, action: wait.form }\n  - { id: b, action: wait.for, timout: 1s, needs: [c] }\n  - { id: d, acton: wait.for, needs: [a] }\n";
    assert_snapshot!(report(text), @r#"
    3:22 `wait.form` unknown_action: there is no action `wait.form` (did you mean `wait.for`?)
    4:32 `timout` unknown_key: a step has no key `timout` (did you mean `timeout`?)
    4:52 `c` unknown_step: no step has the id `c` (ids: a, b, d)
    5:14 `acton` unknown_key: a step has no key `acton` (did you mean `action`?)
    "#);
}

fn bound(given: &[(&str, Given)]) -> Result<Value, Vec<String>> {
    let plan = plan(
        r#"
runbook: x
inputs:
  host: { type: string, help: "host:port of the standby" }
  port: { type: integer, default: 5432 }
  share: { type: number, default: 0.5 }
  force: { type: boolean, default: false }
  lag: { type: duration, default: 10s, choices: [10s, 1m] }
  hosts: { type: list, default: [] }
steps:
  - { id: a, action: wait.for }
"#,
    );
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let shown =
        |problem: &InputProblem| format!("{problem} ({})", problem.help.as_deref().unwrap_or_default());
    bind_inputs(&plan, &given).map(Value::Object).map_err(|problems| problems.iter().map(shown).collect())
}

#[test]
fn given_inputs_are_typed_and_completed() {
    let text = |text: &str| Given::Text(text.to_owned());
    let values = bound(&[
        ("host", text("5")),
        ("port", text(" 5433")),
        ("share", text("1")),
        ("force", text("true")),
        ("lag", text("1m")),
        ("hosts", text("a, b,,c")),
    ]);
    assert_eq!(
        values,
        Ok(
            json!({ "host": "5", "port": 5433, "share": 1, "force": true, "lag": "1m", "hosts": ["a", "b", "c"] })
        )
    );
    let values = bound(&[("host", Given::Json(json!("a"))), ("hosts", Given::Json(json!(["x"])))]);
    assert_eq!(
        values,
        Ok(json!({ "host": "a", "port": 5432, "share": 0.5, "force": false, "lag": "10s", "hosts": ["x"] }))
    );
}

#[test]
fn wrong_inputs_are_refused_together() {
    let given = [
        ("hots", Given::Text("x".to_owned())),
        ("port", Given::Text("many".to_owned())),
        ("share", Given::Json(json!("half"))),
        ("force", Given::Text("yes".to_owned())),
        ("lag", Given::Text("2m".to_owned())),
        ("hosts", Given::Json(json!([1]))),
    ];
    let problems = bound(&given).expect_err("the inputs are wrong");
    assert_snapshot!(problems.join("\n"), @r#"
    input `hots`: the runbook has no such input (did you mean `host`?)
    input `host`: it has no value (host:port of the standby)
    input `port`: `many` is not a whole number ()
    input `share`: `half` is not a number ()
    input `force`: `yes` is not true or false ()
    input `lag`: `2m` is not one of `10s`, `1m` ()
    input `hosts`: `[1]` is not a list of texts ()
    "#);
}

#[test]
fn long_chains_and_wide_fans_are_checked_without_recursion() {
    let chain: String = (0..8_000).map(|n| format!("- {{ id: s{n}, action: wait.for }}\n")).collect();
    let last = "- { id: last, action: command.run, with: { argv: [\"{{ steps.s0.x }}\"] } }\n";
    let text = format!("runbook: x\nsteps:\n{chain}{last}").replace("wait.for", "command.run");
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let steps = thread.spawn(move || plan(&text).steps().len()).expect("the thread starts").join();
    assert_eq!(steps.expect("the check ends"), 8_001);

    let circle: String = (0..8_000)
        .map(|n| format!("- {{ id: s{n}, action: wait.for, needs: [s{}] }}\n", (n + 1) % 8_000))
        .collect();
    let report = report(&format!("runbook: x\nsteps:\n{circle}"));
    assert!(report.contains("→ … (8000 steps in all)"), "{report}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_runbook_with_a_few_bytes_changed_is_checked_with_places_inside_it(
        changes in prop::collection::vec((0..GOOD.len(), any::<u8>()), 0..4),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let source = Source::from_bytes("a.yaml", bytes);
        if let Err(problems) = check_source(source.clone(), &Actions::new()) {
            prop_assert!(!problems.is_empty());
            for problem in &problems {
                for span in problem.related.iter().map(|related| related.span).chain([problem.span]) {
                    prop_assert!(source.text().get(span.start..span.end).is_some(), "{problem:?}");
                }
            }
        }
    }
}

#[test]
fn an_input_that_is_a_list_is_one_before_its_items_are_known() {
    let with_argv = |argv: &str| {
        report(&format!(
            "runbook: a\ninputs:\n  hosts: {{ type: list }}\n  host: {{ type: string }}\nsteps:\n  \
             - {{ id: go, action: command.run, with: {{ argv: {argv} }} }}\n"
        ))
    };
    for fine in [
        r#""{{ inputs.hosts }}""#,
        r#"[ping, "{{ inputs.host }}"]"#,
        r#"[ping, "{{ lookup inputs.hosts 0 }}"]"#,
        r#"[ping, "all of {{ inputs.hosts }}"]"#,
    ] {
        assert_eq!(with_argv(fine), "no problem", "{fine}");
    }
    let problem = with_argv(r#"[ping, "{{ inputs.hosts }}"]"#);
    assert_eq!(problem, "6:57 `\"{{ inputs.hosts }}\"` parameter: this is a list");
}
