//! What the action makes of answers that no HAProxy should give, and of parameters that none should get.

use lifeboat_action::FailureKind;
use serde_json::{Value, json};

use crate::call::{Call, action, blocked, change};
use crate::fake::{Fake, Reply, healthy};

fn maint(fake: &Fake) -> Value {
    json!({"socket": fake.path(), "backend": "orders", "server": "db-a", "state": "maint"})
}

/// A fake that is healthy until something is changed, which it answers with `reply`.
fn refusing(reply: Reply) -> Fake {
    Fake::start(move |command| healthy(command).unwrap_or_else(|| reply.clone()))
}

#[tokio::test]
async fn columns_are_read_by_name() {
    let fake = refusing(Reply::Nothing);
    assert_eq!(
        change(Call::new().observe(&maint(&fake)).await),
        "ready (UP), weight 10, 2 sessions → maint, weight 10, no sessions"
    );
}

#[tokio::test]
async fn nonsense_blocks_and_is_quoted() {
    let cases = [
        ("", "closed before the end of its answer"),
        ("1\n# be_id be_na", "closed before the end of its answer"),
        ("Permission denied\n\n", "HAProxy refused `show servers state orders`: Permission denied"),
        ("1\n# be_id be_name\n2 orders\n", "is not understood: 1 # be_id be_name 2 orders"),
        ("1\n# srv_name srv_admin_state srv_uweight\ndb-a many 10\n\n", "is not understood"),
        ("\u{1}\n", "HAProxy refused"),
    ];
    for (answer, expected) in cases {
        let fake = Fake::start(move |_| Reply::Text(answer.to_owned()));
        let why = blocked(Call::new().observe(&maint(&fake)).await);
        assert!(why.contains(expected), "{answer:?}: {why}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let fake = Fake::start(|_| Reply::Text("x".repeat(5 << 20)));
    let why = blocked(Call::new().observe(&maint(&fake)).await);
    assert!(why.contains("answered more than 4 MiB"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_hangs_is_given_up() {
    let fake = Fake::start(|_| Reply::Nothing);
    let why = blocked(Call::new().observe(&maint(&fake)).await);
    assert!(why.contains("did not answer within 5s"), "{why}");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_unknown() {
    for reply in [Reply::Text(String::new()), Reply::Text("Perm".to_owned())] {
        let failure = Call::new().apply(&maint(&refusing(reply))).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unknown, "{failure}");
    }
}

#[tokio::test]
async fn a_change_that_is_refused_is_permanent_and_quoted() {
    let fake = refusing(Reply::Text("Permission denied\n\n".to_owned()));
    let failure = Call::new().apply(&maint(&fake)).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Permanent, "HAProxy refused `set server orders/db-a state maint`: Permission denied")
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_accepted_and_not_made_fails() {
    let fake = refusing(Reply::Text("\n".to_owned()));
    let failure = Call::new().apply(&maint(&fake)).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (
            FailureKind::Transient,
            "orders/db-a is ready (UP), weight 10, 2 sessions after 5s, expected maint, weight 10, no sessions"
        )
    );
}

#[tokio::test]
async fn a_stopped_call_sends_nothing() {
    let fake = refusing(Reply::Nothing);
    let call = Call::new();
    call.stop.cancel();
    let failure = call.apply(&maint(&fake)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient);
    assert!(failure.message.ends_with("stopped before"), "{failure}");
}

#[tokio::test]
async fn a_name_cannot_smuggle_in_a_command() {
    let fake = refusing(Reply::Nothing);
    for name in ["db-a state ready;shutdown", "db-a\nshutdown", "orders/db-a", "", "db a", "db\u{0}"] {
        let mut params = maint(&fake);
        params["server"] = name.into();
        assert_eq!(action().check(&params)[0].about, [["server"]], "{name:?}");
        let failure = Call::new().apply(&params).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permanent, "a template's value is checked as well");
    }
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
    let check = |more: Value| -> Vec<String> {
        let mut params = json!({"backend": "orders", "server": "db-a"});
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        action().check(&params).into_iter().map(|problem| problem.message).collect()
    };
    assert_eq!(check(json!({"state": "maint"})), Vec::<String>::new(), "the socket has a default");
    assert_eq!(
        check(json!({"state": "drain", "shutdown_sessions": true, "health": "up"})),
        [
            "`health` goes with `state: ready`, not with `drain`",
            "`shutdown_sessions` goes with `state: maint`, not with `drain`"
        ]
    );
    assert_eq!(check(json!({"state": "drain", "weight": 257})), ["257 is more than 256"]);
}
