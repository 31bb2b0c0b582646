//! The actions on PostgreSQL keep what every action promises, at addresses where no PostgreSQL is.

use lifeboat_testkit::ActionSuite;
use serde_json::{Value, json};

/// A login at that address, and more.
fn at(address: &str, more: Value) -> Value {
    let mut params = json!({"host": address, "user": "suite", "password": "x", "connect_timeout": "5m"});
    let Value::Object(more) = more else { panic!("parameters are a map, not {more}") };
    params.as_object_mut().expect("a map").extend(more);
    params
}

/// Proof that another server is fenced.
fn evidence() -> Value {
    json!({
        "proof": "stopped", "host": "db-a:5432", "candidate": "db-b:5432", "fenced_at": "2026-11-23T18:00:01Z",
        "lag_at": "2026-11-23T18:00:00Z", "system_identifier": "7", "observed_by": ["looked"],
    })
}

lifeboat_testkit::action_suite!(|| {
    ActionSuite::new(lifeboat_postgres::register)
        .reaching("postgres.check", |a| at(a, json!({"expect": "standby", "max_lag": "10s"})))
        .reaching("postgres.check", |a| at(a, json!({"sslmode": "verify-full"})))
        // The candidate is looked at first; the old primary is never reached.
        .reaching("postgres.fence", |a| {
            at("127.0.0.2:1", json!({"candidate": {"host": a}, "paths": ["127.0.0.2:2"], "every": "1ms"}))
        })
        .reaching("postgres.promote", |a| at(a, json!({"fence": evidence()})))
        .reaching("postgres.query", |a| {
            at(a, json!({"sql": "select $1", "params": [1], "expect": {"rows": 1}}))
        })
        .reaching("postgres.query", |a| at(a, json!({"sql": "select 1", "looks": true})))
        .reaching("postgres.query", |a| at(a, json!({"sql": "delete from orders", "write": true})))
        .contradicting("postgres.check", |a| at(a, json!({"expect": "down", "max_lag": "10s"})))
        .contradicting("postgres.check", |a| at(a, json!({"via": ["127.0.0.2:1"]})))
        .contradicting("postgres.fence", |a| at(a, json!({"candidate": {"host": a}})))
        .contradicting("postgres.query", |a| at(a, json!({"sql": "select 1", "looks": true, "write": true})))
        .contradicting("postgres.query", |a| at(a, json!({"sql": "select 1", "transaction": false})))
        .contradicting("postgres.promote", |a| at(a, json!({"fence": evidence(), "ca_file": "/ca.pem"})))
});
