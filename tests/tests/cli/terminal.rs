//! What a person sees and answers at a terminal.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::Command;

use lifeboat_tests::cli::Sandbox;
use rexpect::session::{PtySession, spawn_command};

/// How long anything may take to show up, in milliseconds.
const PATIENCE: u64 = 30_000;

const ONE: &str = "
runbook: one
title: Just one step
inputs:
  who: { type: string, default: Ann }
steps:
  - { id: greet, title: Say hello, action: command.run, with: { argv: [echo, 'hello {{ inputs.who }}'] } }
";

const WAITS: &str = "
runbook: waits
steps:
  - { id: middle, action: command.run, with: { script: 'touch started; until test -e go || ! test -e started; do sleep 0.02; done' } }
  - { id: after, action: command.run, with: { argv: [touch, after] } }
";

const STUBBORN: &str = "
runbook: stubborn
steps:
  - id: deaf
    action: command.run
    with: { script: 'trap : TERM; touch started; until test -e go || ! test -e started; do sleep 0.02; done' }
";

const DOUBTFUL: &str = "
runbook: doubtful
steps:
  - { id: odd, title: An odd one, action: command.run, with: { script: 'kill -9 $PPID; kill -9 $$' } }
  - { id: after, action: command.run, with: { argv: [touch, after] } }
";

/// The program at a terminal, with its environment changed. A shell around it tells its exit code at the end; like
/// the program, it goes on after a Ctrl-C.
fn at_terminal_with(sandbox: &Sandbox, line: &str, variables: &[(&str, &str)]) -> PtySession {
    let lifeboat = sandbox.command();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"trap : INT; "$@"; echo "exit code $?""#, "sh"]).arg(lifeboat.get_program());
    shell.args(line.split_whitespace()).env_clear();
    shell.current_dir(lifeboat.get_current_dir().expect("the sandbox"));
    let given = lifeboat.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.envs(given).env("TERM", "xterm").envs(variables.iter().copied());
    spawn_command(shell, Some(PATIENCE)).expect("lifeboat starts at a terminal")
}

/// The program at a terminal.
fn at_terminal(sandbox: &Sandbox, line: &str) -> PtySession {
    at_terminal_with(sandbox, line, &[])
}

/// Its exit code, once it has ended.
fn exit_code(mut session: PtySession) -> i32 {
    session.exp_string("exit code ").expect("it ends");
    session.read_line().expect("a number").trim().parse().expect("a number")
}

#[test]
fn a_live_run_is_shown_and_confirmed() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    let mut session = at_terminal(&sandbox, "run one.yaml");
    session.exp_string("Just one step").expect("the title");
    session.exp_string("who = Ann").expect("the inputs");
    session.exp_string("Run it for real?").expect("a question");
    session.send_line("y").expect("it reads");
    session.exp_string("greet").expect("the step");
    session.exp_string("exited with 0").expect("its evidence");
    session.exp_string("next:").expect("what to do now");
    assert_eq!(exit_code(session), 0);
}

#[test]
fn anything_but_a_yes_starts_nothing() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    let mut session = at_terminal(&sandbox, "run one.yaml");
    session.exp_string("Run it for real?").expect("a question");
    session.send_line("").expect("it reads");
    session.exp_string("nothing was started").expect("an answer");
    assert_eq!(exit_code(session), 12);
    assert!(!sandbox.path("home").exists());
}

#[test]
fn ctrl_c_says_what_follows_each_time() {
    let sandbox = Sandbox::with("waits.yaml", WAITS);
    let mut session = at_terminal(&sandbox, "run waits.yaml --yes");
    sandbox.wait_for("started");
    session.send_control('c').expect("it reads");
    session.exp_string("stopping: what runs is brought to its end").expect("the first");
    sandbox.file("go", "");
    session.exp_string("interrupted").expect("the end");
    assert_eq!(exit_code(session), 5);
    assert!(!sandbox.path("after").exists());
}

