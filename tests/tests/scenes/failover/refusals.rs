//! What must not be done, and is not.

use lifeboat_tests::scene::{Node, Role};

use super::{Failover, SOON, assert_code};

/// With nobody to take over, taking the old primary out would turn half an outage into a whole one.
#[test]
fn with_a_dead_standby_nothing_is_touched() {
    let failover = Failover::broken();
    let scene = &failover.scene;
    scene.kill(Node::B);
    scene.stop_writer();
    failover.wait_until_noticed();
    let before = scene.fingerprint();
    assert_code(&failover.run(&[]), 4);
    assert_eq!(scene.fingerprint(), before);
    assert_eq!(failover.state_of("candidate"), "failed");
    for step in ["cut-off", "fence", "promote", "repoint/load-balancer", "verify"] {
        assert!(failover.journal().about("step_started", step).next().is_none(), "{step} began");
    }
}

/// Too much lag is found out before the old primary is taken out, and accepting it is one input away.
#[test]
fn with_a_standby_too_far_behind_nothing_is_touched_unless_the_loss_is_accepted() {
    let failover = Failover::healthy();
    let scene = &failover.scene;
    scene.stop_sender(Node::A);
    let before = scene.ledger().acked().len();
    scene.wait_until("two seconds of rows pile up", SOON, || scene.ledger().acked().len() >= before + 100);
    scene.kill(Node::A);
    failover.wait_until_noticed();
    let before = scene.fingerprint();
    assert_code(&failover.run(&[("max_lag", "1s")]), 4);
    let why = failover.journal().failure("candidate").map(str::to_owned);
    assert!(why.as_deref().is_some_and(|why| why.contains("`max_lag` is 1s")), "{why:?}");
    assert_eq!(scene.fingerprint(), before);
    assert_eq!((scene.role(Node::B), failover.proxied(Node::A).as_deref()), (Role::Standby, Some("DOWN")));
    for step in ["cut-off", "fence", "promote", "repoint/load-balancer", "verify"] {
        assert!(failover.journal().about("step_started", step).next().is_none(), "{step} began");
    }

    assert_code(&failover.run(&[("max_lag", "1h")]), 0);
    failover.assert_failed_over();
    let lost = scene.lost_rows(Node::B).len();
    assert!(lost >= 50, "100 rows never left the primary, {lost} are lost");
    println!("stopped sender: {lost} acknowledged rows lost, up to {} said", failover.rows_behind());
}

#[test]
fn without_the_load_balancer_nothing_is_promoted() {
    let failover = Failover::broken();
    let socket = failover.scene.folder().join("no-such.sock").display().to_string();
    assert_code(&failover.run(&[("haproxy", &socket)]), 4);
    let why = failover.journal().failure("cut-off").map(str::to_owned);
    assert!(why.as_deref().is_some_and(|why| why.contains(&socket)), "{why:?}");
    assert_eq!(failover.scene.promotions(Node::B), 0);
}

#[test]
fn a_healthy_primary_is_left_alone() {
    let failover = Failover::healthy();
    failover.scene.quiesce();
    let before = failover.scene.fingerprint();
    assert_code(&failover.run(&[]), 4);
    assert_eq!(failover.state_of("primary-is-down"), "failed");
    assert_eq!(failover.scene.fingerprint(), before);
}

/// To the operator a primary with a mistyped port is as dead as one can be. Clients and the standby know better.
#[test]
fn a_healthy_primary_whose_port_is_mistyped_is_left_alone() {
    let failover = Failover::healthy();
    failover.scene.quiesce();
    let primary = nobody();
    let before = failover.scene.fingerprint();
    assert_code(&failover.sandbox.lifeboat(failover.words("drill", &[("primary", &primary)])).run(), 13);
    assert_eq!(failover.state_of("fence"), "failed", "a rehearsal does not prove it either");
    assert_eq!(failover.scene.fingerprint(), before);

    assert_code(&failover.run(&[("primary", &primary)]), 4);
    let why = failover.journal().failure("primary-is-down").map(str::to_owned);
    assert!(
        why.as_deref().is_some_and(|why| why.contains("leads to a primary, accepting writes")),
        "{why:?}"
    );
    assert_eq!(failover.scene.fingerprint(), before);
}

/// With the clients' way mistyped too, only the standby is left to say that the primary lives.
#[test]
fn a_healthy_primary_that_only_the_standby_hears_is_not_failed_over() {
    let failover = Failover::healthy();
    failover.scene.quiesce();
    let (primary, front) = (nobody(), nobody());
    let inputs = [("primary", primary.as_str()), ("front", front.as_str()), ("max_lag", "1h")];
    assert_code(&failover.run(&inputs), 4);
    let why = failover.journal().failure("fence").map(str::to_owned);
    let from = format!("still receives from 127.0.0.1:{}", failover.scene.port(Node::A));
    assert!(why.as_deref().is_some_and(|why| why.contains(&from)), "{why:?}");
    assert_eq!((failover.scene.role(Node::A), failover.scene.promotions(Node::B)), (Role::Primary, 0));
}

/// An address on which nobody listens.
fn nobody() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
