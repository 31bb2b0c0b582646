//! Whatever becomes of the checkpoints, the run opens with the right state, says what happened, and has good ones after.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lifeboat_engine::store::Store;
use lifeboat_model::{RunId, Seq};
use lifeboat_store::Checkpoints;
use lifeboat_testkit::store_suite::{append, write_history};
use lifeboat_testkit::{histories, samples};

use crate::driver;
use crate::home::{Home, chain, lines, write_lines};

fn folder(home: &Home, run: &RunId) -> PathBuf {
    home.folder(run).join("checkpoints")
}

fn checkpoints(home: &Home, run: &RunId) -> Checkpoints {
    home.store().verify(run).expect("a good journal").checkpoints
}

fn set_aside(home: &Home, run: &RunId) -> usize {
    let names =
        fs::read_dir(home.folder(run)).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    names.filter(|name| name.to_string_lossy().starts_with("checkpoints.damaged-")).count()
}

/// Takes the run over and compares its state with what the journal says.
fn state_is_right(home: &Home, run: &RunId) -> Vec<String> {
    let expected = samples::description(&home.store().load(run).expect("loaded").state);
    let claim = home.claim(run);
    assert_eq!(samples::description(&claim.state), expected);
    claim.notes
}

#[test]
fn they_hold_the_state_after_every_record() {
    let choices: Vec<u16> = (0..30).map(|at: u16| at.wrapping_mul(25_717) | 1).collect();
    for length in 0..choices.len() {
        let home = Home::new();
        let run = samples::run(1);
        let moves = histories::history(&run, samples::mixed(), &choices[..length]);
        write_history(&home.store_after(Duration::ZERO), &run, &moves);
        assert_eq!(checkpoints(&home, &run), Checkpoints::Good { seq: Seq(moves.len() as u64) });
        assert_eq!(state_is_right(&home, &run), Vec::<String>::new());
    }
}

#[test]
fn a_run_that_is_over_soon_gets_none() {
    let home = Home::new();
    let run = home.run_of(1, 30);
    assert_eq!(checkpoints(&home, &run), Checkpoints::None);
    assert_eq!(state_is_right(&home, &run), Vec::<String>::new());
}

#[test]
fn a_long_journal_gets_them_at_once_and_misses_them_later() {
    let home = Home::new();
    let run = home.run_of(1, 1);
    let mut claim = home.claim(&run);
    append(&mut claim, (0..4500).map(|second| samples::note(second, "one of many")).collect());
    drop(claim);
    assert_eq!(checkpoints(&home, &run), Checkpoints::Good { seq: Seq(4501) });
    fs::remove_dir_all(folder(&home, &run)).expect("removed");
    assert_eq!(
        state_is_right(&home, &run),
        ["there were no checkpoints: the state was rebuilt from 4501 records"]
    );
    assert_eq!(checkpoints(&home, &run), Checkpoints::Good { seq: Seq(4501) });
}

#[test]
fn what_they_miss_is_folded_from_the_journals_end() {
    let home = Home::new();
    let run = home.run_with_checkpoints(1);
    let Checkpoints::Good { seq } = checkpoints(&home, &run) else { panic!("bad checkpoints") };
    let behind = home.0.path().join("behind");
    fs::rename(folder(&home, &run), &behind).expect("moved");
    let mut claim = home.claim(&run);
    append(&mut claim, vec![samples::note(90, "later"), samples::note(91, "later still")]);
    drop(claim);
    fs::rename(&behind, folder(&home, &run)).expect("moved back");
    assert_eq!(checkpoints(&home, &run), Checkpoints::Good { seq });
    assert_eq!(state_is_right(&home, &run), Vec::<String>::new());
}

type Hurt = (&'static str, fn(&Path));

/// What a crash, a bad disk or a careless hand may do to the folder.
const HURTS: [Hurt; 12] = [
    ("db cut to nothing", |folder| cut(&folder.join("db"), 0)),
    ("db cut short", |folder| cut(&folder.join("db"), 700)),
    ("db lost", |folder| fs::remove_file(folder.join("db")).expect("removed")),
    ("first bytes flipped", |folder| flip(&folder.join("db"), 0)),
    ("bytes flipped at 100", |folder| flip(&folder.join("db"), 100)),
    ("bytes flipped at 3000", |folder| flip(&folder.join("db"), 3000)),
    ("bytes flipped at 9000", |folder| flip(&folder.join("db"), 9000)),
    ("conf full of zeros", |folder| fs::write(folder.join("conf"), [0; 60]).expect("written")),
    ("snapshots full of rubbish", |folder| {
        for snapshot in snapshots(folder) {
            fs::write(snapshot, [0x5a; 100]).expect("written");
        }
        fs::write(folder.join("snap.00000000000FFFFF"), [0x5a; 100]).expect("written");
    }),
    ("everything empty", |folder| {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_file() {
                cut(&entry, 0);
            }
        }
    }),
    ("an empty folder", |folder| {
        fs::remove_dir_all(folder).expect("removed");
        fs::create_dir(folder).expect("created");
    }),
    ("a file in its place", |folder| {
        fs::remove_dir_all(folder).expect("removed");
        fs::write(folder, "?").expect("written");
    }),
];

fn cut(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(length)).expect("cut");
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("opened");
    let mut bytes = [0; 24];
    file.read_exact_at(&mut bytes, at).expect("read");
    file.write_all_at(&bytes.map(|byte| !byte), at).expect("written");
}

fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.to_string_lossy().contains("snap.")).collect()
}

#[test]
fn hurt_ones_are_set_aside_and_rebuilt() {
    for (name, hurt) in HURTS {
        let home = Home::new();
        let run = home.run_with_checkpoints(1);
        let Checkpoints::Good { seq } = checkpoints(&home, &run) else { panic!("bad checkpoints") };
        hurt(&folder(&home, &run));
        let damage_found = matches!(checkpoints(&home, &run), Checkpoints::Bad { .. });
        let notes = state_is_right(&home, &run);
        // sled mends some damage by itself: then there is nothing to say.
        assert_eq!(notes.len(), usize::from(damage_found), "{name}: {notes:?}");
        assert_eq!(set_aside(&home, &run), usize::from(damage_found), "{name}");
        assert!(
            notes.iter().all(|note| note.starts_with("the checkpoints were set aside")),
            "{name}: {notes:?}"
        );
        // Some makes it forget the newest writes, at every opening anew: then they stay behind, which is harmless.
        let Checkpoints::Good { seq: mended } = checkpoints(&home, &run) else {
            panic!("{name}: not mended")
        };
        assert!(mended == seq || !damage_found, "{name}");
        assert_eq!(state_is_right(&home, &run), Vec::<String>::new(), "{name}");
    }
}

/// sled refuses some of these, and forgives others by forgetting what it wrote last.
#[test]
fn hurt_ones_of_a_killed_driver_are_set_aside_and_rebuilt() {
    let mut bad = 0;
    for stride in [200, 700, 3_000, 9_000, 30_000] {
        let home = Home::new();
        let run = driver::the_run();
        let said = driver::run_and_kill(driver::command(&[], home.0.path(), u64::MAX), 400);
        let db = folder(&home, &run).join("db");
        let length = fs::read(&db).expect("a file").len();
        (stride..length - 24).step_by(stride).for_each(|at| flip(&db, at as u64));
        let damage_found = matches!(checkpoints(&home, &run), Checkpoints::Bad { .. });
        bad += u32::from(damage_found);
        let notes = driver::check(home.0.path(), said.acked).expect("a run");
        let about_checkpoints =
            notes.iter().filter(|note| note.contains("set aside and are rebuilt")).count();
        assert_eq!(about_checkpoints, usize::from(damage_found), "{stride}: {notes:?}");
        assert!(matches!(checkpoints(&home, &run), Checkpoints::Good { .. }), "{stride}: not mended");
    }
    assert!(bad > 0, "no damage was found");
}

#[test]
fn a_snapshot_that_was_never_finished_is_removed() {
    let home = Home::new();
    let run = home.run_with_checkpoints(1);
    let half = folder(&home, &run).join("snap.00000000000FFFFF.generating");
    fs::File::create(&half).and_then(|mut file| file.write_all(&[0; 40])).expect("written");
    assert_eq!(state_is_right(&home, &run), Vec::<String>::new());
    assert!(!half.exists());
}

#[test]
fn unfinished_ones_are_removed() {
    let home = Home::new();
    let run = home.run_of(1, 3);
    let unfinished = home.folder(&run).join("checkpoints.tmp-4711");
    fs::create_dir(&unfinished).expect("created");
    fs::write(unfinished.join("conf"), "half").expect("written");
    assert_eq!(state_is_right(&home, &run), Vec::<String>::new());
    assert!(!unfinished.exists());
}

#[test]
fn those_of_another_run_are_refused() {
    let home = Home::new();
    let (run, other) = (home.run_with_checkpoints(1), home.run_with_checkpoints(2));
    fs::remove_dir_all(folder(&home, &run)).expect("removed");
    fs::rename(folder(&home, &other), folder(&home, &run)).expect("moved");
    let notes = state_is_right(&home, &run);
    assert!(notes.iter().any(|note| note.contains("made from another record")), "{notes:?}");
}

#[test]
fn those_of_another_past_are_refused() {
    let home = Home::new();
    let run = home.run_with_checkpoints(1);
    let mut text = lines(&home.journal(&run));
    let at = text
        .iter()
        .position(|line| line.contains(r#""at":"2027-01-15T08:00:03Z""#))
        .expect("a fourth record");
    text[at] = text[at].replace("08:00:03Z", "08:00:03.5Z");
    chain(&mut text);
    write_lines(&home.journal(&run), &text);
    let notes = state_is_right(&home, &run);
    assert!(notes.iter().any(|note| note.contains("made from another record")), "{notes:?}");
}

#[test]
fn a_journal_that_lost_its_end_is_damaged() {
    let home = Home::new();
    let run = home.run_with_checkpoints(1);
    let text = lines(&home.journal(&run));
    let (last, rest) = text.split_last().expect("records");
    write_lines(&home.journal(&run), rest);
    assert!(!last.is_empty());
    let refused = |knows: &str| {
        let claim =
            home.store().claim(&run, &samples::driver(2)).expect_err("its end is missing").to_string();
        let verify = home.store().verify(&run).expect_err("its end is missing").to_string();
        assert_eq!(claim, verify);
        assert!(claim.contains(&format!("is damaged at record {}: it is missing: ", text.len())), "{claim}");
        assert!(claim.contains(knows), "{claim}");
    };
    refused("the header says that the run was finished");
    fs::remove_file(home.folder(&run).join("header.json")).expect("removed");
    refused("the checkpoints know record");
    assert_eq!(lines(&home.journal(&run)), rest, "nothing is cut");
}
