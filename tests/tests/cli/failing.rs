//! Homes and journals that are broken.

use std::fs;

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;

const ONE: &str = "
runbook: one
steps:
  - { id: a, action: wait.for, with: { duration: 0s } }
  - { id: b, action: command.run, with: { argv: ['false'] } }
";

fn run() -> Sandbox {
    let sandbox = Sandbox::with("one.yaml", ONE);
    assert_eq!(sandbox.run("run one.yaml --yes").code, Some(4));
    sandbox
}

#[test]
fn damage_is_named_by_its_record_and_hides_no_other_run() {
    let sandbox = run();
    let folder = sandbox.only_run();
    let journal = folder.join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("a journal");
    fs::write(&journal, text.replacen("step_finished", "step_fin1shed", 1)).expect("it can be written");
    for command in ["status", "journal", "journal --verify", "retry b --reason no"] {
        let answer = sandbox.run(command);
        assert_eq!(answer.code, Some(8), "{answer}");
        assert!(answer.stderr.contains("is damaged at record 3"), "{answer}");
        assert!(answer.stdout.is_empty(), "{answer}");
    }
    assert_eq!(sandbox.run("drill one.yaml").code, Some(0));
    assert_eq!(sandbox.run("status").code, Some(0));
    fs::remove_file(folder.join("header.json")).expect("a header");
    let answer = sandbox.run("runs");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert!(answer.stdout.contains("unreadable: "), "{answer}");
}

#[test]
fn a_torn_end_is_cut_and_said() {
    let sandbox = run();
    let journal = sandbox.only_run().join("journal.jsonl");
    let mut text = fs::read(&journal).expect("a journal");
    text.extend_from_slice(b"{\"v\":");
    fs::write(&journal, text).expect("it can be written");
    let answer = sandbox.run("retry b --reason again");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert!(answer.stderr.contains("were not written whole"), "{answer}");
    assert!(sandbox.run("journal").stdout.contains("were not written whole"));
}

#[test]
fn a_home_that_is_no_folder_starts_nothing() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    sandbox.file("home", "");
    assert_snapshot!(sandbox.run("run one.yaml --yes"), @r#"
    $ lifeboat run one.yaml --yes
    exit 8
    -- stderr
    error: cannot open [SANDBOX]/home
      because: not a directory
    hint: `--home DIR` or LIFEBOAT_HOME names another folder
    "#);
}

#[test]
fn without_a_home_one_must_be_named() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    assert_snapshot!(sandbox.lifeboat(["runs"]).without("LIFEBOAT_HOME").run(), @r#"
    $ lifeboat runs
    exit 2
    -- stderr
    error: there is no home folder to keep runs in
    hint: name one with `--home DIR` or LIFEBOAT_HOME
    "#);
}

#[test]
fn commands_to_type_name_the_home_that_was_given() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    let answer = sandbox.lifeboat(["run", "one.yaml", "--yes", "--home", "else where"]).run();
    assert!(answer.stderr.contains("next: lifeboat --home 'else where' retry run_"), "{answer}");
}

#[test]
fn a_log_filter_of_somebody_else_stops_nothing() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.lifeboat(["runs"]).env("RUST_LOG", "a=b=c").run(), @r#"
    $ lifeboat runs
    exit 0
    -- stderr
    warning: `a=b=c` is not a log filter: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    there is no run yet
    "#);
}
