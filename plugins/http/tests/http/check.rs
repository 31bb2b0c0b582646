//! `http.check`.

use std::net::TcpListener;

use lifeboat_action::Observation;
use serde_json::{Value, json};

use crate::call::{Call, SECRET};
use crate::server::{Reply, Server, answer};

#[tokio::test]
async fn an_endpoint_that_answers_as_expected_is_in_place() {
    let mut server =
        Server::answering(answer("200 OK", "X-Region: b\r\n", r#"{"status":"ok","replicas":[{"lag":0}]}"#))
            .await;
    let params = json!({
        "url": server.url("/health?deep=1"),
        "headers": {"Authorization": format!("Bearer {SECRET}")},
        "expect": {
            "status": 200,
            "body_contains": "replicas",
            "json": {"/status": "ok", "/replicas/0/lag": 0},
            "headers": {"x-region": "b"},
        },
    });
    let call = Call::check();
    assert_eq!(call.action.check(&params), []);
    let outputs = call.outputs(&params).await;
    assert_eq!(outputs["status"], 200);
    assert_eq!(outputs["json"]["replicas"][0]["lag"], 0);
    assert_eq!(outputs["body_truncated"], false);

    let received = server.received().await;
    assert_eq!(received.line, "GET /health?deep=1 HTTP/1.1");
    assert!(received.headers.contains(&format!("authorization: bearer {SECRET}")), "{received:?}");
}

#[tokio::test]
async fn what_is_not_as_expected_is_said() {
    let body = format!(r#"{{"status":"degraded","token":"{SECRET}"}}"#);
    let server = Server::answering(answer("200 OK", "X-Region: a\r\n", &body)).await;
    let masked = r#"{"status":"degraded","token":"‹secret›"}"#;
    let cases = [
        (json!({"status": [204, "3xx"]}), "answered 200, expected 204 or 3xx".to_owned()),
        (
            json!({"body_contains": "fine"}),
            format!("answered 200, but the body does not contain `fine`: `{masked}`"),
        ),
        (
            json!({"json": {"/status": "ok"}}),
            format!(r#"answered 200, but `/status` is "degraded", expected "ok": `{masked}`"#),
        ),
        (
            json!({"json": {"/lag": 0}}),
            format!("answered 200, but `/lag` is missing, expected 0: `{masked}`"),
        ),
        (
            json!({"headers": {"X-Region": "b"}}),
            format!("answered 200, but header `X-Region` is `a`, expected `b`: `{masked}`"),
        ),
    ];
    for (expect, message) in cases {
        let why = Call::check().blocked(&json!({"url": server.url("/h"), "expect": expect})).await;
        assert_eq!(why, format!("GET {} {message}", server.url("/h")));
    }
}

#[tokio::test]
async fn a_status_that_says_that_one_could_not_look_is_no_no() {
    let server = Server::start(|path| {
        let status = path.trim_start_matches('/');
        answer(&format!("{status} Whatever"), "Location: http://elsewhere.example/\r\n", "")
    })
    .await;
    let seen = async |status: u16, expected: Value| {
        let params = json!({"url": server.url(&format!("/{status}")), "expect": {"status": expected}});
        Call::check().observe(&params).await
    };
    for status in [500, 502, 503, 504, 511, 401, 403, 407, 408, 425, 429, 301, 302, 303, 307, 308] {
        let found = seen(status, json!("2xx")).await;
        let words = format!("answered {status}, expected 2xx");
        assert!(matches!(&found, Observation::Unknown { why } if why.contains(&words)), "{found:?}");
        let found = seen(status, json!([200, status])).await;
        assert!(matches!(found, Observation::InPlace { .. }), "{status} was named: {found:?}");
    }
    for status in [201, 304, 400, 404, 409, 410] {
        let found = seen(status, json!(200)).await;
        assert!(matches!(found, Observation::Blocked { .. }), "{status}: {found:?}");
    }
}

#[tokio::test]
async fn secrets_are_in_no_message_and_no_output() {
    let text = format!(r#"{{"echo":"{SECRET}"}}"#);
    let server = Server::answering(answer("200 OK", "", &text)).await;
    let url = server.url(&format!("/{SECRET}/x?key={SECRET}"));
    let outputs = Call::check().outputs(&json!({"url": url})).await;
    assert_eq!(outputs["json"]["echo"], "‹secret›");
    assert_eq!(outputs["body"], r#"{"echo":"‹secret›"}"#);

    let hung = Server::answering(Reply::Close).await;
    for (server, expect) in [(&server, json!({"status": 500})), (&hung, json!({}))] {
        let url = server.url(&format!("/{SECRET}/x?key={SECRET}"));
        let why = Call::check().blocked(&json!({"url": url, "expect": expect})).await;
        assert!(why.contains("/‹secret›/x") && !why.contains("hunter2") && !why.contains("key="), "{why}");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_told_apart() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    let why = Call::check().blocked(&json!({"url": url})).await;
    assert_eq!(why, format!("GET {url}: cannot connect: Connection refused (os error 111)"));
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_given_up() {
    for stalled in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
        let server = Server::answering(Reply::Stall(stalled.to_owned())).await;
        let url = server.url("/");
        let why = Call::check().blocked(&json!({"url": url, "timeout": "200ms"})).await;
        assert_eq!(why, format!("GET {url}: no whole answer within 200ms"));
    }
}

#[tokio::test]
async fn a_call_can_be_stopped() {
    let mut server = Server::answering(Reply::Stall(String::new())).await;
    let (call, url) = (Call::check(), server.url("/"));
    let stop = call.stop.clone();
    let stopping = async {
        server.received().await;
        stop.cancel();
    };
    let params = json!({"url": url, "timeout": "1h"});
    let (why, ()) = tokio::join!(call.blocked(&params), stopping);
    assert_eq!(why, format!("GET {url}: stopped while waiting for the answer"));
}

#[tokio::test]
async fn bodies_are_read_and_kept_up_to_a_limit() {
    let server = Server::answering(Reply::Endless).await;
    let outputs = Call::check().outputs(&json!({"url": server.url("/")})).await;
    assert_eq!(outputs["body"].as_str().unwrap().len(), 64 << 10);
    assert_eq!((&outputs["body_truncated"], &outputs["json"]), (&json!(true), &Value::Null));

    let expect = json!({"body_contains": "fine"});
    let why = Call::check().blocked(&json!({"url": server.url("/"), "expect": expect})).await;
    assert!(why.contains("the body's first 1024 KiB does not contain `fine`"), "{why}");
}

#[tokio::test]
async fn redirects_are_the_answer_unless_followed_and_never_leave_home() {
    let elsewhere = Server::answering(answer("200 OK", "", "elsewhere")).await;
    let away = elsewhere.url("/login?token=1");
    let server = Server::start(move |path| match path {
        "/old" => answer("302 Found", "Location: /new\r\n", ""),
        "/new" => answer("200 OK", "", "new"),
        "/loop" => answer("302 Found", "Location: /loop\r\n", ""),
        _ => answer("302 Found", &format!("Location: {away}\r\n"), ""),
    })
    .await;
    let why = Call::check().blocked(&json!({"url": server.url("/away")})).await;
    let origin = elsewhere.url("");
    assert_eq!(why, format!("GET {} answered 302, expected 2xx, redirects to {origin}", server.url("/away")));

    let follow = |path: &str| json!({"url": server.url(path), "follow_redirects": true});
    assert_eq!(Call::check().outputs(&follow("/old")).await["body"], "new");
    for path in ["/away", "/loop"] {
        let why = Call::check().blocked(&follow(path)).await;
        assert!(why.contains("answered 302, expected 2xx"), "{why}");
    }
}

#[test]
fn parameters_are_refused_before_anything_runs() {
    let cases = [
        (json!({"url": "shop.example"}), "url"),
        (json!({"url": "http://x", "expect": {"status": "ok"}}), "expect.status"),
        (json!({"url": "http://x", "expect": {"json": {"status": "ok"}}}), "expect.json"),
        (json!({"url": "http://x", "headers": {"a b": "c"}}), "headers"),
        (json!({"url": "http://x", "insecure": true}), "insecure"),
    ];
    for (params, place) in cases {
        let problems = Call::check().action.check(&params);
        assert_eq!(problems[0].place().join("."), place, "{problems:?}");
    }
}
