//! `lifeboat drill`

use std::io::Write as _;
use std::net::TcpListener;

use insta::assert_snapshot;
use lifeboat_tests::cli::{Sandbox, wait_until_said};
use lifeboat_tests::driving::PATIENCE;
use lifeboat_tests::wait::wait_until;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

const MIXED: &str = "
runbook: mixed
inputs:
  name: { type: string, default: it is }
steps:
  - { id: there, action: wait.for, with: { duration: 0s } }
  - { id: later, action: wait.for, with: { duration: 5s } }
  - { id: blind, action: command.run, with: { argv: [touch, touched] } }
  - { id: depends, action: command.run, with: { argv: [echo, '{{ steps.blind.stdout }}'] } }
";

#[test]
fn a_dry_run_shows_what_would_change_and_changes_nothing() {
    let sandbox = Sandbox::with("mixed.yaml", MIXED);
    assert_snapshot!(sandbox.run("drill mixed.yaml"), @r#"
    $ lifeboat drill mixed.yaml
    exit 0
    -- stdout
    [TIME] run [RUN 1] created: mixed (dry run), 4 steps, by tester
    [TIME] step there in place: 0s passed
    [TIME] step later would change: not waited → 5s later
    [TIME] step blind not rehearsed: `command.run` cannot look for its own effect; give the step a `check`
    [TIME] step depends not rehearsed: `steps.blind.stdout` is not known: step `blind` did not run (not_rehearsed)
    [TIME] run finished: 2 steps not rehearsed, nothing else in the way after [ELAPSED]

    2 steps not rehearsed, nothing else in the way after [ELAPSED]: mixed (dry run), [RUN 1]
    steps: 2 not rehearsed, 1 in place, 1 would change

    not rehearsed  blind    `command.run` cannot look for its own effect; give the step a `check`
    not rehearsed  depends  `steps.blind.stdout` is not known: step `blind` did not run (not_rehearsed)
    would change   later    not waited → 5s later
    in place       there    0s passed
    -- stderr
    next: lifeboat run [SANDBOX]/mixed.yaml -i 'name=it is'  does it
    "#);
    assert!(!sandbox.path("touched").exists());
}

#[test]
fn what_was_not_rehearsed_is_said_everywhere_and_counts_where_it_is_strict() {
    let blind =
        "runbook: blind\nsteps:\n  - { id: only, action: command.run, with: { argv: [touch, touched] } }\n";
    let sandbox = Sandbox::with("blind.yaml", blind);
    assert_eq!(sandbox.run("drill blind.yaml").code, Some(0));
    let answer = sandbox.run("drill blind.yaml --strict --json");
    assert_eq!(answer.code, Some(9), "{answer}");
    assert_eq!(answer.json_lines().last().expect("an event")["not_rehearsed"], json!(1));
    for command in ["runs", "status"] {
        let answer = sandbox.run(command);
        assert!(answer.stdout.contains("1 step not rehearsed, nothing else in the way"), "{answer}");
        let json = sandbox.run(&format!("{command} --json")).json_lines().remove(0);
        assert_eq!(json["not_rehearsed"], json!(1), "{json}");
    }
    let run = sandbox.run("runs --json").json_lines()[0]["run"].as_str().expect("an id").to_owned();
    let again = sandbox.run(&format!("resume {run} --strict"));
    assert_eq!(again.code, Some(9), "{again}");
    assert!(again.stderr.contains("is finished: 1 step not rehearsed"), "{again}");
}

#[test]
fn a_rehearsal_of_everything_passes_where_it_is_strict() {
    let text = "runbook: seen\nsteps:\n  - { id: only, action: wait.for, with: { duration: 5s } }\n";
    let sandbox = Sandbox::with("seen.yaml", text);
    assert_eq!(sandbox.run("drill seen.yaml --strict").code, Some(0));
    assert!(sandbox.run("runs").stdout.contains("nothing in the way"));
}

const VOUCHED: &str = "
runbook: vouched
steps:
  - { id: looks, action: command.run, with: { argv: ['true'], read_only: true } }
  - id: checked
    action: command.run
    with: { argv: [touch, touched] }
    check: { action: command.run, with: { argv: ['false'], read_only: true } }
  - { id: query, action: postgres.query, with: { host: '127.0.0.1:1', sql: select pg_promote() } }
";

#[test]
fn what_rests_on_the_authors_word_is_said_and_nothing_is_called_without_it() {
    let sandbox = Sandbox::with("vouched.yaml", VOUCHED);
    assert_snapshot!(sandbox.run("drill vouched.yaml"), @r#"
    $ lifeboat drill vouched.yaml
    exit 0
    -- stdout
    [TIME] run [RUN 1] created: vouched (dry run), 3 steps, by tester
    [TIME] step looks in place: exited with 0; by the author's word
    [TIME] step checked would change: exited with 1 → as the check demands; by the author's word
    [TIME] step query not rehearsed: nobody vouches that this `postgres.query` changes nothing; write `looks: true` if so
    [TIME] run finished: 1 step not rehearsed, nothing else in the way after [ELAPSED]

    1 step not rehearsed, nothing else in the way after [ELAPSED]: vouched (dry run), [RUN 1]
    steps: 1 not rehearsed, 1 in place, 1 would change

    not rehearsed  query    nobody vouches that this `postgres.query` changes nothing; write `looks: true` if so
    would change   checked  exited with 1 → as the check demands; by the author's word
    in place       looks    exited with 0; by the author's word
    -- stderr
    next: lifeboat run [SANDBOX]/vouched.yaml  does it
    "#);
    assert!(!sandbox.path("touched").exists());
    let said = sandbox.run("drill vouched.yaml --json").json_lines();
    let of = |step: &str| said.iter().find(|event| event["step"] == step).expect("it was looked at");
    let status = sandbox.status();
    for (at, step, harmless) in
        [(0, "looks", json!("vouched")), (1, "checked", json!("vouched")), (2, "query", json!(null))]
    {
        assert_eq!(
            (&of(step)["harmless"], &status["steps"][at]["harmless"]),
            (&harmless, &harmless),
            "{step}"
        );
    }
}

#[test]
fn something_in_the_way_has_an_exit_code() {
    let blocked = "
runbook: blocked
steps:
  - { id: server, action: http.check, with: { url: 'http://127.0.0.1:1/' } }
";
    let answer = Sandbox::with("blocked.yaml", blocked).run("drill blocked.yaml");
    assert_eq!(answer.code, Some(13), "{answer}");
    assert!(answer.stdout.contains("not ready after"), "{answer}");
    assert!(answer.stderr.contains("next: lifeboat drill "), "{answer}");
}

#[test]
fn what_a_rehearsal_has_not_looked_at_is_not_said_to_change() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let sandbox = Sandbox::with("slow.yaml", &slow(&server));
    let mut child = sandbox.lifeboat(["drill", "slow.yaml"]).spawn();
    let (mut client, _) = server.accept().expect("it looks");
    let looking = sandbox.run("status").stdout;
    assert!(looking.contains("\nnot looked at  second  \nnot looked at  third   \n"), "{looking}");

    kill_process(Pid::from_child(&child), Signal::INT).expect("our child takes signals");
    wait_until_said(&mut child, "stopping:");
    client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let summary = String::from_utf8_lossy(&output.stdout);
    assert!(summary.contains("steps: 1 in place, 1 not looked at, 1 would change\n"), "{summary}");
    assert!(summary.ends_with("\nnot looked at  third\n"), "{summary}");

    let status = sandbox.status();
    let seen = |at: usize| (&status["steps"][at]["state"], status["steps"][at].get("change").is_some());
    assert_eq!([seen(0), seen(2)], [(&json!("pending"), true), (&json!("pending"), false)]);
}

#[test]
fn what_a_rehearsal_has_seen_shows_while_it_goes_on() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let sandbox = Sandbox::with("slow.yaml", &slow(&server));
    let mut child = sandbox.lifeboat(["drill", "slow.yaml"]).spawn();
    let (_client, _) = server.accept().expect("it looks");
    let status = || sandbox.run("status").stdout;
    wait_until("the first step shows", PATIENCE, status, || status().contains("would change   first"));
    child.kill().expect("our child can be killed");
    child.wait().expect("it ends");
}

/// A rehearsal that looks at its second step until the server answers.
fn slow(server: &TcpListener) -> String {
    let url = format!("http://{}", server.local_addr().expect("bound"));
    format!(
        "
runbook: slow
steps:
  - {{ id: first, action: wait.for, with: {{ duration: 5s }} }}
  - {{ id: second, action: http.check, with: {{ url: '{url}', timeout: 1m }} }}
  - {{ id: third, action: wait.for, with: {{ duration: 5s }} }}
"
    )
}
