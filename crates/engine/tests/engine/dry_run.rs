//! A dry run shows everything and changes nothing.

use lifeboat_engine::Left;
use lifeboat_model::record::{Mode, Verdict};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};

use crate::{run, simulate, summary};

fn rehearse(world: &World, text: &str) -> lifeboat_engine::Drive {
    let registry = world.registry();
    let plan = plan(&registry, text);
    let driving = Driving { mode: Mode::DryRun, ..Driving::with(registry) };
    simulate(driving.create(&MemoryStore::new(), &samples::run(1), plan)).unwrap()
}

const TEXT: &str = r#"
runbook: drill
steps:
  - { id: there, action: fake.set, with: { name: a, value: x } }
  - { id: change, action: fake.set, with: { name: b, value: y } }
  - { id: blind, action: fake.blind, with: { name: c, value: z } }
  - { id: uses, action: fake.set, with: { name: d, value: "{{ steps.change.value }}" } }
  - { id: read, action: fake.get, with: { name: a } }
  - { id: from-read, action: fake.set, with: { name: e, value: "{{ steps.read.value }}" } }
  - { id: cond, when: "{{ eq steps.change.value 'y' }}", action: fake.set, with: { name: f, value: x } }
  - { id: not-here, when: "{{ ne mode 'dry_run' }}", action: fake.set, with: { name: g, value: x } }
"#;

#[test]
fn every_step_is_looked_at_and_none_applied() {
    let world = World::default();
    let prepare = "runbook: p\nsteps:\n  - { id: there, action: fake.set, with: { name: a, value: x } }\n";
    assert_eq!(summary(&run(&world, prepare)).0, Some("succeeded"));
    let before = world.values();

    let drive = rehearse(&world, TEXT);
    assert_eq!(
        summary(&drive),
        (
            Some("succeeded"),
            vec![
                "there in_place".into(),
                "change pending".into(),
                "blind not_rehearsed".into(),
                "uses not_rehearsed".into(),
                "read in_place".into(),
                "from-read pending".into(),
                "cond not_rehearsed".into(),
                "not-here skipped".into(),
            ]
        )
    );
    assert_eq!(world.values(), before);
    assert_eq!(world.applied(), ["there"], "only by the preparation");
}

#[test]
fn what_stands_in_the_way_makes_it_not_ready_and_the_rest_is_still_rehearsed() {
    let world = World::default();
    let text = r#"
runbook: blocked
steps:
  - { id: read, action: fake.get, with: { name: a } }
  - { id: from-read, action: fake.set, with: { name: e, value: "{{ steps.read.value }}" } }
  - { id: change, action: fake.set, with: { name: b, value: y } }
"#;
    let drive = rehearse(&world, text);
    assert_eq!(drive.left, Left::Finished(Verdict::Failed));
    assert_eq!(summary(&drive).1, ["read failed", "from-read not_rehearsed", "change pending"]);
    assert_eq!(world.applied(), [""; 0]);
}

#[test]
fn a_condition_that_waits_for_a_change_which_was_not_made_cannot_be_decided() {
    let text = r#"
runbook: after
steps:
  - parallel: both
    steps:
      - { id: change, action: fake.set, with: { name: a, value: x } }
      - { id: beside, action: fake.get, with: { name: a } }
  - { id: after, action: fake.get, with: { name: a } }
"#;
    let drive = rehearse(&World::default(), text);
    // What stands beside the change does not wait for it.
    assert_eq!(
        summary(&drive).1,
        ["both failed", "both/change pending", "both/beside failed", "after not_rehearsed"]
    );
}
