//! Whole runbooks, bad ones and hostile ones, through the reader.

use proptest::prelude::*;

use super::{Document, Item};
use crate::problem::Problems;
use crate::source::{Source, Span};

/// All problems of a text, one a line: `line:column code: message (help)`, related places indented.
fn report(text: &str) -> String {
    let source = Source::new("a.yaml", text);
    let problems = match Document::parse(source.clone()) {
        Ok(mut document) => {
            document.problems.sort();
            document.problems
        }
        Err(problems) => problems,
    };
    render(&source, &problems)
}

fn render(source: &Source, problems: &Problems) -> String {
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
title: Promote the standby of the orders database
owner: data-platform
objectives: { rto: 5m, rpo: 10s }
inputs:
  standby: { type: string, help: "host:port of the standby" }
  max_lag: { type: duration, default: 10s }
secrets:
  db_password: { env: ORDERS_DB_PASSWORD }
  token: { file: /run/secrets/token }
steps:
  - id: primary-is-down
    action: postgres.check
    with: { host: db-a, expect: down, observers: 2 }
  - parallel: repoint
    steps:
      - { id: dns, action: dns.update, with: { ttl: 30 } }
      - { id: lb, action: haproxy.set_server, needs: [] }
  - id: tell-people
    title: Tell people
    action: notify.webhook
    when: "{{ ne mode 'dry_run' }}"
    timeout: 1h 30m
    retry: { attempts: 3, delay: 250ms, backoff: 2, max_delay: 10s }
    on_failure: continue
    on_unknown: fail
    check: { action: http.check, with: { url: "http://a" } }
finally:
  - { id: report, action: notify.email }
"#;

#[test]
fn a_good_runbook_is_read_whole() {
    assert_eq!(report(GOOD), "");
    let document = Document::parse(Source::new("a.yaml", GOOD)).expect("the runbook is good");
    assert_eq!((document.inputs.len(), document.secrets.len(), document.finally.len()), (2, 2, 1));
    let [Item::Step(first), Item::Block(block), Item::Step(last)] = document.steps.as_slice() else {
        panic!("the steps are {:?}", document.steps);
    };
    assert_eq!(document.source.slice(first.place), "id");
    assert_eq!(block.steps.len(), 2);
    assert_eq!(last.retry.backoff, Some(2.0));
    assert_eq!(last.timeout.map(|timeout| timeout.as_secs()), Some(5400));
}

#[test]
fn all_mistakes_of_a_runbook_come_at_once() {
    let text = r#"
runbok: x
title:
objectives: { rto: 5, rpo: soon }
inputs:
  a: { type: strng, required: false, secret: true }
  b: string
  "c d": { type: string }
secrets:
  s: { value: hunter2 }
  t: { env: T, file: t }
steps:
  - id: one
    action: a.b
    timout: 3s
    needs: zero
    gate: approve
  - action: [a, b]
    retry: { attempts: 0, delay: 3 }
    on_failure: contineu
    depends_on: [one]
  - just text
"#;
    insta::assert_snapshot!(report(text), @r#"
    2:1 `runbok` unknown_key: a runbook has no key `runbok` (did you mean `runbook`?)
    3:1 `title` wrong_type: `title` is empty
    4:20 `5` wrong_type: `rto`: `5` has no unit (write it like 250ms, 10s, 2m or 1h 30m)
    4:28 `soon` wrong_type: `rpo`: `soon` is not a duration (write it like 250ms, 10s, 2m or 1h 30m)
    6:14 `strng` unknown_word: `type` cannot be `strng` (did you mean `string`?)
    6:31 `false` required_default: an input that may be left out needs a `default`
    6:38 `secret` unknown_key: an input has no key `secret` (inputs are kept in the journal; declare it under `secrets`)
    7:6 `string` wrong_type: an input must be a mapping, this is a text (known keys: type, default, help, required, choices)
    8:3 `"c d"` invalid_name: `c d` is not a valid name (use up to 64 letters, digits, `-` and `_`, starting with a letter)
    10:8 `value` unknown_key: a secret has no key `value` (a secret is never written into a runbook; name an environment variable or a file)
    10:8 `value` missing_key: a secret needs `env: VARIABLE` or `file: PATH`
    11:8 `env` secret_source: a secret comes from one place, `env` or `file`
    15:5 `timout` unknown_key: a step has no key `timout` (did you mean `timeout`?)
    16:12 `zero` wrong_type: `needs` must be a list, this is `zero` (write `needs: [zero]`)
    17:5 `gate` not_supported: `gate` is not supported by this version of lifeboat
    18:5 `action` missing_key: a step needs `id`
    18:13 `[a, b]` wrong_type: `action` must be a text, this is a list
    19:24 `0` wrong_type: `attempts` must be a whole number, 1 or more, this is `0`
    19:34 `3` wrong_type: `delay`: `3` has no unit (write it like 250ms, 10s, 2m or 1h 30m)
    20:17 `contineu` unknown_word: `on_failure` cannot be `contineu` (did you mean `continue`?)
    21:5 `depends_on` unknown_key: a step has no key `depends_on` (write `needs`)
    22:5 `just text` wrong_type: a step must be a mapping, this is a text (known keys: id, title, action, with, needs, when, timeout, retry, on_failure, on_unknown, idempotent, check)
    "#);
}

#[test]
fn keys_of_later_versions_are_refused_by_name() {
    let text = "runbook: x\nguards: []\nsteps:\n  - id: approve\n    gate: approve\n    by: { count: 2 }\n    expires: 15m\n  - { id: promote, action: a.b, undo: true, point_of_no_return: true }\n";
    insta::assert_snapshot!(report(text), @r#"
    2:1 `guards` not_supported: `guards` is not supported by this version of lifeboat
    5:5 `gate` not_supported: `gate` is not supported by this version of lifeboat
    6:5 `by` not_supported: `by` is not supported by this version of lifeboat
    7:5 `expires` not_supported: `expires` is not supported by this version of lifeboat
    8:33 `undo` not_supported: `undo` is not supported by this version of lifeboat
    8:45 `point_of_no_return` not_supported: `point_of_no_return` is not supported by this version of lifeboat
    "#);
}

#[test]
fn yaml_that_misleads_is_refused_where_it_stands() {
    let text = r#"
runbook: &name x
title: *name
owner: !!str 5
runbook: y
<<: { a: b }
[list]: z
steps:
  - id: a
    action: b.c
    with: { host: {{ inputs.host }}, other: {{ eq a "b" }} }
"#;
    insta::assert_snapshot!(report(text), @r#"
    2:10 `&name` anchor: anchors and aliases are not supported (write the value out; put a text that starts with `&` or `*` in quotes)
    3:8 `*name` anchor: anchors and aliases are not supported (write the value out; put a text that starts with `&` or `*` in quotes)
    4:8 `!!str` tag: YAML tags are not supported (put a text that starts with `!` in quotes)
    5:1 `runbook` duplicate_key: the key `runbook` is there twice
        2:1 `runbook` first here
    6:1 `<<` merge_key: merge keys are not supported (write the keys out where they are needed)
    7:1 `[list]` not_a_key: a key must be text
    11:19 `{{ inputs.host }}` unquoted_template: a template must be in quotes, or YAML takes it for a mapping (write "{{ inputs.host }}")
    11:45 `{{ eq a "b" }}` unquoted_template: a template must be in quotes, or YAML takes it for a mapping (write '{{ eq a "b" }}')
    "#);
}

#[test]
fn text_that_is_no_yaml_says_where_and_why() {
    let cases = [
        "runbook: x\n\tsteps: []\n",
        "runbook: {{ x }}/y\n",
        "runbook: \"x\n",
        "runbook: x\n---\nrunbook: y\n",
        "host: *.example.com\n",
        "",
        "# nothing\n",
        "- a\n- b\n",
        "just text",
        "a: b: c\n",
        "@",
    ];
    let reports: Vec<_> = cases.iter().map(|text| format!("{text:?}\n    {}", report(text))).collect();
    insta::assert_snapshot!(reports.join("\n"), @r##"
    "runbook: x\n\tsteps: []\n"
        1:10 `` syntax: this is not YAML: while scanning a plain scalar, found a tab (indent with spaces, YAML does not allow tabs there)
    "runbook: {{ x }}/y\n"
        1:10 `{{ x }}` unquoted_template: a template must be in quotes, or YAML takes it for a mapping (write "{{ x }}")
    1:17 `` syntax: this is not YAML: while parsing a block mapping, did not find expected key (put a value that begins with a template in quotes)
    "runbook: \"x\n"
        1:10 `` syntax: this is not YAML: while scanning a quoted scalar, found unexpected end of stream
    "runbook: x\n---\nrunbook: y\n"
        2:1 `---` second_document: a second document begins here (one file holds one runbook)
    "host: *.example.com\n"
        1:7 `*.example.com` anchor: anchors and aliases are not supported (write the value out; put a text that starts with `&` or `*` in quotes)
    ""
        1:1 `` empty: the runbook is empty (it needs at least `runbook: ID` and `steps`)
    "# nothing\n"
        1:1 `` empty: the runbook is empty (it needs at least `runbook: ID` and `steps`)
    "- a\n- b\n"
        1:1 `- a
    - b` wrong_type: a runbook must be a mapping, this is a list (known keys: runbook, title, owner, objectives, inputs, secrets, steps, finally)
    "just text"
        1:1 `just text` wrong_type: a runbook must be a mapping, this is a text (known keys: runbook, title, owner, objectives, inputs, secrets, steps, finally)
    "a: b: c\n"
        1:5 `` syntax: this is not YAML: mapping values are not allowed in this context
    "@"
        1:1 `` syntax: this is not YAML: unexpected character: `@'
    "##);
}

/// Runs on a stack as small as that of a runtime's worker.
fn on_a_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn_scoped(scope, work);
        thread.expect("the thread starts").join().expect("the work does not panic")
    })
}

#[test]
fn hostile_text_is_refused_in_bounds() {
    let deep_block: String = (0..700).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let laughs: String = (1..30).map(|n| format!("a{n}: &a{n} [*a{m}, *a{m}]\n", m = n - 1)).collect();
    let aliases = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(20_000));
    let cases = [
        ("deep flow lists", "a: ".to_owned() + &"[".repeat(100_000), "too_deep"),
        ("deep flow mappings", "a: ".to_owned() + &"{a: ".repeat(100_000), "too_deep"),
        ("deep block lists", "- ".repeat(100_000), "too_deep"),
        ("deep block mappings", deep_block, "too_deep"),
        ("deep keys", "? ".repeat(100_000), "too_deep"),
        ("billion laughs", format!("a0: &a0 x\n{laughs}"), "anchor"),
        ("a long text, many times", aliases, "anchor"),
        ("an anchor inside itself", "a: &a [*a]\n".to_owned(), "anchor"),
        ("five megabytes", "- a\n".repeat(1_300_000), "too_large"),
        ("many values", "- a\n".repeat(200_000), "too_many_values"),
        ("many keys", (0..60_000).map(|n| format!("k{n}: \n")).collect(), "too_many_values"),
        ("one key, many times", "a: b\n".repeat(40_000), "duplicate_key"),
        ("a NUL", "runbook: x\0\n".to_owned(), "invisible_character"),
        ("a long line", format!("runbook: \"{}", "\\".repeat(900_000)), "syntax"),
        ("many colons", ": ".repeat(300_000), "too_deep"),
    ];
    for (name, text, code) in cases {
        let codes: Vec<_> = on_a_small_stack(|| match Document::parse(Source::new("a.yaml", text)) {
            Ok(document) => document.problems.iter().map(|problem| problem.code).collect(),
            Err(problems) => problems.iter().map(|problem| problem.code).collect(),
        });
        assert!(codes.contains(&code), "{name}: {codes:?}");
    }
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    let source = Source::from_bytes("a.yaml", b"runbook: \xff\n".to_vec());
    let problems = Document::parse(source.clone()).expect_err("this is not text");
    assert_eq!(render(&source, &problems), "1:10 `\u{fffd}` not_utf8: this is not UTF-8 text");
}

fn every_span_fits(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let source = Source::from_bytes("a.yaml", bytes);
    let problems = match Document::parse(source.clone()) {
        Ok(document) => document.problems,
        Err(problems) => problems,
    };
    for problem in &problems {
        for span in problem.related.iter().map(|related| related.span).chain([problem.span]) {
            prop_assert!(source.text().get(span.start..span.end).is_some(), "{problem:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        every_span_fits(bytes)?;
    }

    #[test]
    fn any_yaml_like_text_is_read_or_refused(text in "[a-c:{}\\[\\]&*!|>#'\"?,é \\-\n]{0,120}") {
        every_span_fits(text.into_bytes())?;
    }

    #[test]
    fn a_runbook_with_a_few_bytes_changed_is_read_or_refused(
        changes in prop::collection::vec((0..GOOD.len(), any::<u8>()), 1..6),
        cut in 0..GOOD.len(),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        every_span_fits(bytes.clone())?;
        bytes.truncate(cut);
        every_span_fits(bytes)?;
    }
}
