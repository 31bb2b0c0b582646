//! A torn end is cut and noted; damage is reported with its number and never cut; other runs stay readable.

use std::fs;

use lifeboat_engine::store::{Store, StoreError};
use lifeboat_model::{Phase, RecordBody, RunId, Seq};
use lifeboat_testkit::samples;
use lifeboat_testkit::store_suite::append;

use crate::home::{Home, chain, lines, write_lines};

/// The record at which both ways of reading a run find damage.
fn damaged_at(home: &Home, run: &RunId) -> Seq {
    let before = fs::read(home.journal(run)).expect("a journal");
    let Err(StoreError::Corrupt { seq, path, .. }) = home.store().load(run) else {
        panic!("loaded in spite of damage")
    };
    assert_eq!(path, home.journal(run));
    let claimed = home.store().claim(run, &samples::driver(2));
    assert!(matches!(claimed, Err(StoreError::Corrupt { seq: found, .. }) if found == seq), "{claimed:?}");
    assert_eq!(fs::read(home.journal(run)).expect("a journal"), before, "a damaged journal is left as it is");
    seq
}

/// Loads and takes over a run whose end is torn behind record `last`, and goes on with it.
fn torn_behind(home: &Home, run: &RunId, last: u64) {
    let loaded = home.store().load(run).expect("loaded");
    assert_eq!((loaded.records.len() as u64, loaded.notes.len()), (last, 1), "{:?}", loaded.notes);
    let mut claim = home.claim(run);
    assert_eq!((claim.state.seq(), claim.notes.len()), (Seq(last), 1), "{:?}", claim.notes);
    append(&mut claim, vec![samples::note(99, "went on")]);
    drop(claim);
    let loaded = home.store().load(run).expect("loaded");
    assert_eq!((loaded.records.len() as u64, loaded.notes.len()), (last + 1, 0), "{:?}", loaded.notes);
}

#[test]
fn damage_is_reported_with_the_number_of_the_record() {
    for damaged in 1..6 {
        let home = Home::new();
        let (run, other) = (home.run_of(1, 6), home.run_of(2, 3));
        let mut text = lines(&home.journal(&run));
        text[damaged - 1] = text[damaged - 1].replace("1.0", "1.o").replace("as it was", "as it is ");
        write_lines(&home.journal(&run), &text);
        assert_eq!(damaged_at(&home, &run), Seq(damaged as u64));
        assert_eq!(home.store().load(&other).expect("another run").records.len(), 3);
        assert_eq!(home.store().list().expect("listed").len(), 2);
    }
}

#[test]
fn a_missing_doubled_or_moved_line_is_damage() {
    type Edit = fn(&mut Vec<String>);
    let edits: [(&str, Edit); 3] = [
        ("missing", |text| drop(text.remove(2))),
        ("doubled", |text| text.insert(2, text[1].clone())),
        ("moved", |text| text.swap(2, 3)),
    ];
    for (name, edit) in edits {
        let home = Home::new();
        let run = home.run_of(1, 6);
        let mut text = lines(&home.journal(&run));
        edit(&mut text);
        write_lines(&home.journal(&run), &text);
        assert_eq!(damaged_at(&home, &run), Seq(3), "{name}");
    }
}

#[test]
fn an_edited_record_breaks_the_chain_even_with_a_hash_of_its_own() {
    let home = Home::new();
    let run = home.run_of(1, 6);
    let path = home.journal(&run);
    let original = lines(&path);
    let mut edited = original.clone();
    edited[2] = edited[2].replace("as it was", "as it is!");
    chain(&mut edited);
    let forged = [&original[..2], &edited[2..3], &original[3..]].concat();
    write_lines(&path, &forged);
    assert_eq!(damaged_at(&home, &run), Seq(4));
}

#[test]
fn a_journal_cut_anywhere_in_its_last_record_loses_only_that() {
    let home = Home::new();
    let run = home.run_of(1, 4);
    let whole = fs::read(home.journal(&run)).expect("a journal");
    let last = whole.len() - lines(&home.journal(&run))[3].len() - 1;
    for length in last + 1..whole.len() {
        fs::write(home.journal(&run), &whole[..length]).expect("written");
        torn_behind(&home, &run, 3);
    }
}

#[test]
fn a_last_record_with_a_wrong_byte_counts_as_torn() {
    let home = Home::new();
    let run = home.run_of(1, 4);
    let mut text = lines(&home.journal(&run));
    text[3] = text[3].replace("as it was", "as\0it\0was");
    write_lines(&home.journal(&run), &text);
    torn_behind(&home, &run, 3);
}

#[test]
fn a_batch_whose_first_page_was_lost_counts_as_torn() {
    let home = Home::new();
    let run = home.run_of(1, 3);
    let mut claim = home.claim(&run);
    append(&mut claim, (4..8).map(|second| samples::note(second, "one batch")).collect());
    drop(claim);
    let mut text = lines(&home.journal(&run));
    text[4] = "\0".repeat(text[4].len());
    write_lines(&home.journal(&run), &text);
    torn_behind(&home, &run, 4);
}

#[test]
fn a_batch_that_was_synced_does_not_count_as_torn() {
    let home = Home::new();
    let run = home.run_of(1, 3);
    let mut claim = home.claim(&run);
    append(&mut claim, (4..8).map(|second| samples::note(second, "one batch")).collect());
    append(&mut claim, vec![samples::note(9, "the next batch")]);
    drop(claim);
    let mut text = lines(&home.journal(&run));
    text[4] = "\0".repeat(text[4].len());
    write_lines(&home.journal(&run), &text);
    assert_eq!(damaged_at(&home, &run), Seq(5));
}

