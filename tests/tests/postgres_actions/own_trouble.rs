//! Trouble of Lifeboat's own machine is never a server that is down. The server lives in every test.

#![expect(clippy::print_stdout, reason = "a test that cannot be tried here says so")]

use std::ffi::OsString;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use lifeboat_tests::cli::{Lifeboat, Sandbox};
use lifeboat_tests::journal::Journal;
use lifeboat_tests::scene::{Node, PostgresScene};

use crate::bench::SOON;

/// How many files the run may open.
const FILES: usize = 40;
/// How many connections it tries to hold open.
const HELD: usize = 60;

/// A step that looks whether `a` is down, again and again.
fn looks_down(scene: &PostgresScene, attempts: u32) -> String {
    format!(
        "  - id: down\n    \
             needs: []\n    \
             action: postgres.check\n    \
             with: {{ host: \"127.0.0.1:{}\", expect: down, every: 10ms }}\n    \
             retry: {{ attempts: {attempts}, delay: 20ms }}\n",
        scene.port(Node::A)
    )
}

/// A run of that runbook, started by another program.
fn run<'s>(sandbox: &'s Sandbox, through: &[&str]) -> Lifeboat<'s> {
    let through: Vec<OsString> = through.iter().map(OsString::from).collect();
    sandbox.lifeboat(["run", "--yes", "looking.yaml"]).through(&through)
}

#[test]
fn a_machine_without_file_descriptors_has_not_looked() {
    let scene = PostgresScene::start();
    // The kernel accepts for it, and nobody answers.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", mute.local_addr().unwrap());
    let hang = |number| {
        format!(
            "      - {{ id: h{number}, action: http.check, with: {{ url: \"{url}\", timeout: 5m }}, on_failure: continue }}\n"
        )
    };
    let held: String = (1..=HELD).map(hang).collect();
    let down = looks_down(&scene, 1000);
    let sandbox = Sandbox::with(
        "looking.yaml",
        &format!("runbook: looking\nsteps:\n  - parallel: held\n    steps:\n{held}{down}"),
    );
    let limited = format!("ulimit -n {FILES}; exec \"$0\" \"$@\"");
    let mut driver = run(&sandbox, &["sh", "-c", &limited]).spawn();
    let failures = || {
        let journal = Journal::of(&sandbox.run("journal").stdout);
        let failed = journal.about("attempt_failed", "down").map(ToString::to_string);
        assert_eq!(journal.outcome("down"), None, "the server lives");
        failed.collect::<Vec<_>>()
    };
    scene.wait_until("a look finds no file descriptor", SOON, || {
        failures().iter().any(|failure| failure.contains("cannot be looked at: Too many open files"))
    });
    driver.kill().unwrap();
    driver.wait().unwrap();
    failures();
}

#[test]
fn a_machine_without_a_network_has_not_looked() {
    let Some(unshare) = own_network() else {
        println!("not tried: this account may not make a network of its own");
        return;
    };
    let scene = PostgresScene::start();
    let sandbox =
        Sandbox::with("looking.yaml", &format!("runbook: looking\nsteps:\n{}", looks_down(&scene, 1)));
    let answer = run(&sandbox, &unshare).run();
    assert_eq!(answer.code, Some(4), "{answer}");
    assert!(answer.to_string().contains("cannot be looked at from here: Network is unreachable"), "{answer}");
}

/// What starts a program in a network of its own, where that is allowed: as root, or in a namespace of users.
fn own_network() -> Option<Vec<&'static str>> {
    let ways = [vec!["unshare", "--net", "--"], vec!["unshare", "--user", "--map-root-user", "--net", "--"]];
    ways.into_iter().find(|way| {
        let tried = Command::new(way[0]).args(&way[1..]).arg("true").stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    })
}
