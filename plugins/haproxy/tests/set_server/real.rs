//! What the action does to a real HAProxy.

use lifeboat_action::{FailureKind, Recovery};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::call::{Call, blocked, change, evidence};
use crate::server::Haproxy;

/// A database that echoes what one client sends.
fn echo(haproxy: &Haproxy, socket: &str) {
    let listener = UnixListener::bind(haproxy.path(socket)).unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut read, mut write) = stream.into_split();
                tokio::io::copy(&mut read, &mut write).await.ok();
            });
        }
    });
}

/// A client whose session through HAProxy is known to stand.
async fn client(haproxy: &Haproxy) -> UnixStream {
    let mut client = UnixStream::connect(haproxy.path("front.sock")).await.unwrap();
    talk(&mut client).await;
    client
}

async fn talk(client: &mut UnixStream) {
    let mut byte = [0];
    client.write_all(b"?").await.unwrap();
    client.read_exact(&mut byte).await.unwrap();
}

#[tokio::test]
async fn maint_closes_open_sessions_and_undo_brings_the_server_back() {
    let haproxy = Haproxy::start();
    echo(&haproxy, "a.sock");
    let mut client = client(&haproxy).await;
    let (call, maint) = (Call::new(), haproxy.params("db-a", "maint", &json!({})));

    assert_eq!(
        change(call.observe(&maint).await),
        "ready (no check), weight 10, 1 session → maint, weight 10, no sessions"
    );
    let outcome = call.apply(&maint).await.unwrap();
    assert_eq!(
        outcome.evidence,
        "orders/db-a: ready (no check), weight 10, 1 session → maint (MAINT), weight 10, no sessions; \
         1 session closed; holds until HAProxy restarts"
    );
    assert_eq!(outcome.outputs["sessions_closed"], 1);
    assert_eq!(outcome.outputs["before"]["state"], "ready");
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "the client's session is closed");
    assert_eq!(evidence(call.observe(&maint).await), "orders/db-a is maint (MAINT), weight 10, no sessions");

    let again = Call::new().apply(&maint).await.unwrap();
    assert_eq!(again.outputs["before"], again.outputs["after"], "applied twice is applied once");

    call.undo(&maint, &outcome).await.unwrap();
    let ready = haproxy.params("db-a", "ready", &json!({}));
    assert_eq!(
        evidence(call.observe(&ready).await),
        "orders/db-a is ready (no check), weight 10, no sessions"
    );
}

#[tokio::test]
async fn sessions_stay_open_when_asked_for() {
    let haproxy = Haproxy::start();
    echo(&haproxy, "a.sock");
    let mut client = client(&haproxy).await;
    let (call, kept) = (Call::new(), haproxy.params("db-a", "maint", &json!({"shutdown_sessions": false})));

    let outcome = call.apply(&kept).await.unwrap();
    assert_eq!(outcome.outputs["sessions_closed"], 0);
    talk(&mut client).await;
    evidence(call.observe(&kept).await);

    let cut = haproxy.params("db-a", "maint", &json!({}));
    assert_eq!(
        change(call.observe(&cut).await),
        "maint (MAINT), weight 10, 1 session → maint, weight 10, no sessions",
        "a server in maintenance with an open session is not out of service yet"
    );
}

#[tokio::test]
async fn draining_sets_the_weight_too_and_undo_restores_both() {
    let haproxy = Haproxy::start();
    let (call, drain) = (Call::new(), haproxy.params("db-a", "drain", &json!({"weight": 3})));
    let outcome = call.apply(&drain).await.unwrap();
    assert_eq!(evidence(call.observe(&drain).await), "orders/db-a is drain (DRAIN), weight 3, no sessions");
    call.undo(&drain, &outcome).await.unwrap();
    evidence(call.observe(&haproxy.params("db-a", "ready", &json!({"weight": 10}))).await);
}

#[tokio::test]
async fn ready_can_wait_for_the_health_checks() {
    let haproxy = Haproxy::start();
    let ready = haproxy.params("db-b", "ready", &json!({"wait_until_up": "20s"}));
    let mut call = Call::new();
    assert_eq!(
        change(call.observe(&ready).await),
        "maint (MAINT), weight 1, no sessions → ready, weight 1, UP"
    );
    let mut said = std::mem::replace(&mut call.said, tokio::sync::mpsc::unbounded_channel().1);
    let revive = async {
        while !said.recv().await.unwrap().contains("(DOWN") {}
        echo(&haproxy, "b.sock");
    };
    let (outcome, ()) = tokio::join!(call.apply(&ready), revive);
    assert_eq!(outcome.unwrap().outputs["after"]["status"], "UP");
    evidence(call.observe(&ready).await);
}

