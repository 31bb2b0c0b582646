//! `retry`, `skip`, `mark-done` and `cancel`

use std::fs;

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;
use serde_json::json;

/// The second step fails until the file `mended` is there.
const BREAKS: &str = "
runbook: breaks
steps:
  - { id: first, action: command.run, with: { script: 'echo first >> done' } }
  - { id: second, action: command.run, with: { script: 'test -e mended && echo second >> done' } }
  - { id: third, action: command.run, with: { script: 'echo {{ shell steps.second.stdout }} third >> done' } }
finally:
  - { id: last, action: command.run, with: { script: 'echo last >> done' } }
";

/// The second step kills its supervisor and itself, so that nobody can know whether it did anything.
const DOUBTFUL: &str = "
runbook: doubtful
steps:
  - { id: first, action: wait.for, with: { duration: 0s } }
  - { id: second, action: command.run, with: { script: 'test -e mended || { kill -9 $PPID; kill -9 $$; }' } }
finally:
  - { id: last, action: command.run, with: { script: 'echo last >> done' } }
";

fn failed() -> Sandbox {
    let sandbox = Sandbox::with("breaks.yaml", BREAKS);
    assert_eq!(sandbox.run("run breaks.yaml --yes").code, Some(4));
    sandbox
}

fn doubtful() -> Sandbox {
    let sandbox = Sandbox::with("doubtful.yaml", DOUBTFUL);
    let answer = sandbox.run("run doubtful.yaml --yes");
    assert_eq!(answer.code, Some(6), "{answer}");
    assert!(answer.stderr.contains("mark-done"), "{answer}");
    sandbox
}

fn done(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("done")).unwrap_or_default()
}

