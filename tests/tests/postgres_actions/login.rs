//! Logging in: what is refused, and what is never shown.

use std::fs;

use lifeboat_action::{FailureKind, Observation};
use lifeboat_tests::programs::{give_to_server, server};
use lifeboat_tests::scene::{Node, PostgresScene};
use serde_json::{Value, json};

use crate::bench::{Bench, SOON, blocked, fence_a, in_place, on, promote_b, unknown};

const CHECK: &str = "postgres.check";
const SECRET: &str = "correct-horse-battery";

/// A scene where `ops` needs a password and `walled` needs encryption too.
fn guarded() -> PostgresScene {
    let scene = PostgresScene::start();
    for role in ["ops", "walled"] {
        scene.sql(Node::A, &format!("create role {role} login superuser password '{SECRET}'"));
    }
    let known = "select count(*) from pg_roles where rolname = 'walled'";
    scene.wait_until("b knows the roles", SOON, || {
        scene.try_sql(Node::B, known).is_ok_and(|count| count == "1")
    });
    for node in Node::ALL {
        let file = scene.data(node).join("pg_hba.conf");
        let rules = fs::read_to_string(&file).unwrap();
        let guards = "host all ops 127.0.0.1/32 scram-sha-256\n\
                      hostssl all walled 127.0.0.1/32 scram-sha-256\n\
                      hostnossl all walled 127.0.0.1/32 reject\n";
        fs::write(&file, format!("{guards}{rules}")).unwrap();
        scene.sql(node, "select pg_reload_conf()");
    }
    scene
}

/// Gives the node a certificate for 127.0.0.1 and turns encryption on.
fn encrypt(scene: &PostgresScene, node: Node) -> std::path::PathBuf {
    let (key, certificate) = (scene.data(node).join("server.key"), scene.data(node).join("server.crt"));
    let status = std::process::Command::new(server("openssl"))
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=lifeboat", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    give_to_server(&key);
    give_to_server(&certificate);
    scene.sql(node, "alter system set ssl = on");
    scene.sql(node, "select pg_reload_conf()");
    certificate
}

/// Nothing that an action answered shows the secret.
fn assert_silent(answer: &dyn std::fmt::Debug) {
    assert!(!format!("{answer:?}").contains(SECRET), "{answer:?}");
}

#[test]
fn a_wrong_password_is_refused_by_every_action_and_not_shown() {
    let (scene, bench) = (guarded(), Bench::new());
    let wrong = format!("{SECRET}-not");
    let login = json!({"user": "ops", "password": wrong});
    let why = unknown(bench.observe(CHECK, &on(&scene, Node::A, login.clone())));
    assert!(
        why.contains("answers, but refuses us: password authentication failed for user \"ops\""),
        "{why}"
    );

    let query = json!({"user": "ops", "password": wrong, "sql": "select 1"});
    let fence = fence_a(&scene, login.clone());
    let fenced = bench.apply("postgres.fence", &fence_a(&scene, json!({}))).unwrap();
    let promote = promote_b(&scene, &fenced, login);
    let calls = [
        // Who only looks has seen nothing; a change is not begun.
        ("postgres.query", on(&scene, Node::A, query), unknown as fn(Observation) -> String),
        ("postgres.fence", fence, blocked),
        ("postgres.promote", promote, blocked),
    ];
    for (action, params, why) in calls {
        let observation = bench.observe(action, &params);
        assert_silent(&observation);
        assert!(why(observation).contains("password authentication failed"), "{action}");
        let failure = bench.apply(action, &params).unwrap_err();
        assert_silent(&failure);
        assert_eq!(failure.kind, FailureKind::Permanent, "{action}: {failure}");
    }
}

#[test]
fn a_missing_password_is_said_to_be_missing() {
    let (scene, bench) = (guarded(), Bench::new());
    let why = unknown(bench.observe(CHECK, &on(&scene, Node::A, json!({"user": "ops"}))));
    assert!(why.contains("password missing"), "{why}");
}

#[test]
fn a_server_that_wants_encryption_and_one_that_has_none() {
    let (scene, bench) = (guarded(), Bench::new());
    let walled = |more: Value| {
        let mut login = json!({"user": "walled", "password": SECRET});
        login.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        on(&scene, Node::A, login)
    };
    let none = unknown(bench.observe(CHECK, &walled(json!({"sslmode": "require"}))));
    assert!(none.contains("server does not support TLS"), "{none}");

    let certificate = encrypt(&scene, Node::A);
    scene.wait_until("a encrypts", SOON, || {
        matches!(bench.observe(CHECK, &walled(json!({"sslmode": "require"}))), Observation::InPlace { .. })
    });
    let bare = unknown(bench.observe(CHECK, &walled(json!({"sslmode": "disable"}))));
    assert!(bare.contains("pg_hba.conf rejects connection") && bare.contains("no encryption"), "{bare}");
    in_place(bench.observe(CHECK, &walled(json!({}))));

    let untrusted = unknown(bench.observe(CHECK, &walled(json!({"sslmode": "verify-full"}))));
    assert!(untrusted.contains("UnknownIssuer"), "{untrusted}");
    let verified = json!({"sslmode": "verify-full", "ca_file": certificate});
    in_place(bench.observe(CHECK, &walled(verified.clone())));
    let mut misnamed = walled(verified);
    misnamed["host"] = json!("localhost");
    let why = unknown(bench.observe(CHECK, &misnamed));
    assert!(why.contains("not valid for name"), "{why}");
}

#[test]
fn the_servers_own_log_and_views_name_the_run_and_the_step() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    let own_name = json!({"sql": "select current_setting('application_name')"});
    let (_, answer) = in_place(bench.observe("postgres.query", &on(&scene, Node::A, own_name)));
    assert_eq!(answer["value"], "lifeboat run_00000000000000000000000000 step");
}