#[test]
fn ctrl_c_three_times_leaves_at_once() {
    let sandbox = Sandbox::with("stubborn.yaml", STUBBORN);
    let mut session = at_terminal(&sandbox, "run stubborn.yaml --yes");
    sandbox.wait_for("started");
    session.send_control('c').expect("it reads");
    session.exp_string("stopping:").expect("the first");
    session.send_control('c').expect("it reads");
    session.exp_string("cancelling what runs").expect("the second");
    session.send_control('c').expect("it reads");
    session.exp_string("left at once").expect("the third");
    session.exp_string("lifeboat resume run_").expect("what to do now");
    assert_eq!(exit_code(session), 5);
    // The command outlives it, is found by the next driver, and ends, which proves little: it had been told to stop.
    sandbox.file("go", "");
    let answer = sandbox.run("resume");
    assert_eq!(answer.code, Some(6), "{answer}");
    assert!(answer.stdout.contains("it was told to stop and exited with 0"), "{answer}");
}

#[test]
fn a_person_is_asked_about_a_step_in_doubt() {
    let sandbox =
        Sandbox::with("doubtful.yaml", &DOUBTFUL.replace("kill -9 $PPID", "echo halfway; kill -9 $PPID"));
    let mut session = at_terminal(&sandbox, "run doubtful.yaml --yes");
    session.exp_string("step odd is in doubt").expect("the question");
    session.exp_string("steps/odd/1/stdout:").expect("where its output is");
    session.exp_string("| halfway").expect("its output");
    session.exp_string("looking at it showed:").expect("the evidence");
    session.exp_string("What now?").expect("the choice");
    session.send_line("perhaps").expect("it reads");
    session.exp_string("please answer").expect("it insists");
    session.send_line("skip").expect("it reads");
    session.exp_string("Why?").expect("a reason");
    session.send_line("not needed today").expect("it reads");
    session.exp_string("succeeded with deviations").expect("the end");
    session.exp_string("not needed today").expect("the reason");
    assert_eq!(exit_code(session), 0);
    assert!(sandbox.path("after").exists());
}

#[test]
fn a_person_who_marks_a_step_as_done_is_asked_for_what_others_need_of_it() {
    let uses = DOUBTFUL.replace("[touch, after]", "[touch, '{{ steps.odd.stdout }}']");
    let sandbox = Sandbox::with("doubtful.yaml", &uses);
    let mut session = at_terminal(&sandbox, "run doubtful.yaml --yes");
    session.exp_string("What now?").expect("the choice");
    session.send_line("mark-done").expect("it reads");
    session.exp_string("Its output `stdout`?").expect("the output");
    session.exp_string("for step after").expect("who needs it");
    session.send_line("by-hand").expect("it reads");
    session.exp_string("Why?").expect("a reason");
    session.send_line("done by hand").expect("it reads");
    session.exp_string("succeeded with deviations").expect("the end");
    assert_eq!(exit_code(session), 0);
    assert!(sandbox.path("by-hand").exists());
}

#[test]
fn a_person_is_warned_before_a_step_is_skipped_that_others_need() {
    let uses = DOUBTFUL.replace("[touch, after]", "[touch, '{{ steps.odd.stdout }}']");
    let sandbox = Sandbox::with("doubtful.yaml", &uses);
    let mut session = at_terminal(&sandbox, "run doubtful.yaml --yes");
    session.exp_string("What now?").expect("the choice");
    session.send_line("skip").expect("it reads");
    session
        .exp_string("step `after` uses `steps.odd.stdout`, and cannot start without it")
        .expect("a warning");
    session.exp_string("Skip it anyway?").expect("a question");
    session.send_line("n").expect("it reads");
    session.exp_string("What now?").expect("the choice, again");
    session.send_line("later").expect("it reads");
    session.exp_string("--anyway").expect("how it is typed");
    assert_eq!(exit_code(session), 6);
}

#[test]
fn a_person_is_asked_again_for_an_output_of_another_type() {
    let uses = DOUBTFUL.replace("[touch, after]", "[touch, 'code-{{ steps.odd.exit_code }}']");
    let sandbox = Sandbox::with("doubtful.yaml", &uses);
    let mut session = at_terminal(&sandbox, "run doubtful.yaml --yes");
    session.exp_string("What now?").expect("the choice");
    session.send_line("mark-done").expect("it reads");
    session.exp_string("(a whole number, for step after)").expect("what it must be");
    session.send_line("abc").expect("it reads");
    session.exp_string("`exit_code` must be a whole number").expect("it insists");
    session.exp_string("Its output `exit_code`?").expect("the output, again");
    session.send_line("7").expect("it reads");
    session.exp_string("Why?").expect("a reason");
    session.send_line("done by hand").expect("it reads");
    assert_eq!(exit_code(session), 0);
    assert!(sandbox.path("code-7").exists());
}