#[test]
fn a_failed_step_is_retried() {
    let sandbox = failed();
    sandbox.file("mended", "");
    assert_snapshot!(sandbox.run("retry second --reason mended"), @r#"
    $ lifeboat retry second --reason mended
    exit 0
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    recorded: retry second in [RUN 1], by tester
    next: lifeboat resume [RUN 1]  carries it out and goes on
    "#);
    assert_snapshot!(sandbox.run("resume"), @r#"
    $ lifeboat resume
    exit 0
    -- stdout
    [TIME] run resumed by tester
    [TIME] step second started, attempt 2
    [TIME] step second succeeded after [ELAPSED]: exited with 0
    [TIME] step third started
    [TIME] step third succeeded after [ELAPSED]: exited with 0
    [TIME] step last started, attempt 2
    [TIME] step last succeeded after [ELAPSED]: exited with 0
    [TIME] run finished: succeeded after [ELAPSED]

    succeeded after [ELAPSED]: breaks (live), [RUN 1]
    steps: 4 succeeded
    -- stderr
    the newest unfinished run is meant: [RUN 1]
    next: lifeboat status [RUN 1]  shows every step
    "#);
    assert_eq!(done(&sandbox), "first\nlast\nsecond\n third\nlast\n");
}

#[test]
fn a_failed_step_is_marked_done_with_its_outputs() {
    let sandbox = failed();
    let answer = sandbox.lifeboat(["mark-done", "--reason", "by hand", "-o", "stdout=by hand"]).run();
    assert_snapshot!(answer, @r#"
    $ lifeboat mark-done --reason by hand -o stdout=by hand
    exit 0
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    the one step that needs a decision is meant: second
    recorded: mark-done second in [RUN 1], by tester
    next: lifeboat resume [RUN 1]  carries it out and goes on
    "#);
    assert_eq!(sandbox.run("resume --strict").code, Some(9));
    assert_eq!(done(&sandbox), "first\nlast\nby hand third\nlast\n");
    let status = sandbox.run("status --json").json_lines().remove(0);
    assert_eq!(status["verdict"], json!("succeeded_with_deviations"));
    assert_eq!(status["deviations"][0]["actor"], json!("tester"));
    assert_eq!(status["deviations"][0]["reason"], json!("by hand"));
}

#[test]
fn an_output_that_the_step_does_not_have_is_refused() {
    let sandbox = failed();
    let answer = sandbox.run("mark-done second --reason done -o stdot=hi");
    assert_snapshot!(answer, @r"
    $ lifeboat mark-done second --reason done -o stdot=hi
    exit 2
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    error: `command.run` gives no output `stdot`
    hint: did you mean `stdout`?
    ");
}

#[test]
fn an_output_is_read_as_its_action_declares_it() {
    let compares =
        BREAKS.replace("{ id: third,", "{ id: third, when: '{{ eq steps.second.stdout \"10\" }}',");
    let sandbox = Sandbox::with("breaks.yaml", &compares);
    assert_eq!(sandbox.run("run breaks.yaml --yes").code, Some(4));
    let answer = sandbox.run("mark-done second --reason done -o stdout=10 -o exit_code=abc");
    assert_snapshot!(answer, @r"
    $ lifeboat mark-done second --reason done -o stdout=10 -o exit_code=abc
    exit 2
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    error: the output `exit_code` of step `second` must be a whole number
    hint: `lifeboat actions command.run` shows what it gives
    ");
    assert_eq!(sandbox.run("mark-done second --reason done -o stdout=10 -o exit_code=0").code, Some(0));
    assert_eq!(sandbox.run("resume").code, Some(0));
    assert_eq!(done(&sandbox), "first\nlast\n10 third\nlast\n");
    assert_eq!(sandbox.status()["steps"][1]["outputs"], json!({ "exit_code": 0, "stdout": "10" }));
}

#[test]
fn an_output_that_others_use_must_be_given() {
    let sandbox = failed();
    let answer = sandbox.lifeboat(["mark-done", "second", "--reason", "done", "-o", "stderr=a b"]).run();
    assert_snapshot!(answer, @r"
    $ lifeboat mark-done second --reason done -o stderr=a b
    exit 2
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    error: step `third` uses `steps.second.stdout`
    hint: say what it would have given: `lifeboat mark-done [RUN 1] second --reason WHY -o 'stderr=a b' -o stdout=VALUE`
    ");
    // Nothing was recorded: it can still be marked, and the run goes on.
    assert_eq!(sandbox.run("mark-done second --reason done -o stdout=").code, Some(0));
    assert_eq!(sandbox.run("resume").code, Some(0));
}

#[test]
fn a_step_whose_outputs_others_use_is_skipped_only_where_that_is_meant() {
    let sandbox = failed();
    let before = sandbox.run("journal").stdout;
    assert_snapshot!(sandbox.run("skip second --reason unneeded"), @r"
    $ lifeboat skip second --reason unneeded
    exit 2
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    error: step `third` uses `steps.second.stdout`, and cannot start without it
    hint: say what it would have given: `lifeboat mark-done [RUN 1] second --reason WHY -o stdout=VALUE`
    hint: or go on all the same: `lifeboat skip [RUN 1] second --reason WHY --anyway`
    ");
    assert_eq!(sandbox.run("journal").stdout, before);
    assert_eq!(sandbox.run("skip second --reason unneeded --anyway").code, Some(0));
    // What cannot start fails, and can be decided about in its turn.
    let answer = sandbox.run("resume");
    assert_eq!(answer.code, Some(4), "{answer}");
    assert!(
        answer.stdout.contains("step third failed: cannot start: `steps.second.stdout` is not known"),
        "{answer}"
    );
    assert_eq!(sandbox.run("skip third --reason unneeded").code, Some(0));
    assert_eq!(sandbox.run("resume").code, Some(0));
}

#[test]
fn a_step_in_doubt_is_skipped() {
    let sandbox = doubtful();
    assert_eq!(sandbox.run("resume").code, Some(6));
    let answer = sandbox.run("skip second --reason unneeded");
    assert_eq!(answer.code, Some(0), "{answer}");
    let answer = sandbox.run("resume --json");
    assert_eq!(answer.code, Some(0), "{answer}");
    let last = answer.json_lines().pop().expect("an event");
    assert_eq!(last["verdict"], json!("succeeded_with_deviations"));
}

#[test]
fn what_a_step_in_doubt_printed_is_shown_to_whoever_decides() {
    let loud = DOUBTFUL.replace("test -e", "echo half of it; echo oh no >&2; test -e");
    let sandbox = Sandbox::with("doubtful.yaml", &loud);
    let answer = sandbox.run("run doubtful.yaml --yes");
    assert_eq!(answer.code, Some(6), "{answer}");
    let folder = sandbox.only_run().join("steps/second/1");
    let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
    let shown = format!("  {}:\n  | half of it\n  {}:\n  | oh no\n", stdout.display(), stderr.display());
    assert!(answer.stdout.contains(&shown), "{answer}");
    let status = sandbox.run("status").stdout;
    assert!(status.contains(&shown), "{status}");
}

#[test]
fn a_run_is_cancelled_and_its_ending_still_runs() {
    let sandbox = doubtful();
    let answer = sandbox.run("cancel --reason wrong");
    assert_eq!(answer.code, Some(12), "{answer}");
    assert!(answer.stdout.contains("run cancel by tester: wrong"), "{answer}");
    assert_eq!(done(&sandbox), "last\n");
    assert_snapshot!(sandbox.run("cancel --reason again"), @r#"
    $ lifeboat cancel --reason again
    exit 2
    -- stderr
    error: there is no unfinished run
    hint: `lifeboat status [RUN 1]` shows the newest
    "#);
    assert_eq!(sandbox.run("status").code, Some(0));
}

#[test]
fn a_word_that_is_not_awaited_is_refused() {
    let sandbox = failed();
    assert_snapshot!(sandbox.run("skip first --reason no"), @r#"
    $ lifeboat skip first --reason no
    exit 2
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    error: step `first` is succeeded: it is neither in doubt nor stops the run
    hint: the run is over (failed); `lifeboat status [RUN 1]` shows every step
    "#);
    assert_snapshot!(sandbox.run("skip nothing --reason no"), @r#"
    $ lifeboat skip nothing --reason no
    exit 2
    -- stderr
    the newest unfinished or failed run is meant: [RUN 1]
    error: the plan has no step `nothing`
    hint: the run is over (failed); `lifeboat status [RUN 1]` shows every step
    "#);
    assert_snapshot!(sandbox.run("skip second"), @r#"
    $ lifeboat skip second
    exit 2
    -- stderr
    error: the following required arguments were not provided:
      --reason <WHY>

    Usage: lifeboat skip --reason <WHY> --home <DIR> --actor <NAME> <RUN> [STEP]

    For more information, try '--help'.
    "#);
    assert_eq!(done(&sandbox), "first\nlast\n");
}

#[test]
fn a_failed_run_is_not_resumed_before_somebody_decides() {
    let sandbox = failed();
    let id = sandbox.only_run();
    let id = id.file_name().and_then(|name| name.to_str()).expect("a run's id");
    assert!(sandbox.run("resume").stderr.contains("the newest unfinished or failed run is meant"));
    assert_snapshot!(sandbox.run(&format!("resume {id}")), @r#"
    $ lifeboat resume [RUN 1]
    exit 4
    -- stderr
    [RUN 1] is finished: failed
    next: lifeboat retry [RUN 1] second --reason WHY                      runs it again, once its cause is mended
    next: lifeboat skip [RUN 1] second --reason WHY --anyway              goes on without it; what uses its outputs cannot start
    next: lifeboat mark-done [RUN 1] second --reason WHY -o stdout=VALUE  it was done by other means
    next: lifeboat resume [RUN 1]                                         goes on afterwards
    "#);
}

#[test]
fn a_reason_that_says_nothing_is_refused() {
    let sandbox = failed();
    let journal = || fs::read_to_string(sandbox.only_run().join("journal.jsonl")).unwrap();
    let before = journal();
    for (word, reason) in [("retry", ""), ("skip", "\n"), ("mark-done", "\u{a0}"), ("cancel", "  ")] {
        let answer = sandbox.lifeboat([word, "--reason", reason]).run();
        assert_eq!(answer.code, Some(2), "{answer}");
        let why =
            "for '--reason <WHY>': it says nothing; write for whoever reads the journal why this is right";
        assert!(answer.stderr.contains(why), "{answer}");
    }
    assert_eq!(journal(), before);
}

#[test]
fn a_step_before_its_run_is_put_right() {
    let sandbox = failed();
    let id = sandbox.only_run().file_name().expect("a name").to_string_lossy().into_owned();
    assert_snapshot!(sandbox.run(&format!("retry second {id} --reason x")), @r"
    $ lifeboat retry second [RUN 1] --reason x
    exit 2
    -- stderr
    error: `second` is no run, and `[RUN 1]` is one
    hint: the run comes first: write `[RUN 1] second`
    ");
}

#[test]
fn an_actor_is_one_line() {
    let sandbox = failed();
    let words = ["retry", "second", "--reason", "no", "--actor", "Ann\nstep third succeeded\u{202e}"];
    let answer = sandbox.lifeboat(words).run();
    assert!(answer.stderr.contains("by Ann / step third succeeded\\u{202e}\n"), "{answer}");
}
