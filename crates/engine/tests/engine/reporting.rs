//! What watchers are told.

use std::io;
use std::sync::{Arc, Mutex};

use lifeboat_engine::{Left, Reporter, Reporters, Store};
use lifeboat_model::record::Verdict;
use lifeboat_model::{Event, RunState};
use lifeboat_testkit::runs::plan;
use lifeboat_testkit::{Driving, MemoryStore, World, samples};

use crate::simulate;

/// Keeps the types of the events it is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Reporter for Told {
    fn event(&mut self, event: &Event, _: &RunState) -> io::Result<()> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

/// A terminal that went away.
struct Broken;

impl Reporter for Broken {
    fn event(&mut self, _: &Event, _: &RunState) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

const TEXT: &str = r#"
runbook: told
steps:
  - { id: one, action: fake.set, with: { name: a, value: x, fails: 1 }, retry: { attempts: 2 } }
  - { id: two, action: fake.get, with: { name: a } }
"#;

#[test]
fn a_broken_reporter_is_a_warning_and_the_others_are_still_told() {
    let (world, told) = (World::default(), Told::default());
    let registry = world.registry();
    let plan = plan(&registry, TEXT);
    let reporters = Reporters::new(vec![Box::new(Broken), Box::new(told.clone())]);
    let driving = Driving { reporters, ..Driving::with(registry) };
    let drive = simulate(driving.create(&MemoryStore::new(), &samples::run(1), plan)).unwrap();
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    assert_eq!(drive.warnings, ["broken pipe"]);
    let types: Vec<_> = told.0.lock().unwrap().iter().map(|event| event.kind.type_name()).collect();
    assert_eq!(
        types,
        [
            "run_created",
            "step_started",
            "step_progress",
            "step_started",
            "step_finished",
            "step_started",
            "step_finished",
            "run_finished"
        ]
    );
}

#[test]
fn replaying_the_journal_tells_what_the_live_run_told() {
    let (world, told, store) = (World::default(), Told::default(), MemoryStore::new());
    let registry = world.registry();
    let plan = plan(&registry, TEXT);
    let driving =
        Driving { reporters: Reporters::new(vec![Box::new(told.clone())]), ..Driving::with(registry) };
    let drive = simulate(driving.create(&store, &samples::run(1), plan)).unwrap();
    assert_eq!(drive.left, Left::Finished(Verdict::Succeeded));
    drop(drive);

    let records = store.load(&samples::run(1)).unwrap().records;
    let mut state = RunState::new(&records[0]).unwrap();
    let mut replayed: Vec<_> = Event::of(&records[0], &state).into_iter().collect();
    for record in &records[1..] {
        state.apply(record).unwrap();
        replayed.extend(Event::of(record, &state));
    }
    assert_eq!(*told.0.lock().unwrap(), replayed);
}
