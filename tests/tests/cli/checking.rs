//! `lifeboat check`

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;
use serde_json::json;

const GOOD: &str = "
runbook: good
inputs:
  target: { type: string }
secrets:
  token: { env: TOKEN }
steps:
  - { id: one, action: wait.for, with: { duration: 0s } }
  - { id: two, action: command.run, with: { argv: [echo, '{{ inputs.target }}'], env: { TOKEN: '{{ secrets.token }}' } } }
";

const BAD: &str = "\
runbook: bad
titel: Bad
steps:
  - id: one
    action: wait.fr
    with: { duration: 0s }
  - id: one
    action: wait.for
    with: { duraton: 0s }
";

#[test]
fn a_good_runbook_says_what_it_needs() {
    assert_snapshot!(Sandbox::with("good.yaml", GOOD).run("check good.yaml"), @r#"
    $ lifeboat check good.yaml
    exit 0
    -- stdout
    good.yaml: ok: 2 steps, 2 actions; needs input target, variable TOKEN
    "#);
}

#[test]
fn all_problems_of_all_files_are_shown_at_once() {
    let sandbox = Sandbox::with("good.yaml", GOOD);
    sandbox.file("bad.yaml", BAD);
    sandbox.file("worse.yaml", "steps: [\n");
    assert_snapshot!(sandbox.run("check bad.yaml good.yaml worse.yaml"), @r#"
    $ lifeboat check bad.yaml good.yaml worse.yaml
    exit 3
    -- stdout
    error[unknown_key]: a runbook has no key `titel`
     --> bad.yaml:2:1
      |
    2 | titel: Bad
      | ^^^^^
      |
      = help: did you mean `title`?

    error[unknown_action]: there is no action `wait.fr`
     --> bad.yaml:5:13
      |
    5 |     action: wait.fr
      |             ^^^^^^^
      |
      = help: did you mean `wait.for`?

    error[duplicate_id]: two steps have the id `one`
     --> bad.yaml:7:9
      |
    4 |   - id: one
      |         --- first here
    ...
    7 |   - id: one
      |         ^^^ again here

    error[parameter]: `duration` is missing
     --> bad.yaml:8:13
      |
    8 |     action: wait.for
      |             ^^^^^^^^
      |
      = help: duration: How long to wait, such as `30s`, `5m` or `1h 30m`, counted from the start of the attempt: a wait that was / interrupted does not start over. `0s` ends at once.

    error[parameter]: unknown parameter `duraton`
     --> bad.yaml:9:13
      |
    9 |     with: { duraton: 0s }
      |             ^^^^^^^
      |
      = help: did you mean `duration`?

    good.yaml: ok: 2 steps, 2 actions; needs input target, variable TOKEN
    error[syntax]: this is not YAML: while parsing a node, did not find expected node content
     --> worse.yaml:2:1
      |
    2 |
      | ^
    -- stderr
    6 problems in 2 files
    "#);
}

#[test]
fn programs_get_one_problem_a_line() {
    let sandbox = Sandbox::with("bad.yaml", BAD);
    let answer = sandbox.run("check --json bad.yaml");
    assert_eq!(answer.code, Some(3));
    assert_eq!(
        answer.json_lines()[0],
        json!({
            "file": "bad.yaml", "line": 2, "column": 1, "code": "unknown_key",
            "message": "a runbook has no key `titel`", "help": "did you mean `title`?",
        })
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_wrong_use() {
    assert_snapshot!(Sandbox::new().run("check missing.yaml"), @r#"
    $ lifeboat check missing.yaml
    exit 2
    -- stderr
    error: cannot read the runbook missing.yaml: No such file or directory (os error 2)
    "#);
}

#[test]
fn hostile_files_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.file("binary.yaml", b"runbook: \xff\xfe\n");
    sandbox.file("large.yaml", vec![b'#'; 3 * 1024 * 1024]);
    sandbox.file("deep.yaml", "[".repeat(100_000));
    sandbox.file("steering.yaml", "runbook: a\nx\u{1b}[2Jy: 1\n");
    let answer = sandbox.run("check binary.yaml large.yaml deep.yaml steering.yaml");
    assert_eq!(answer.code, Some(3), "{answer}");
    assert!(answer.stderr.contains("in 4 files"), "{answer}");
    assert!(!answer.stdout.contains('\u{1b}'), "{answer}");
}

#[test]
fn nothing_is_written_anywhere() {
    let sandbox = Sandbox::with("good.yaml", GOOD);
    assert_eq!(sandbox.run("check good.yaml").code, Some(0));
    assert!(!sandbox.path("home").exists());
}

#[test]
fn a_block_that_is_not_closed_and_a_tab_are_named() {
    let step = "  - { id: a, action: command.run, with: { argv: [echo, '{{#if mode}} b'] } }\n";
    let sandbox = Sandbox::with("open.yaml", &format!("runbook: open\nsteps:\n{step}"));
    let answer = sandbox.run("check open.yaml");
    assert!(answer.stdout.contains("error[template]: the block `if` is not closed\n"), "{answer}");
    assert!(answer.stdout.contains("help: end it with `{{/if}}`"), "{answer}");
    for tabbed in ["steps:\n\t- id: a\n", "steps:\n  - id: a\n\taction: b\n", "title:\tx\nsteps: []\n"] {
        sandbox.file("tab.yaml", format!("runbook: tab\n{tabbed}"));
        let answer = sandbox.run("check tab.yaml");
        assert!(answer.stdout.contains("help: indent with spaces"), "{answer}");
    }
}

/// A runbook with so many mistakes of each kind that is left out once there are enough.
fn full_of_mistakes(each: usize) -> String {
    let step = |at| {
        format!(
            "  - {{ id: s{at}, colour: red, needs: [nobody{at}], action: command.run, with: {{ argv: ['{{{{ inputs.no{at} }}}}'] }} }}\n  - {{ id: t{at}, action: no.such{at} }}\n"
        )
    };
    format!("runbook: wrong\nsteps:\n{}", (0..each).map(step).collect::<String>())
}

#[test]
fn all_mistakes_are_counted_and_the_first_ones_shown() {
    let sandbox = Sandbox::with("wrong.yaml", &full_of_mistakes(500));
    let answer = sandbox.run("check wrong.yaml");
    assert_eq!(answer.code, Some(3));
    assert!(answer.stderr.contains("2000 problems in 1 file"), "{}", answer.stderr);
    assert!(answer.stdout.trim_end().ends_with("… and 1800 more"));
    let lines = sandbox.run("check wrong.yaml --json").json_lines();
    assert_eq!(lines.len(), 201);
    assert_eq!(lines[200]["omitted"], 1800);
    // Also where none is left out.
    let few = Sandbox::with("wrong.yaml", &full_of_mistakes(2)).run("check wrong.yaml");
    assert!(few.stderr.contains("8 problems in 1 file") && !few.stdout.contains("more"), "{few}");
}
