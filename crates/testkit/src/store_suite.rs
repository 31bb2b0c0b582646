//! What every store promises. A store's tests call [`crate::store_suite!`] with a way to make one.

use lifeboat_engine::store::{Claim, Draft, Store, StoreError};
use lifeboat_model::record::{Driver, StepEnd, StopReason, Verdict};
use lifeboat_model::{Epoch, Failure, NodeIndex, Phase, Record, RecordBody, RunId, RunState, Seq};

use crate::histories::{self, Move};
use crate::samples;

/// A place for runs that outlives its handles.
pub trait Place {
    /// A handle, as another process would open it.
    fn store(&self) -> Box<dyn Store>;
}

/// Writes a test for each promise: `store_suite!(|| MyPlace::new())`.
#[macro_export]
macro_rules! store_suite {
    ($place:expr) => {
        $crate::store_suite!(@tests $place;
            a_run_reads_back_as_it_was_created
            appended_records_read_back_in_order
            an_unknown_run_is_not_found
            a_run_is_created_once
            a_wrong_number_or_epoch_writes_nothing
            a_second_driver_is_told_who_drives
            each_driver_has_a_newer_epoch
            a_run_is_readable_while_it_is_driven
            the_list_shows_the_newest_first_with_its_state
            random_histories_read_back
            random_histories_can_be_taken_over_anywhere
        );
    };
    (@tests $place:expr; $($promise:ident)*) => {
        $(#[test]
        fn $promise() {
            $crate::store_suite::$promise(&|| Box::new(($place)()));
        })*
    };
}

/// A way to make an empty place.
pub type MakePlace<'a> = &'a dyn Fn() -> Box<dyn Place>;

fn create(store: &dyn Store, number: u32, steps: usize) -> (RunId, Claim) {
    let run = samples::run(number);
    let first = samples::created(&run, samples::sequence(steps));
    let claim = store.create(&run, &samples::driver(1), vec![first], &|_| Ok(())).expect("created");
    (run, claim)
}

/// Appends to a claim behind whatever it holds, and keeps its state.
pub fn append(claim: &mut Claim, drafts: Vec<Draft>) -> Vec<Record> {
    let records = claim.journal.append(claim.state.seq().next(), claim.epoch, drafts).expect("appended");
    for record in records.iter() {
        claim.state.apply(record).expect("a legal record");
    }
    records.to_vec()
}

fn resumed(driver: Driver) -> Draft {
    samples::draft(1, RecordBody::RunResumed { driver, actor: "tester".to_owned() })
}

fn same_state(a: &RunState, b: &RunState) {
    assert_eq!(samples::description(a), samples::description(b));
}

pub fn a_run_reads_back_as_it_was_created(make: MakePlace<'_>) {
    let place = make();
    let (run, claim) = create(&*place.store(), 1, 3);
    assert_eq!((claim.epoch, claim.state.seq()), (Epoch(1), Seq(1)));
    assert!(claim.notes.is_empty());
    drop(claim);
    let loaded = place.store().load(&run).expect("loaded");
    let record = loaded.records.first().expect("one record");
    let draft = samples::created(&run, samples::sequence(3));
    assert_eq!(
        (record.seq, record.epoch, record.at, &record.body),
        (Seq(1), Epoch(1), draft.at, &draft.body)
    );
    assert_eq!(loaded.state.plan().steps(), samples::sequence(3).steps());
    assert_eq!((loaded.records.len(), loaded.notes.len()), (1, 0));
}

pub fn appended_records_read_back_in_order(make: MakePlace<'_>) {
    let place = make();
    let (run, mut claim) = create(&*place.store(), 1, 3);
    let mut written = append(&mut claim, vec![samples::note(1, "one"), samples::note(2, "two\n\"ü\"")]);
    written.extend(append(&mut claim, vec![samples::note(3, "three")]));
    written.extend(append(&mut claim, Vec::new()));
    assert_eq!(written.iter().map(|record| record.seq.0).collect::<Vec<_>>(), [2, 3, 4]);
    let loaded = place.store().load(&run).expect("loaded");
    assert_eq!(loaded.records[1..], written);
    same_state(&loaded.state, &claim.state);
}