#[test]
fn a_run_without_a_whole_first_record_is_no_run() {
    let home = Home::new();
    let run = home.run_of(1, 1);
    let whole = fs::read(home.journal(&run)).expect("a journal");
    fs::remove_file(home.folder(&run).join("header.json")).expect("removed");
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(home.journal(&run), &whole[..length]).expect("written");
        assert!(matches!(home.store().load(&run), Err(StoreError::NotFound { .. })));
        assert!(matches!(home.store().claim(&run, &samples::driver(2)), Err(StoreError::NotFound { .. })));
        assert!(home.store().list().expect("listed").is_empty());
    }
    fs::remove_file(home.journal(&run)).expect("removed");
    assert!(matches!(home.store().load(&run), Err(StoreError::NotFound { .. })));
}

#[test]
fn a_lost_or_damaged_header_is_read_from_the_journal() {
    let home = Home::new();
    let runs = [home.run_of(1, 3), home.run_of(2, 3), home.run_of(3, 3)];
    fs::remove_file(home.folder(&runs[0]).join("header.json")).expect("removed");
    fs::write(home.folder(&runs[1]).join("header.json"), "{\"run\":").expect("written");
    let headers: Vec<_> =
        home.store().list().expect("listed").into_iter().map(|listed| listed.header).collect();
    for (header, run) in headers.into_iter().zip(runs.iter().rev()) {
        let header = header.expect("a header");
        assert_eq!((header.run, header.state, header.created), (run.clone(), Phase::Running, samples::at(0)));
    }
}

#[test]
fn a_bad_run_is_listed_with_its_reason_among_the_others() {
    let home = Home::new();
    let (good, bad) = (home.run_of(1, 3), home.run_of(2, 3));
    fs::remove_file(home.folder(&bad).join("header.json")).expect("removed");
    let mut text = lines(&home.journal(&bad));
    text[1].clear();
    write_lines(&home.journal(&bad), &text);
    let listed = home.store().list().expect("listed");
    let reasons: Vec<_> = listed.iter().map(|one| (&one.run, one.header.as_ref().err())).collect();
    assert!(
        matches!(reasons[..], [(a, Some(StoreError::Corrupt { seq: Seq(2), .. })), (b, None)] if *a == bad && *b == good)
    );
}

#[test]
fn a_newer_minor_version_is_read_but_not_written() {
    let home = Home::new();
    let run = home.run_of(1, 3);
    let mut text = lines(&home.journal(&run));
    text[2] = text[2].replace(r#""v":"1.0""#, r#""v":"1.7""#).replace(r#""type":"note""#, r#""type":"omen""#);
    chain(&mut text);
    write_lines(&home.journal(&run), &text);
    let loaded = home.store().load(&run).expect("readable");
    let RecordBody::Note { text } = &loaded.records[2].body else { panic!("{:?}", loaded.records[2]) };
    assert_eq!(text, "a record `omen` of the newer format 1.7, not understood here");
    let claimed = home.store().claim(&run, &samples::driver(2));
    assert!(matches!(claimed, Err(StoreError::TooNew { ref found, .. }) if found == "1.7"), "{claimed:?}");
}

#[test]
fn a_newer_record_that_must_be_understood_is_refused() {
    let home = Home::new();
    let run = home.run_of(1, 3);
    let mut text = lines(&home.journal(&run));
    text[2] = text[2]
        .replace(r#""v":"1.0""#, r#""v":"1.7""#)
        .replace(r#","skip":true,"type":"note""#, r#","type":"omen""#);
    chain(&mut text);
    write_lines(&home.journal(&run), &text);
    let loaded = home.store().load(&run);
    assert!(matches!(loaded, Err(StoreError::TooNew { ref found, .. }) if found == "1.7"), "{loaded:?}");
}

#[test]
fn a_newer_major_version_is_not_read() {
    let home = Home::new();
    let run = home.run_of(1, 3);
    let original = lines(&home.journal(&run));
    let mut known_shape = original.clone();
    known_shape[2] = known_shape[2].replace(r#""v":"1.0""#, r#""v":"2.0""#);
    chain(&mut known_shape);
    let unknown_shape = [&original[..2], &[r#"{"v":"2.1","something":"else"}"#.to_owned()]].concat();
    for (text, version) in [(known_shape, "2.0"), (unknown_shape, "2.1")] {
        write_lines(&home.journal(&run), &text);
        let loaded = home.store().load(&run);
        assert!(
            matches!(loaded, Err(StoreError::TooNew { ref found, .. }) if found == version),
            "{loaded:?}"
        );
        assert!(matches!(home.store().claim(&run, &samples::driver(2)), Err(StoreError::TooNew { .. })));
    }
}

#[test]
fn an_illegal_record_is_reported_with_its_number() {
    let home = Home::new();
    let run = home.run_of(1, 3);
    let mut text = lines(&home.journal(&run));
    text[1] = text[1]
        .replace(r#""type":"note""#, r#""type":"run_stopped""#)
        .replace(r#"{"text":"as it was"}"#, r#"{"reason":"paused"}"#);
    text[2] = text[1].replace(r#""seq":2,"batch":2"#, r#""seq":3,"batch":3"#);
    chain(&mut text);
    write_lines(&home.journal(&run), &text);
    assert_eq!(damaged_at(&home, &run), Seq(3));
}