#[tokio::test]
async fn a_wait_for_the_health_checks_can_be_stopped() {
    let haproxy = Haproxy::start();
    let ready = haproxy.params("db-b", "ready", &json!({"wait_until_up": "1h"}));
    let mut call = Call::new();
    let (stop, mut said) =
        (call.stop.clone(), std::mem::replace(&mut call.said, tokio::sync::mpsc::unbounded_channel().1));
    let stopping = async {
        while !said.recv().await.unwrap().contains("(DOWN") {}
        stop.cancel();
    };
    let (result, ()) = tokio::join!(call.apply(&ready), stopping);
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient);
    assert!(failure.message.contains("while orders/db-b was ready (DOWN)"), "{failure}");
}

#[tokio::test]
async fn ready_is_in_place_before_the_checks_unless_told_otherwise() {
    let haproxy = Haproxy::start();
    let call = Call::new();
    let plain = haproxy.params("db-c", "ready", &json!({}));
    call.apply(&plain).await.unwrap();
    assert_eq!(evidence(call.observe(&plain).await), "orders/db-c is ready (UP 1/3), weight 1, no sessions");

    let checked = haproxy.params("db-c", "ready", &json!({"wait_until_up": "1s"}));
    assert_eq!(
        change(call.observe(&checked).await),
        "ready (UP 1/3), weight 1, no sessions → ready, weight 1, UP",
        "a server that no check has seen yet is not up"
    );
    let forced = haproxy.params("db-c", "ready", &json!({"health": "up"}));
    let outcome = call.apply(&forced).await.unwrap();
    assert_eq!(outcome.outputs["after"]["status"], "UP");
}

#[tokio::test]
async fn the_runtime_socket_may_be_a_port() {
    let haproxy = Haproxy::start();
    let socket = json!({"socket": format!("127.0.0.1:{}", haproxy.port)});
    let drain = haproxy.params("db-a", "drain", &socket);
    Call::new().apply(&drain).await.unwrap();
    evidence(Call::new().observe(&haproxy.params("db-a", "drain", &json!({}))).await);
}

#[tokio::test]
async fn what_is_missing_is_named_with_what_is_there() {
    let haproxy = Haproxy::start();
    let call = Call::new();
    let blocked_with =
        async |more: Value| blocked(call.observe(&haproxy.params("db-a", "maint", &more)).await);
    assert_eq!(
        blocked_with(json!({"backend": "order"})).await,
        "HAProxy has no backend named `order`; did you mean `orders`?"
    );
    assert_eq!(
        blocked_with(json!({"server": "standby"})).await,
        "HAProxy has no server in backend `orders` named `standby`; there are: db-a, db-b, db-c"
    );
    let gone = haproxy.path("gone.sock");
    assert_eq!(
        blocked_with(json!({"socket": gone})).await,
        format!(
            "cannot reach HAProxy's runtime socket at {}: no such socket; is HAProxy running, and is the path right?",
            gone.display()
        )
    );
}

#[tokio::test]
async fn a_socket_that_may_not_change_anything_is_found_out_before() {
    let haproxy = Haproxy::start();
    let (call, user) = (Call::new(), haproxy.path("user.sock"));
    let maint = haproxy.params("db-a", "maint", &json!({"socket": user}));
    assert_eq!(
        blocked(call.observe(&maint).await),
        "the runtime socket has level `user`, and changing a server needs `level admin`"
    );
    let failure = call.apply(&maint).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Permanent, "HAProxy refused `set server orders/db-a state maint`: Permission denied")
    );
    evidence(call.observe(&haproxy.params("db-a", "ready", &json!({}))).await);
}

#[tokio::test]
async fn a_server_that_inherits_maintenance_cannot_be_made_ready() {
    let haproxy = Haproxy::start();
    let ready = haproxy.params("db-a", "ready", &json!({"backend": "shadow"}));
    assert_eq!(
        blocked(Call::new().observe(&ready).await),
        "shadow/db-a is kept out of service: the server it tracks is in maintenance"
    );
    let failure = Call::new().apply(&ready).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Permanent);
}

#[tokio::test]
async fn an_attempt_whose_driver_died_is_found_with_the_state_before_it() {
    let haproxy = Haproxy::start();
    let (call, drain) = (Call::new(), haproxy.params("db-a", "drain", &json!({})));
    assert!(matches!(call.recover(&drain).await, Recovery::Nothing { .. }));

    let outcome = call.apply(&drain).await.unwrap();
    let Recovery::Ended { result, .. } = call.recover(&drain).await else { panic!("nothing recovered") };
    assert_eq!(result.unwrap(), outcome);

    Call::new().apply(&haproxy.params("db-a", "maint", &json!({}))).await.unwrap();
    let Recovery::Nothing { why } = call.recover(&drain).await else { panic!("it is not in place any more") };
    assert_eq!(
        why,
        "orders/db-a was ready (no check), weight 10, no sessions, is maint (MAINT), weight 10, no sessions"
    );
}
