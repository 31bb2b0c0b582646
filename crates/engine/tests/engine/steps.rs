//! What becomes of single steps.

use lifeboat_engine::Left;
use lifeboat_model::Effect;
use lifeboat_model::record::Verdict;
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};

use crate::scripted::{Look, Scripted};
use crate::{run, simulate, summary};

#[test]
fn outputs_flow_and_keep_their_type() {
    let world = World::default();
    let drive = run(
        &world,
        r#"
runbook: flow
steps:
  - { id: one, action: fake.set, with: { name: a, value: "1" } }
  - { id: two, action: fake.set, with: { name: b, value: "{{ steps.one.value }}2" } }
  - { id: three, when: "{{ eq steps.two.value '12' }}", action: fake.set, with: { name: c, value: "{{ run.id }}" } }
  - { id: four, when: "{{ eq steps.two.value '13' }}", action: fake.set, with: { name: d, value: x } }
"#,
    );
    let (verdict, steps) = summary(&drive);
    assert_eq!(verdict, Some("succeeded"));
    assert_eq!(steps, ["one succeeded", "two succeeded", "three succeeded", "four skipped"]);
    assert_eq!(world.values()["b"], "12");
    assert_eq!(world.values()["c"], drive.state.run().as_str());
}

#[test]
fn what_is_in_place_is_not_applied() {
    let world = World::default();
    let text = r#"
runbook: twice
steps:
  - { id: one, action: fake.set, with: { name: a, value: "1" } }
  - { id: two, action: fake.set, with: { name: a, value: "1" } }
"#;
    let (verdict, steps) = summary(&run(&world, text));
    assert_eq!(
        (verdict, steps),
        (Some("succeeded"), vec!["one succeeded".to_owned(), "two in_place".to_owned()])
    );
    assert_eq!(world.applied(), ["one"]);
}

#[test]
fn a_transient_failure_is_retried_as_often_as_the_step_says() {
    let world = World::default();
    let text = |fails: u32| {
        format!(
            r#"
runbook: retry
steps:
  - id: one
    action: fake.set
    with: {{ name: a, value: "{fails}", fails: {fails} }}
    retry: {{ attempts: 3, delay: 1m, backoff: 2 }}
"#
        )
    };
    let drive = run(&world, &text(2));
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    let took = drive.state.updated_at().duration_since(drive.state.created_at());
    assert_eq!(took.as_secs(), 60 + 120);

    let drive = run(&World::default(), &text(3));
    assert_eq!(summary(&drive), (Some("failed"), vec!["one failed".to_owned()]));
}

#[test]
fn a_permanent_failure_is_not_retried_and_stops_the_run() {
    let world = World::default();
    let drive = run(
        &world,
        r#"
runbook: stop
steps:
  - id: one
    action: fake.set
    with: { name: a, value: x, fails: 1, how: permanent }
    retry: { attempts: 3 }
  - { id: two, action: fake.set, with: { name: b, value: x } }
finally:
  - { id: last, action: fake.set, with: { name: c, value: x } }
"#,
    );
    assert_eq!(summary(&drive).1, ["one failed", "two pending", "last succeeded"]);
    assert_eq!(drive.left, Left::Finished(Verdict::Failed));
    assert_eq!(world.applied(), ["last"]);
}

#[test]
fn a_tolerated_failure_is_a_deviation() {
    let drive = run(
        &World::default(),
        r#"
runbook: go-on
steps:
  - { id: one, on_failure: continue, action: fake.set, with: { name: a, value: x, fails: 1, how: permanent } }
  - { id: two, action: fake.set, with: { name: b, value: x } }
"#,
    );
    assert_eq!(
        summary(&drive),
        (Some("succeeded_with_deviations"), vec!["one failed".into(), "two succeeded".into()])
    );
}

#[test]
fn a_step_that_uses_what_a_skipped_step_did_not_give_fails_instead_of_guessing() {
    let drive = run(
        &World::default(),
        r#"
runbook: unknown
steps:
  - { id: one, when: "{{ eq mode 'dry_run' }}", action: fake.set, with: { name: a, value: x } }
  - { id: two, action: fake.set, with: { name: b, value: "{{ steps.one.value }}" } }
"#,
    );
    assert_eq!(summary(&drive), (Some("failed"), vec!["one skipped".into(), "two failed".into()]));
}

