//! Looking changes nothing.

use lifeboat_action::Observation;
use lifeboat_tests::scene::{Node, PostgresScene};
use serde_json::json;

use crate::bench::{Bench, SOON, fence_a, on, promote_b};

/// Looks with every action, at servers that it could change.
fn look_everywhere(scene: &PostgresScene, bench: &Bench) -> Vec<Observation> {
    let fence = fence_a(scene, json!({"max_lag": "1h"}));
    let fenced = bench.observe("postgres.fence", &fence);
    let mut seen = vec![fenced, bench.rehearse("postgres.fence", &fence, "down_since")];
    for node in Node::ALL {
        for expect in ["up", "down", "primary", "standby", "writable"] {
            seen.push(bench.observe("postgres.check", &on(scene, node, json!({"expect": expect}))));
        }
        let sql = "select count(*) from orders";
        seen.push(bench.observe("postgres.query", &on(scene, node, json!({"sql": sql}))));
        let write = json!({"sql": "drop table orders", "write": true});
        seen.push(bench.observe("postgres.query", &on(scene, node, write)));
        seen.push(bench.rehearse("postgres.promote", &on(scene, node, json!({})), "fence"));
    }
    seen
}

#[test]
fn every_action_can_look_at_a_healthy_pair_and_at_a_broken_one() {
    let (scene, bench) = (PostgresScene::start(), Bench::new());
    scene.quiesce();
    let healthy = scene.fingerprint();
    let seen = look_everywhere(&scene, &bench);
    let (fence, rehearsed, promotion) = (&seen[0], &seen[1], seen.last().unwrap());
    for change in [fence, rehearsed, promotion] {
        assert!(matches!(change, Observation::Pending { .. }), "{change:?}");
    }
    assert_eq!(scene.fingerprint(), healthy);

    scene.kill(Node::A);
    let noticed = || scene.haproxy().server_state(Node::A).as_deref() == Some("DOWN");
    scene.wait_until("HAProxy has noticed", SOON, noticed);
    let broken = scene.fingerprint();
    let Observation::InPlace { evidence, outputs, .. } = look_everywhere(&scene, &bench).swap_remove(0)
    else {
        panic!("a dead primary is fenced");
    };
    let fenced = lifeboat_action::Outcome { evidence, outputs, warnings: Vec::new() };
    let promotion = bench.observe("postgres.promote", &promote_b(&scene, &fenced, json!({"max_lag": "1h"})));
    assert!(matches!(promotion, Observation::Pending { .. }), "{promotion:?}");
    assert_eq!(scene.fingerprint(), broken);
}
