//! First, second and third signal.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lifeboat_engine::{Answer, EngineError, Left, Person, Question, Signal};
use lifeboat_model::Effect;
use lifeboat_model::record::{Mode, StopReason, Verdict};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};
use tokio::sync::mpsc;

use crate::scripted::{Look, Scripted};
use crate::{simulate, summary};

const TEXT: &str = r#"
runbook: long
steps:
  - { id: one, action: fake.set, with: { name: a, value: x, millis: 60000 } }
  - { id: two, action: fake.set, with: { name: b, value: x } }
"#;

/// Drives [`TEXT`] with these signals, a second apart, then resumes it to its end.
fn interrupted(signals: &[Signal]) -> (Left, Vec<String>, World) {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(&registry, TEXT);
    let (sender, receiver) = mpsc::unbounded_channel();
    let drive = simulate(async {
        let driving = Driving { signals: receiver, ..Driving::with(registry.clone()) };
        let press = async {
            for signal in signals {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                sender.send(*signal).unwrap();
            }
            std::future::pending::<()>().await;
        };
        let run = samples::run(1);
        tokio::select! {
            drive = driving.create(&store, &run, plan) => drive.unwrap(),
            () = press => unreachable!("it never ends"),
        }
    });
    let left = drive.left;
    drop(drive);
    let resumed = simulate(Driving::with(registry).resume(&store, &samples::run(1))).unwrap();
    assert_eq!(resumed.left, Left::Finished(Verdict::Succeeded));
    (left, summary(&resumed).1, world)
}

#[test]
fn every_sequence_of_signals_leaves_a_run_that_can_be_resumed() {
    use Signal::{Interrupt, Terminate};
    let stopped = Left::Stopped(StopReason::Interrupted);
    let expected: [(&[Signal], Left); 8] = [
        (&[Interrupt], stopped),
        (&[Terminate], stopped),
        (&[Interrupt, Interrupt], stopped),
        (&[Interrupt, Terminate], stopped),
        (&[Terminate, Interrupt], stopped),
        (&[Terminate, Terminate], stopped),
        (&[Interrupt, Interrupt, Interrupt], stopped),
        (&[Interrupt, Terminate, Terminate], stopped),
    ];
    for (signals, left) in expected {
        let (found, steps, world) = interrupted(signals);
        assert_eq!(found, left, "{signals:?}");
        assert_eq!(steps, ["one succeeded", "two succeeded"], "{signals:?}");
        assert_eq!(world.applied(), ["one", "two"], "{signals:?}");
    }
}

#[test]
fn the_third_leaves_at_once_even_when_the_action_is_deaf() {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(&registry, &TEXT.replace("millis: 60000", "millis: 60000, deaf: true"));
    let (sender, receiver) = mpsc::unbounded_channel();
    let driving = Driving { signals: receiver, ..Driving::with(registry) };
    for _ in 0..3 {
        sender.send(Signal::Interrupt).unwrap();
    }
    let drive = simulate(driving.create(&store, &samples::run(1), plan)).unwrap();
    assert_eq!(drive.left, Left::Abandoned);
}

/// Drives one scripted step, stops it by two signals while it looks, and resumes; the step's state after each.
fn stopped_while_looking(mode: Mode, script: &'static [Look]) -> (Vec<String>, Vec<String>) {
    let text = "runbook: look\nsteps:\n  - { id: one, action: test.scripted, on_unknown: fail, retry: { attempts: 2 } }\n";
    let (scripted, store) = (Scripted::new(Effect::Write, script), MemoryStore::new());
    let plan = plan(&scripted.registry(), text);
    let (sender, signals) = mpsc::unbounded_channel();
    let stopped = simulate(async {
        let driving = Driving { mode, signals, ..Driving::with(scripted.registry()) };
        let press = async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            sender.send(Signal::Interrupt).unwrap();
            sender.send(Signal::Interrupt).unwrap();
            std::future::pending::<()>().await;
        };
        let run = samples::run(1);
        tokio::select! {
            drive = driving.create(&store, &run, plan) => drive.unwrap(),
            () = press => unreachable!("it never ends"),
        }
    });
    assert_eq!(stopped.left, Left::Stopped(StopReason::Interrupted));
    let before = summary(&stopped).1;
    drop(stopped);
    let resumed = simulate(Driving::with(scripted.registry()).resume(&store, &samples::run(1))).unwrap();
    assert_eq!(resumed.left, Left::Finished(Verdict::Succeeded));
    (before, summary(&resumed).1)
}

#[test]
fn a_look_into_a_doubt_that_is_told_to_stop_settles_nothing() {
    let (stopped, resumed) = stopped_while_looking(Mode::Live, &[Look::Pending, Look::UntilStopped]);
    assert_eq!(stopped, ["one in_doubt"]);
    assert_eq!(resumed, ["one succeeded"]);
}

#[test]
fn a_rehearsal_that_is_told_to_stop_is_made_again() {
    let (stopped, resumed) = stopped_while_looking(Mode::DryRun, &[Look::UntilStopped]);
    assert_eq!(stopped, ["one pending"]);
    assert_eq!(resumed, ["one in_place"]);
}

/// Looks at the question and says nothing.
#[derive(Debug)]
struct Silent(mpsc::UnboundedSender<Signal>);

impl Person for Silent {
    fn ask(&self, _: Question) -> Pin<Box<dyn Future<Output = Option<Answer>> + Send>> {
        self.0.send(Signal::Interrupt).unwrap();
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_question_that_is_open_does_not_keep_an_interrupted_run() {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let text = "runbook: ask\nsteps:\n  - { id: one, action: fake.blind, with: { name: a, value: x, fails: 1, how: unknown_done } }\n";
    let plan = plan(&registry, text);
    let (sender, signals) = mpsc::unbounded_channel();
    let driving = Driving { signals, person: Arc::new(Silent(sender)), ..Driving::with(registry) };
    let hour = std::time::Duration::from_secs(3600);
    let run = samples::run(1);
    let drive = simulate(async {
        tokio::time::timeout(hour, driving.create(&store, &run, plan)).await.expect("it waits for an answer")
    });
    let drive = drive.unwrap();
    assert_eq!(drive.left, Left::Stopped(StopReason::Interrupted));
    assert_eq!(summary(&drive).1, ["one in_doubt"]);
}

#[test]
fn a_run_that_is_over_is_not_taken_over() {
    let (world, store) = (World::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(
        &registry,
        "runbook: over\nsteps:\n  - { id: one, action: fake.set, with: { name: a, value: x } }\n",
    );
    let drive = simulate(Driving::with(registry.clone()).create(&store, &samples::run(1), plan)).unwrap();
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    drop(drive);
    let error = simulate(Driving::with(registry).resume(&store, &samples::run(1))).unwrap_err();
    assert!(matches!(error, EngineError::Illegal(_)), "{error:?}");
}