#[test]
fn a_check_takes_the_place_of_observing() {
    let world = World::default();
    let text = r#"
runbook: checked
steps:
  - id: one
    action: fake.blind
    with: { name: a, value: x }
    check: { action: fake.get, with: { name: a, value: x } }
"#;
    assert_eq!(summary(&run(&world, text)).1, ["one succeeded"]);
    assert_eq!(summary(&run(&world, text)).1, ["one in_place"]);
    assert_eq!(world.applied(), ["one"]);
}

#[test]
fn a_deadline_stops_an_attempt() {
    let drive = run(
        &World::default(),
        r#"
runbook: slow
steps:
  - id: one
    action: fake.set
    with: { name: a, value: x, millis: 600000 }
    timeout: 2s
"#,
    );
    // The effect is not known, so it was looked for; it was not there, and no attempt was left.
    assert_eq!(summary(&drive), (Some("failed"), vec!["one failed".into()]));
    let took = drive.state.updated_at().duration_since(drive.state.created_at());
    assert_eq!(took.as_secs(), 2);
}

#[test]
fn an_action_that_does_not_stop_is_given_up() {
    let drive = run(
        &World::default(),
        r#"
runbook: deaf
steps:
  - id: one
    action: fake.set
    with: { name: a, value: x, millis: 600000, deaf: true }
    timeout: 2s
"#,
    );
    assert_eq!(summary(&drive).1, ["one failed"]);
    let took = drive.state.updated_at().duration_since(drive.state.created_at());
    assert_eq!(took.as_secs(), 2 + 30);
}

#[test]
fn a_block_is_over_when_all_inside_is() {
    let world = World::default();
    let drive = run(
        &world,
        r#"
runbook: wide
steps:
  - { id: first, action: fake.set, with: { name: a, value: x } }
  - parallel: both
    steps:
      - { id: slow, action: fake.set, with: { name: b, value: x, millis: 5000 } }
      - { id: quick, action: fake.set, with: { name: c, value: x, millis: 10 } }
  - { id: last, action: fake.set, with: { name: d, value: x } }
"#,
    );
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    assert_eq!(world.applied(), ["first", "both/quick", "both/slow", "last"]);
}

#[test]
fn nothing_starts_beside_a_step_whose_failure_stops_the_run() {
    let world = World::default();
    let drive = run(
        &world,
        r#"
runbook: beside
steps:
  - { id: one, when: "{{ eq mode 'dry_run' }}", action: fake.set, with: { name: a, value: x } }
  - { id: two, needs: [one], action: fake.set, with: { name: b, value: "{{ steps.one.value }}" } }
  - { id: three, needs: [one], action: fake.set, with: { name: c, value: x } }
"#,
    );
    assert_eq!(
        summary(&drive),
        (Some("failed"), vec!["one skipped".into(), "two failed".into(), "three pending".into()])
    );
    assert_eq!(world.applied(), [""; 0]);
}

#[test]
fn each_attempt_is_told_when_it_started_itself() {
    let scripted = Scripted::new(Effect::Read, &[Look::Blocked]);
    let text =
        "runbook: again\nsteps:\n  - { id: one, action: test.scripted, retry: { attempts: 2, delay: 1m } }\n";
    let plan = plan(&scripted.registry(), text);
    let driving = Driving::with(scripted.registry());
    let drive = simulate(driving.create(&MemoryStore::new(), &samples::run(1), plan)).unwrap();
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    let [first, second] = scripted.started()[..] else { panic!("two attempts") };
    assert_eq!(second.duration_since(first).as_secs(), 60);
}

#[test]
fn an_output_that_held_a_secret_is_not_used_without_it() {
    let world = World::default();
    let registry = world.registry();
    let text = r#"
runbook: secret
secrets: { pw: { env: PW } }
steps:
  - { id: one, action: fake.set, with: { name: a, value: "{{ secrets.pw }}" } }
  - { id: two, action: fake.set, with: { name: b, value: "{{ steps.one.value }}" } }
"#;
    let plan = plan(&registry, text);
    let secrets = serde_json::Map::from_iter([("pw".to_owned(), "hunter2".into())]);
    let driving = Driving { secrets, ..Driving::with(registry) };
    let drive = simulate(driving.create(&MemoryStore::new(), &samples::run(1), plan)).unwrap();
    assert_eq!(summary(&drive).1, ["one succeeded", "two failed"]);
    assert_eq!(world.values()["a"], "hunter2");
    assert!(!world.values().contains_key("b"), "the mask is no value");
}
