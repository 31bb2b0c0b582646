//! The failover as it should go, what comes after it, and servers that come back or forget meanwhile.

use lifeboat_tests::scene::{Node, Role};

use super::{Failover, SOON, assert_code};

#[test]
fn a_killed_primary_is_replaced_and_clients_write_again() {
    let failover = Failover::broken();
    assert_code(&failover.run(&[]), 0);
    failover.assert_failed_over();
    let scene = &failover.scene;
    assert_eq!(scene.primaries(), [Node::B]);
    println!(
        "failover: RTO {:?} as the clients saw it, of which Lifeboat took {:?}; {} of {} acknowledged rows lost; {} records",
        scene.ledger().longest_gap(),
        failover.journal().took(),
        scene.lost_rows(Node::B).len(),
        scene.ledger().acked().len(),
        failover.journal().len()
    );
}

#[test]
fn an_old_primary_that_comes_back_gets_no_clients() {
    let failover = Failover::broken();
    assert_code(&failover.run(&[]), 0);
    failover.scene.restart(Node::A);
    assert_eq!(failover.scene.primaries(), [Node::A, Node::B]);
    let first = failover.more_rows();
    assert!(failover.scene.rows(Node::A).range(first..).next().is_none());
    assert_eq!(failover.proxied(Node::A).as_deref(), Some("MAINT"));
}

/// Nothing can be asked of a frozen server, and it may wake at any time: only the clients' path can be closed.
#[test]
fn a_frozen_primary_is_cut_off_and_gets_no_clients_when_it_wakes() {
    let failover = Failover::healthy();
    let scene = &failover.scene;
    scene.freeze(Node::A);
    scene.wait_until("clients notice", SOON, || !scene.writes_work());
    assert_code(&failover.run(&[]), 0);
    failover.assert_failed_over();
    let journal = failover.journal();
    let fence = journal.outcome("fence").expect("the run fenced the primary");
    assert_eq!(fence["outputs"]["proof"], "isolated");
    let warnings = fence["warnings"].to_string();
    assert!(warnings.contains("sessions open on it could not be looked at"), "{warnings}");

    scene.thaw(Node::A);
    scene.wait_until("the old primary wakes", SOON, || scene.role(Node::A) == Role::Primary);
    let first = failover.more_rows();
    assert!(scene.rows(Node::A).range(first..).next().is_none());
    println!("frozen primary: RTO {:?} as the clients saw it", scene.ledger().longest_gap());
}

/// HAProxy was told to keep the old primary out, and forgets it when it is restarted while the run goes on.
#[test]
fn a_load_balancer_that_was_restarted_meanwhile_is_told_again() {
    let failover = Failover::healthy();
    let scene = &failover.scene;
    scene.freeze(Node::A);
    scene.wait_until("clients notice", SOON, || !scene.writes_work());
    let run = failover.sandbox.lifeboat(failover.words("run", &[])).spawn();
    scene.wait_until("the fencing begins", SOON, || {
        failover.journal().about("step_started", "fence").next().is_some()
    });
    scene.kill_haproxy();
    scene.start_haproxy();
    assert_ne!(failover.proxied(Node::A).as_deref(), Some("MAINT"), "it has forgotten");
    let ended = run.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    failover.assert_failed_over();

    scene.thaw(Node::A);
    scene.wait_until("the old primary wakes", SOON, || scene.role(Node::A) == Role::Primary);
    let first = failover.more_rows();
    assert!(scene.rows(Node::A).range(first..).next().is_none());
}
