//! `status`, `runs` and `journal`

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;
use serde_json::json;

const TWO: &str = "
runbook: two
title: Two steps
steps:
  - { id: one, action: wait.for, with: { duration: 0s } }
  - parallel: both
    steps:
      - { id: left, action: command.run, with: { argv: [echo, left] } }
      - { id: right, action: command.run, with: { argv: ['false'] }, on_failure: continue }
";

fn run() -> Sandbox {
    let sandbox = Sandbox::with("two.yaml", TWO);
    assert_eq!(sandbox.run("run two.yaml --yes").code, Some(0));
    sandbox
}

#[test]
fn a_run_is_shown_step_by_step() {
    assert_snapshot!(run().run("status"), @r#"
    $ lifeboat status
    exit 0
    -- stdout
    Two steps
    [RUN 1]  two (live)  succeeded with deviations
    begun [TIME] by tester, last record 8 at [TIME]
    deviation: both/right failed, and the run went on: exited with 1

    succeeded  one  [ELAPSED]  0s passed
    succeeded  both/left  [ELAPSED]  exited with 0
    failed  both/right  [ELAPSED]  exited with 1

    1 failed, 2 succeeded
    -- stderr
    the newest run is meant: [RUN 1]
    "#);
}

#[test]
fn programs_get_the_state_of_every_step() {
    let status = run().run("status --json").json_lines().remove(0);
    for key in ["run", "runbook", "mode", "state", "verdict", "steps"] {
        assert!(status.get(key).is_some(), "{key}: {status}");
    }
    assert_eq!(status["state"], json!("finished"));
    assert_eq!(status["verdict"], json!("succeeded_with_deviations"));
    let steps = status["steps"].as_array().expect("a list");
    let states: Vec<_> = steps.iter().map(|step| (&step["id"], &step["state"], &step["attempts"])).collect();
    assert_eq!(
        json!(states),
        json!([
            ["one", "succeeded", 1],
            ["both", "failed", 0],
            ["left", "succeeded", 1],
            ["right", "failed", 1]
        ])
    );
    assert_eq!(steps[2]["block"], json!("both"));
}

#[test]
fn runs_are_listed_newest_first() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("runs"), @r#"
    $ lifeboat runs
    exit 0
    -- stderr
    there is no run yet
    "#);
    sandbox.file("two.yaml", TWO);
    assert_eq!(sandbox.run("run two.yaml --yes").code, Some(0));
    assert_eq!(sandbox.run("drill two.yaml").code, Some(0));
    assert_snapshot!(sandbox.run("runs"), @r#"
    $ lifeboat runs
    exit 0
    -- stdout
    RUN                             RUNBOOK  MODE     CREATED               STATE
    [RUN 2]  two      dry run  [TIME]  2 steps not rehearsed, nothing else in the way
    [RUN 1]  two      live     [TIME]  succeeded with deviations
    "#);
    let runs = sandbox.run("runs --json").json_lines();
    let modes: Vec<_> = runs.iter().map(|run| &run["mode"]).collect();
    assert_eq!(modes, ["dry_run", "live"]);
    assert_eq!(runs[1]["verdict"], json!("succeeded_with_deviations"));
}

#[test]
fn a_run_is_named_by_the_beginning_of_its_id() {
    let sandbox = run();
    assert_eq!(sandbox.run("drill two.yaml").code, Some(0));
    assert_eq!(sandbox.run("status run_00").code, Some(2));
    let answer = sandbox.run("status run_");
    assert_eq!(answer.code, Some(2));
    assert!(answer.stderr.contains("2 runs begin with `run_`"), "{answer}");
    let runs = sandbox.run("runs --json").json_lines();
    let id = runs[1]["run"].as_str().expect("an id");
    for name in [id.to_owned(), id[4..].to_owned(), id[4..].to_uppercase()] {
        let status = sandbox.run(&format!("status --json {name}")).json_lines().remove(0);
        assert_eq!(status["run"], json!(id));
    }
}

#[test]
fn the_records_are_printed_as_they_are_on_disk() {
    let sandbox = run();
    let answer = sandbox.run("journal");
    let journal = std::fs::read_to_string(sandbox.only_run().join("journal.jsonl")).expect("a journal");
    assert_eq!(answer.stdout, journal);
    let answer = sandbox.run("journal --verify");
    assert_eq!(answer.code, Some(0), "{answer}");
    let report = sandbox.run("journal --verify --json").json_lines().remove(0);
    assert_eq!(report["journal"], json!("ok"));
    assert_eq!(report["seq"], json!(journal.lines().count()));
    assert!(journal.contains(report["hash"].as_str().expect("a hash")));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let sandbox = run();
    let mut child = sandbox.lifeboat(["journal"]).spawn();
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("lifeboat ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(0) && !stderr.contains("error"), "{stderr}");
}
