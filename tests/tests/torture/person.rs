//! The person at the terminal, through a pseudo-terminal.

use std::process::{Command, Stdio};

use rexpect::session::{PtySession, spawn_command};

use crate::bench::Bench;
use lifeboat_tests::driving::PATIENCE;

/// A step that kills its supervisor (a shell's parent) and itself ends unseen, once; then another.
const DOUBTFUL: &str = r#"
runbook: doubtful
steps:
  - id: doubtful
    title: Move the address
    action: command.run
    with: { script: "mkdir DIR/once 2>/dev/null && kill -9 $PPID; echo doubtful >>DIR/effects" }
  - { id: after, action: command.run, with: { script: "echo after >>DIR/effects" } }
"#;

fn at_terminal(mut command: Command) -> PtySession {
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    spawn_command(command, Some(PATIENCE.as_millis().try_into().unwrap())).unwrap()
}

/// Resumes at a terminal, reads the question, and answers.
fn answered(answer: &str) -> Bench {
    let bench = Bench::new(DOUBTFUL);
    bench.new_run().run().assert_code(6);
    let mut session = at_terminal(bench.command(&["resume"]).into_command());
    session.exp_string("doubtful is in doubt").unwrap();
    session.exp_string("Move the address").unwrap();
    session.exp_string("no supervisor is at work on the command any more").unwrap();
    session.exp_string("looking at it showed").unwrap();
    session.exp_string("What now?").unwrap();
    session.send_line("perhaps").unwrap();
    session.exp_string("please answer").unwrap();
    session.send_line(answer).unwrap();
    session.exp_string("Why?").unwrap();
    session.send_line("seen with my own eyes").unwrap();
    session.exp_eof().unwrap();
    bench
}

#[track_caller]
fn assert_decided(bench: &Bench, decision: &str, verdict: &str) {
    let journal = bench.journal();
    let decided = journal.about("operator_decided", "doubtful").next().expect("the answer is recorded");
    assert!(decided["decision"].to_string().contains(decision), "{decided}");
    assert_eq!(decided["actor"], "tester");
    assert_eq!(decided["reason"], "seen with my own eyes");
    assert_eq!(journal.verdict(), Some(verdict), "{}", bench.clues());
}

#[test]
fn an_answer_to_run_it_again_is_carried_out() {
    let bench = answered("retry");
    assert_decided(&bench, "retry", "succeeded");
    assert_eq!(bench.effects().last().unwrap(), "after");
}

#[test]
fn an_answer_to_go_on_without_it_is_carried_out() {
    let bench = answered("s");
    assert_decided(&bench, "skip", "succeeded_with_deviations");
    assert_eq!(bench.sandbox.status()["steps"][0]["state"], "skipped");
}

#[test]
fn an_answer_that_it_is_done_is_carried_out() {
    let bench = answered("mark-done");
    assert_decided(&bench, "mark_done", "succeeded_with_deviations");
    assert_eq!(bench.effects().iter().filter(|effect| *effect == "doubtful").count(), 1);
}
