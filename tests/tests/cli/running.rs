//! `lifeboat run`

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;
use serde_json::json;

const GREET: &str = "
runbook: greet
title: Greet somebody
objectives: { rto: 5m }
inputs:
  who: { type: string, help: who is greeted }
  times: { type: integer, default: 1 }
steps:
  - { id: greet, title: Say hello, action: command.run, with: { argv: [echo, 'hello {{ inputs.who }}'] } }
  - { id: pause, action: wait.for, with: { duration: 0s } }
";

const FAILS: &str = "
runbook: fails
steps:
  - { id: breaks, action: command.run, with: { script: 'echo one; echo two; exit 3' } }
  - { id: never, action: wait.for, with: { duration: 0s } }
finally:
  - { id: last, action: wait.for, with: { duration: 0s } }
";

#[test]
fn a_run_prints_a_line_an_event_and_a_summary() {
    assert_snapshot!(Sandbox::with("greet.yaml", GREET).run("run greet.yaml -i who=Ann --yes"), @r#"
    $ lifeboat run greet.yaml -i who=Ann --yes
    exit 0
    -- stdout
    [TIME] run [RUN 1] created: Greet somebody (live), 2 steps, by tester
    [TIME] step greet started: Say hello
    [TIME] step greet succeeded after [ELAPSED]: exited with 0
    [TIME] step pause started
    [TIME] step pause succeeded after [ELAPSED]: 0s passed
    [TIME] run finished: succeeded after [ELAPSED]

    succeeded after [ELAPSED]: greet (live), [RUN 1]
    steps: 2 succeeded
    RTO 5m: kept, [ELAPSED] since the run began
    -- stderr
    next: lifeboat status [RUN 1]  shows every step
    "#);
}

#[test]
fn programs_get_one_event_a_line() {
    let sandbox = Sandbox::with("greet.yaml", GREET);
    let answer = sandbox.run("run greet.yaml -i who=Ann --yes --json");
    assert_eq!(answer.code, Some(0), "{answer}");
    let events = answer.json_lines();
    let types: Vec<_> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(
        types,
        ["run_created", "step_started", "step_finished", "step_started", "step_finished", "run_finished"]
    );
    let keys: Vec<_> = events[1].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["seq", "at", "run", "type", "step", "attempt", "title"]);
    assert_eq!(events[2]["outputs"]["stdout"], json!("hello Ann"));
    assert_eq!(events[5]["verdict"], json!("succeeded"));
}