#[test]
fn the_question_is_put_again_below_what_comes_meanwhile() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", server.local_addr().expect("bound"));
    let check = format!(
        "  - {{ id: other, needs: [], action: http.check, with: {{ url: '{url}', timeout: 1m }} }}\n"
    );
    let sandbox = Sandbox::with("doubtful.yaml", &(DOUBTFUL.to_owned() + &check));
    let mut session = at_terminal(&sandbox, "run doubtful.yaml --yes");
    session.exp_string("What now?").expect("the choice");
    let (mut client, _) = server.accept().expect("it looks");
    client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("it reads");
    session.exp_string("answered 200").expect("what came meanwhile");
    session.exp_string("What now?").expect("the choice, again");
    session.send_line("later").expect("it reads");
    let rest = session.exp_string("exit code 6").expect("it ends");
    assert!(!rest.contains("What now?"), "{rest:?}");
}

#[test]
fn a_person_may_decide_later_or_be_interrupted() {
    let sandbox = Sandbox::with("doubtful.yaml", DOUBTFUL);
    let mut session = at_terminal(&sandbox, "run doubtful.yaml --yes");
    session.exp_string("What now?").expect("the choice");
    session.send_line("later").expect("it reads");
    session.exp_string("mark-done").expect("the commands to type");
    assert_eq!(exit_code(session), 6);
    let mut session = at_terminal(&sandbox, "resume");
    session.exp_string("What now?").expect("the choice");
    session.send_control('c').expect("it reads");
    session.exp_string("next:").expect("what to do now");
    assert!(matches!(exit_code(session), 5 | 6));
}

#[test]
fn the_question_about_an_edited_runbook_is_alone_on_the_screen() {
    let sandbox = Sandbox::with("doubtful.yaml", DOUBTFUL);
    assert_eq!(sandbox.run("run doubtful.yaml --yes").code, Some(6));
    assert_eq!(sandbox.run("skip odd --reason no").code, Some(0));
    sandbox.file("doubtful.yaml", DOUBTFUL.replace("An odd one", "Another one"));
    let mut session = at_terminal(&sandbox, "resume");
    let before = session.exp_string("Go on with the runbook as it was?").expect("a question");
    assert!(before.contains("Another one"), "the difference: {before:?}");
    session.send_line("y").expect("it reads");
    let shown = session.exp_string("keep-pinned").expect("the decision");
    assert!(!before.contains("steps over") && !shown.contains("steps over"), "{before:?} {shown:?}");
    let rest = session.exp_string("exit code 0").expect("it ends");
    assert!(rest.contains("1 of 2 steps over") && !rest.contains("0 of 0 steps"), "{rest:?}");
    assert!(sandbox.path("after").exists());
}

#[test]
fn a_person_is_asked_whether_an_older_run_is_meant() {
    let sandbox = Sandbox::with("doubtful.yaml", DOUBTFUL);
    assert_eq!(sandbox.run("run doubtful.yaml --yes").code, Some(6));
    let fails = "runbook: fails\nsteps:\n  - { id: a, action: command.run, with: { argv: ['false'] } }\n";
    sandbox.file("fails.yaml", fails);
    assert_eq!(sandbox.run("run fails.yaml --yes").code, Some(4));
    let mut session = at_terminal(&sandbox, "resume");
    session.exp_string("is newer (failed)").expect("what is newer");
    session.exp_string("Resume run_").expect("a question");
    session.send_line("n").expect("it reads");
    assert_eq!(exit_code(session), 2);
    let mut session = at_terminal(&sandbox, "resume");
    session.exp_string("Resume run_").expect("a question");
    session.send_line("y").expect("it reads");
    session.exp_string("What now?").expect("it is driven");
    session.send_line("later").expect("it reads");
    assert_eq!(exit_code(session), 6);
}

#[test]
fn colour_is_left_out_where_it_is_not_wanted() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    assert_eq!(sandbox.run("run one.yaml --yes").code, Some(0));
    let mut session = at_terminal_with(&sandbox, "status", &[("NO_COLOR", "1")]);
    let text = session.exp_string("exit code 0").expect("it ends");
    assert!(text.contains("succeeded  greet") && !text.contains('\u{1b}'), "{text:?}");
}
