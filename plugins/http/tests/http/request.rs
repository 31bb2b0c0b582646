//! `http.request`.

use std::net::TcpListener;

use lifeboat_action::{Effect, FailureKind, Harmlessness, Observation, harmlessness};
use serde_json::{Value, json};

use crate::call::{Call, SECRET};
use crate::server::{Reply, Server, answer};

async fn failure(reply: Reply, more: Value) -> (FailureKind, String) {
    let server = Server::answering(reply).await;
    let mut params = json!({"method": "POST", "url": server.url("/x?key=1"), "json": {}});
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    let failure = Call::request().apply(&params).await.unwrap_err();
    (failure.kind, failure.message.replace(&server.url(""), ""))
}

#[tokio::test]
async fn a_request_carries_its_body_and_the_key_of_the_step() {
    let mut server = Server::answering(answer("201 Created", "", r#"{"id":7}"#)).await;
    let params = json!({"method": "POST", "url": server.url("/moves"), "json": {"to": "b"}});
    for _ in 0..2 {
        let outcome = Call::request().apply(&params).await.unwrap();
        assert_eq!((&outcome.outputs["status"], &outcome.outputs["json"]["id"]), (&json!(201), &json!(7)));

        let received = server.received().await;
        assert_eq!(
            (received.line.as_str(), received.body.as_str()),
            ("POST /moves HTTP/1.1", r#"{"to":"b"}"#)
        );
        for header in
            ["content-type: application/json", "idempotency-key: run_01kaz0000000000000000000ab/tell#1"]
        {
            assert!(received.headers.iter().any(|received| received == header), "{received:?}");
        }
    }
}

#[tokio::test]
async fn the_key_can_go_by_another_name_or_be_left_out() {
    let mut server = Server::answering(answer("200 OK", "", "")).await;
    for (name, expected) in [(json!("X-Request-Id"), 1), (Value::Null, 0)] {
        let params =
            json!({"method": "PUT", "url": server.url("/"), "body": "x", "idempotency_header": name});
        Call::request().apply(&params).await.unwrap();
        let received = server.received().await;
        let keys = received.headers.iter().filter(|header| header.ends_with("/tell#1"));
        assert_eq!(keys.count(), expected, "{received:?}");
    }
}

#[tokio::test]
async fn get_looks_and_everything_else_writes() {
    let mut server = Server::answering(answer("200 OK", "", "fine")).await;
    let call = Call::request();
    for method in ["GET", "HEAD", "OPTIONS"] {
        let params = json!({"method": method, "url": server.url("/")});
        assert_eq!(call.action.effect(&params), Effect::Read);
        call.outputs(&params).await;
        let received = server.received().await;
        assert!(!received.headers.iter().any(|header| header.starts_with("idempotency-key")), "{received:?}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "{{ inputs.method }}"] {
        assert_eq!(call.action.effect(&json!({"method": method})), Effect::Write, "{method}");
    }
    let post = json!({"method": "POST", "url": server.url("/must-not-arrive")});
    assert!(matches!(call.observe(&post).await, Observation::Unknown { .. }));
    call.outputs(&json!({"method": "GET", "url": server.url("/next")})).await;
    assert_eq!(server.received().await.line, "GET /next HTTP/1.1", "looking at a POST sent nothing");
}

/// What an `http.request` with these parameters may do, and whether it is known to change nothing.
fn judged(params: &Value) -> (Effect, Harmlessness) {
    let action = Call::request().action;
    (action.effect(params), harmlessness(&*action, params))
}

#[test]
fn a_request_is_a_look_by_its_method_or_by_its_authors_word() {
    use Effect::{Read, Write};
    use Harmlessness::{Proven, Unvouched, Vouched};
    let other = json!({"X-HTTP-Method-Override": "DELETE"});
    for (params, expected) in [
        (json!({"method": "GET"}), (Read, Proven)),
        (json!({"method": "OPTIONS"}), (Read, Proven)),
        (json!({"method": "GET", "changes": true}), (Write, Unvouched)),
        (json!({"method": "GET", "changes": "{{ inputs.changes }}"}), (Write, Unvouched)),
        (json!({"method": "GET", "headers": other}), (Read, Unvouched)),
        (json!({"method": "GET", "headers": other, "looks": true}), (Read, Vouched)),
        (json!({"method": "POST"}), (Write, Unvouched)),
        (json!({"method": "POST", "looks": true}), (Read, Vouched)),
        (json!({"method": "POST", "looks": "{{ inputs.looks }}"}), (Write, Unvouched)),
        (json!({"method": "{{ inputs.method }}"}), (Write, Unvouched)),
    ] {
        assert_eq!(judged(&params), expected, "{params}");
    }
}

#[tokio::test]
async fn a_post_that_looks_is_judged_as_a_look_and_a_get_that_changes_as_a_change() {
    let mut server = Server::answering(answer("404 Not Found", "", "")).await;
    let search = json!({"method": "POST", "url": server.url("/search"), "json": {}, "looks": true});
    assert!(matches!(Call::request().observe(&search).await, Observation::Blocked { .. }));
    let has_key = |headers: &[String]| headers.iter().any(|header| header.starts_with("idempotency-key"));
    assert!(!has_key(&server.received().await.headers), "a look has no effect to be made once");

    let takeover = json!({"method": "GET", "url": server.url("/takeover"), "changes": true});
    assert!(matches!(Call::request().observe(&takeover).await, Observation::Unknown { .. }));
    assert_eq!(Call::request().apply(&takeover).await.unwrap_err().kind, FailureKind::Permanent);
    let received = server.received().await;
    assert_eq!(received.line, "GET /takeover HTTP/1.1", "looking sent nothing");
    assert!(has_key(&received.headers), "{received:?}");
}

#[tokio::test]
async fn what_was_never_sent_may_be_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // No name server says nothing about the service.
    for (url, words) in [
        (format!("http://127.0.0.1:{port}/"), "cannot connect: "),
        ("http://nowhere.invalid/".to_owned(), "this machine cannot connect: "),
    ] {
        let failure = Call::request().apply(&json!({"method": "POST", "url": url})).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Transient, "{failure}");
        assert!(failure.message.starts_with(&format!("POST {url}: {words}")), "{failure}");
    }
    let call = Call::request();
    call.stop.cancel();
    let failure = call.apply(&json!({"method": "POST", "url": "http://127.0.0.1:9/"})).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient);
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_in_doubt() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_owned();
    let cases = [
        (Reply::Close, json!({}), "the connection broke before the answer: "),
        (Reply::Text("SMTP ready\r\n\r\n".to_owned()), json!({}), "the connection broke before the answer: "),
        (Reply::Text(half), json!({}), "answered 200, then broke off: "),
        (Reply::Stall(String::new()), json!({"timeout": "200ms"}), "no whole answer within 200ms"),
    ];
    for (reply, more, expected) in cases {
        let (kind, message) = failure(reply, more).await;
        assert_eq!(kind, FailureKind::Unknown, "{message}");
        assert!(message.starts_with(&format!("POST /x: {expected}")), "{message}");
    }
}

#[tokio::test]
async fn a_status_says_what_may_happen_next() {
    let cases = [
        (
            "429 Too Many Requests",
            "Retry-After: 30\r\n",
            FailureKind::Transient,
            ", asks to retry after 30 s",
        ),
        ("503 Service Unavailable", "", FailureKind::Transient, ""),
        ("400 Bad Request", "", FailureKind::Permanent, ""),
        ("403 Forbidden", "", FailureKind::Permanent, ""),
        (
            "307 Temporary Redirect",
            "Location: http://x.example/a?b\r\n",
            FailureKind::Permanent,
            ", redirects to http://x.example",
        ),
        ("500 Internal Server Error", "", FailureKind::Unknown, ""),
        ("504 Gateway Timeout", "", FailureKind::Unknown, ""),
    ];
    for (status, headers, kind, more) in cases {
        let seen = failure(answer(status, headers, ""), json!({})).await;
        assert_eq!(seen, (kind, format!("POST /x answered {}, expected 2xx{more}", &status[..3])));
    }
    let other = failure(answer("200 OK", "", ""), json!({"expect": {"status": 201}})).await;
    assert_eq!(other, (FailureKind::Unknown, "POST /x answered 200, expected 201".to_owned()));
    let content = failure(answer("200 OK", "", "[]"), json!({"expect": {"json": {"/ok": true}}})).await;
    assert_eq!(
        content,
        (FailureKind::Unknown, "POST /x answered 200, but `/ok` is missing, expected true".to_owned())
    );
}

#[tokio::test]
async fn the_answer_of_a_refused_request_is_kept_masked() {
    let server = Server::answering(answer("400 Bad Request", "", &format!("bad token {SECRET}"))).await;
    let params = json!({"method": "DELETE", "url": server.url("/x")});
    let failure = Call::request().apply(&params).await.unwrap_err();
    assert_eq!(failure.tail.as_deref(), Some("bad token ‹secret›"));
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
    let check = |more: Value| -> Vec<String> {
        let mut params = json!({"url": "http://127.0.0.1/"});
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        Call::request().action.check(&params).into_iter().map(|problem| problem.message).collect()
    };
    assert_eq!(check(json!({"method": "POST", "json": {"a": 1}})), Vec::<String>::new());
    assert_eq!(
        check(json!({"method": "GET", "json": 1, "body": "x"})),
        ["`body` and `json` exclude each other", "GET and HEAD have no body"]
    );
    assert_eq!(check(json!({"method": "post"})), ["`post` is not one of the choices"]);
    assert_eq!(
        check(json!({"method": "PUT", "idempotency_header": "a b"})),
        ["\"a b\" is not a header's name"]
    );
}