#[test]
fn a_failed_run_shows_what_failed_and_what_can_be_done() {
    assert_snapshot!(Sandbox::with("fails.yaml", FAILS).run("run fails.yaml --yes"), @r#"
    $ lifeboat run fails.yaml --yes
    exit 4
    -- stdout
    [TIME] run [RUN 1] created: fails (live), 3 steps, by tester
    [TIME] step breaks started
    [TIME] step breaks failed after [ELAPSED]: exited with 3
      | one
      | two
    [TIME] step last started
    [TIME] step last succeeded after [ELAPSED]: 0s passed
    [TIME] run finished: failed after [ELAPSED]

    failed after [ELAPSED]: fails (live), [RUN 1]
    steps: 1 failed, 1 succeeded, 1 pending
    failed: breaks (line 4, 1 attempt): exited with 3
      | one
      | two
    -- stderr
    next: lifeboat retry [RUN 1] breaks --reason WHY      runs it again, once its cause is mended
    next: lifeboat skip [RUN 1] breaks --reason WHY       goes on without it
    next: lifeboat mark-done [RUN 1] breaks --reason WHY  it was done by other means
    next: lifeboat resume [RUN 1]                         goes on afterwards
    "#);
}

#[test]
fn without_a_terminal_a_live_run_needs_a_yes() {
    assert_snapshot!(Sandbox::with("fails.yaml", FAILS).run("run fails.yaml"), @r#"
    $ lifeboat run fails.yaml
    exit 2
    -- stderr
    error: a live run needs a person's yes, and there is no terminal to ask at
    hint: say it with `lifeboat run fails.yaml --yes`
    "#);
    let sandbox = Sandbox::with("greet.yaml", GREET);
    sandbox.file("inputs.yaml", "times: 2");
    let answer = sandbox.lifeboat(["run", "greet.yaml", "-i", "who=A b", "--inputs", "inputs.yaml"]).run();
    let hint = "hint: say it with `lifeboat run greet.yaml -i 'who=A b' --inputs inputs.yaml --yes`";
    assert!(answer.stderr.contains(hint), "{answer}");
    let answer = sandbox.run("run greet.yaml --yes --inputs nowhere.yaml");
    assert!(answer.stderr.contains("cannot read the inputs nowhere.yaml: "), "{answer}");
}

#[test]
fn wrong_inputs_are_refused_together() {
    let sandbox = Sandbox::with("greet.yaml", GREET);
    assert_snapshot!(sandbox.run("run greet.yaml --yes -i times=many -i whom=Ann"), @r#"
    $ lifeboat run greet.yaml --yes -i times=many -i whom=Ann
    exit 2
    -- stderr
    error: input `whom`: the runbook has no such input
           input `who`: it has no value
           input `times`: `many` is not a whole number
    hint: whom: did you mean `who`?
    hint: give it with `-i who=VALUE` (who is greeted)
    hint: give it with `-i times=VALUE`
    "#);
}

#[test]
fn inputs_come_from_a_file_and_the_command_line_wins() {
    let sandbox = Sandbox::with("greet.yaml", GREET);
    sandbox.file("inputs.yaml", "who: Ann\ntimes: 2\n");
    let answer = sandbox.run("run greet.yaml --yes --json --inputs inputs.yaml -i who=Bob");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert_eq!(answer.json_lines()[2]["outputs"]["stdout"], json!("hello Bob"));
}

#[test]
fn a_file_of_inputs_without_end_is_refused() {
    let answer = Sandbox::with("greet.yaml", GREET).run("run greet.yaml --yes --inputs /dev/zero");
    assert_eq!(answer.code, Some(2), "{answer}");
    assert!(answer.stderr.contains("the file is larger than 1024 KiB"), "{answer}");
}

#[test]
fn a_broken_file_of_inputs_is_shown_with_the_place() {
    let sandbox = Sandbox::with("greet.yaml", GREET);
    sandbox.file("inputs.yaml", "who: Ann\nwho: Bob\n");
    assert_snapshot!(sandbox.run("run greet.yaml --yes --inputs inputs.yaml"), @r#"
    $ lifeboat run greet.yaml --yes --inputs inputs.yaml
    exit 2
    -- stderr
    error[duplicate_key]: the key `who` is there twice
     --> inputs.yaml:2:1
      |
    1 | who: Ann
      | --- first here
    2 | who: Bob
      | ^^^ again here

    error: 1 problem in inputs.yaml; nothing was started
    "#);
}

#[test]
fn an_invalid_runbook_starts_nothing() {
    let sandbox = Sandbox::with("bad.yaml", "runbook: bad\nsteps:\n  - { id: a, action: wait.fr }\n");
    assert_snapshot!(sandbox.run("run bad.yaml --yes"), @r#"
    $ lifeboat run bad.yaml --yes
    exit 3
    -- stderr
    error[unknown_action]: there is no action `wait.fr`
     --> bad.yaml:3:22
      |
    3 |   - { id: a, action: wait.fr }
      |                      ^^^^^^^
      |
      = help: did you mean `wait.for`?

    error: 1 problem in bad.yaml; nothing was started
    hint: once it is mended, `lifeboat check bad.yaml` checks it
    "#);
    assert!(!sandbox.path("home").exists());
}

#[test]
fn a_tolerated_failure_counts_only_when_asked_for() {
    let tolerant = "
runbook: tolerant
steps:
  - { id: tell, action: command.run, with: { argv: ['false'] }, on_failure: continue }
";
    let sandbox = Sandbox::with("tolerant.yaml", tolerant);
    assert_snapshot!(sandbox.run("run tolerant.yaml --yes --strict"), @r#"
    $ lifeboat run tolerant.yaml --yes --strict
    exit 9
    -- stdout
    [TIME] run [RUN 1] created: tolerant (live), 1 step, by tester
    [TIME] step tell started
    [TIME] step tell failed after [ELAPSED]: exited with 1
    [TIME] run finished: succeeded with deviations after [ELAPSED]

    succeeded with deviations after [ELAPSED]: tolerant (live), [RUN 1]
    steps: 1 failed
    deviation: tell failed, and the run went on: exited with 1
    -- stderr
    next: lifeboat status [RUN 1]  shows every step
    "#);
    assert_eq!(sandbox.run("run tolerant.yaml --yes").code, Some(0));
}

#[test]
fn whoever_reads_only_the_beginning_stops_no_run() {
    let sandbox = Sandbox::with("greet.yaml", GREET);
    let mut child = sandbox.lifeboat(["run", "greet.yaml", "-i", "who=Ann", "--yes"]).spawn();
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("lifeboat ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let status = sandbox.run("status --json").json_lines();
    assert_eq!(status[0]["verdict"], json!("succeeded"));
}

#[test]
fn a_pipe_that_nobody_reads_holds_up_no_run() {
    let title = "x".repeat(4000);
    let talkative = (0..40).map(|at| {
        format!("  - {{ id: s{at}, title: {title}, action: wait.for, with: {{ duration: 0s }} }}\n")
    });
    let last = "  - { id: last, action: command.run, with: { argv: [touch, there] } }\n";
    let text = format!("runbook: talkative\nsteps:\n{}{last}", talkative.collect::<String>());
    let sandbox = Sandbox::with("talkative.yaml", &text);
    let child = sandbox.lifeboat(["run", "talkative.yaml", "--yes"]).spawn();
    sandbox.wait_for("there");
    let output = child.wait_with_output().expect("lifeboat ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.len() > 100_000, "{} bytes", output.stdout.len());
}

#[test]
fn parameters_that_cannot_be_used_are_not_tried_again() {
    let text = "
runbook: late
steps:
  - { id: list, action: command.run, with: { argv: [echo, '[]'] } }
  - { id: look, action: command.run, with: { argv: [echo, 'db a'] } }
  - parallel: both
    steps:
      - { id: empty, action: command.run, with: { argv: '{{ steps.list.json }}' }, retry: { attempts: 3, delay: 0s }, on_failure: continue }
      - { id: host, action: postgres.check, with: { host: '{{ steps.look.stdout }}' }, retry: { attempts: 3, delay: 0s } }
";
    let answer = Sandbox::with("late.yaml", text).run("run late.yaml --yes");
    assert_eq!(answer.code, Some(4), "{answer}");
    for failure in [
        "both/empty failed, and the run went on: command.run: `argv` needs a program as its first item",
        "failed: both/host (line 9, 1 attempt): postgres.check: `db a` is not a host",
    ] {
        assert!(answer.stdout.contains(failure), "{answer}");
    }
    assert!(!answer.stdout.contains("attempt 2"), "{answer}");
}