pub fn an_unknown_run_is_not_found(make: MakePlace<'_>) {
    let store = make().store();
    let run = samples::run(9);
    assert!(matches!(store.load(&run), Err(StoreError::NotFound { run: found }) if found == run));
    assert!(
        matches!(store.claim(&run, &samples::driver(1)), Err(StoreError::NotFound { run: found }) if found == run)
    );
    assert!(store.list().expect("listed").is_empty());
}

pub fn a_run_is_created_once(make: MakePlace<'_>) {
    let place = make();
    let (run, mut claim) = create(&*place.store(), 1, 3);
    append(&mut claim, vec![samples::note(1, "precious")]);
    drop(claim);
    let again = place.store().create(
        &run,
        &samples::driver(2),
        vec![samples::created(&run, samples::sequence(1))],
        &|_| Ok(()),
    );
    assert!(matches!(again, Err(StoreError::Io { .. })), "{again:?}");
    assert_eq!(place.store().load(&run).expect("loaded").records.len(), 2);
}

pub fn a_wrong_number_or_epoch_writes_nothing(make: MakePlace<'_>) {
    let place = make();
    let (run, mut claim) = create(&*place.store(), 1, 3);
    for (expected, epoch) in [(Seq(1), Epoch(1)), (Seq(3), Epoch(1)), (Seq(2), Epoch(2)), (Seq(2), Epoch(0))]
    {
        let result = claim.journal.append(expected, epoch, vec![samples::note(1, "no")]);
        let Err(StoreError::Conflict { found_seq, found_epoch, .. }) = result else {
            panic!("record {expected} of epoch {epoch}: {result:?}");
        };
        assert_eq!((found_seq, found_epoch), (Seq(1), Epoch(1)));
    }
    append(&mut claim, vec![samples::note(1, "yes")]);
    assert_eq!(place.store().load(&run).expect("loaded").records.len(), 2);
}

pub fn a_second_driver_is_told_who_drives(make: MakePlace<'_>) {
    let place = make();
    let (run, claim) = create(&*place.store(), 1, 3);
    for _ in 0..2 {
        let second = place.store().claim(&run, &samples::driver(2));
        let Err(StoreError::Locked { run: locked, holder: Some(holder) }) = second else {
            panic!("{second:?}");
        };
        assert_eq!((locked, holder.driver), (run.clone(), samples::driver(1)));
    }
    drop(claim);
    let claim = place.store().claim(&run, &samples::driver(2)).expect("free again");
    let third = place.store().claim(&run, &samples::driver(3));
    let Err(StoreError::Locked { holder: Some(holder), .. }) = third else { panic!("{third:?}") };
    assert_eq!(holder.driver, samples::driver(2));
    drop(claim);
}

pub fn each_driver_has_a_newer_epoch(make: MakePlace<'_>) {
    let place = make();
    let (run, claim) = create(&*place.store(), 1, 3);
    drop(claim);
    for epoch in 2..6 {
        let mut claim = place.store().claim(&run, &samples::driver(epoch)).expect("free");
        assert_eq!(claim.epoch, Epoch(u64::from(epoch)));
        append(&mut claim, vec![resumed(samples::driver(epoch))]);
        assert_eq!(claim.state.epoch(), Epoch(u64::from(epoch)));
    }
    let epochs: Vec<_> =
        place.store().load(&run).expect("loaded").records.iter().map(|r| r.epoch.0).collect();
    assert_eq!(epochs, [1, 2, 3, 4, 5]);
}

pub fn a_run_is_readable_while_it_is_driven(make: MakePlace<'_>) {
    let place = make();
    let (run, mut claim) = create(&*place.store(), 1, 3);
    append(&mut claim, vec![samples::note(1, "one")]);
    let loaded = place.store().load(&run).expect("loaded");
    assert_eq!(loaded.holder.expect("held").driver, samples::driver(1));
    same_state(&loaded.state, &claim.state);
    append(&mut claim, vec![samples::note(2, "two")]);
    drop(claim);
    let loaded = place.store().load(&run).expect("loaded");
    assert_eq!((loaded.holder, loaded.records.len()), (None, 3));
}

/// The first step could not start.
fn failed(state: &RunState) -> RecordBody {
    let node = state.path(NodeIndex(0));
    RecordBody::StepFinished { node, attempt: None, end: StepEnd::Failed(Failure::permanent("no")) }
}

pub fn the_list_shows_the_newest_first_with_its_state(make: MakePlace<'_>) {
    let place = make();
    let store = place.store();
    let (_, mut finished) = create(&*store, 1, 1);
    let end = failed(&finished.state);
    append(&mut finished, vec![samples::draft(6, end)]);
    append(&mut finished, vec![samples::draft(7, RecordBody::RunFinished { verdict: Verdict::Failed })]);
    drop(finished);
    let (_, mut stopped) = create(&*store, 3, 1);
    append(&mut stopped, vec![samples::draft(8, RecordBody::RunStopped { reason: StopReason::NeedsPerson })]);
    drop(stopped);
    let (_, running) = create(&*store, 2, 1);
    let seen: Vec<_> = store
        .list()
        .expect("listed")
        .into_iter()
        .map(|listed| {
            let header = listed.header.expect("a header");
            assert_eq!(header.run, listed.run);
            (listed.run, header.state, header.created, header.updated, listed.held)
        })
        .collect();
    let expected = [
        (samples::run(3), Phase::Stopped(StopReason::NeedsPerson), samples::at(0), samples::at(8), false),
        (samples::run(2), Phase::Running, samples::at(0), samples::at(0), true),
        (samples::run(1), Phase::Finished(Verdict::Failed), samples::at(0), samples::at(7), false),
    ];
    assert_eq!(seen, expected);
    drop(running);
}

/// Writes a history as its drivers would, a batch of up to three records at a time, and returns its state.
pub fn write_history(store: &dyn Store, run: &RunId, moves: &[Move]) -> RunState {
    let (first, rest) = moves.split_first().expect("a first record");
    let mut claim =
        store.create(run, &samples::driver(1), vec![first.draft.clone()], &|_| Ok(())).expect("created");
    for group in rest.chunk_by(|_, later| !later.takes_over) {
        if group.first().is_some_and(|first| first.takes_over) {
            drop(claim);
            claim = store.claim(run, &samples::driver(1)).expect("free");
        }
        for batch in group.chunks(3) {
            append(&mut claim, batch.iter().map(|m| m.draft.clone()).collect());
        }
    }
    claim.state
}

pub fn random_histories_read_back(make: MakePlace<'_>) {
    check_histories(24, |choices| {
        let place = make();
        let run = samples::run(1);
        let moves = histories::history(&run, samples::mixed(), choices);
        let written = write_history(&*place.store(), &run, &moves);
        let loaded = place.store().load(&run).expect("loaded");
        assert_eq!(loaded.records.len(), moves.len());
        assert!(loaded.records.iter().zip(&moves).all(|(record, m)| record.body == m.draft.body));
        same_state(&loaded.state, &written);
    });
}

pub fn random_histories_can_be_taken_over_anywhere(make: MakePlace<'_>) {
    check_histories(3, |choices| {
        let place = make();
        let run = samples::run(1);
        let moves = histories::history(&run, samples::mixed(), choices);
        for length in 1..=moves.len() {
            let run = samples::run(u32::try_from(length).expect("few moves"));
            let moves = histories::history(&run, samples::mixed(), &choices[..length - 1]);
            let written = write_history(&*place.store(), &run, &moves);
            let claim = place.store().claim(&run, &samples::driver(2)).expect("free");
            same_state(&claim.state, &written);
            assert_eq!(claim.epoch, written.epoch().next());
            assert!(claim.notes.is_empty(), "{:?}", claim.notes);
        }
    });
}

fn check_histories(cases: u32, check: impl Fn(&[u16])) {
    use proptest::prelude::*;
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(choices in proptest::collection::vec(any::<u16>(), 0..40))| check(&choices));
}
