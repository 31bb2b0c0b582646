//! One driver a run, whatever happens to the lock file; a copied run is free.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lifeboat_engine::store::{Store, StoreError};
use lifeboat_testkit::samples;
use lifeboat_testkit::store_suite::append;

use crate::home::Home;

#[test]
fn a_removed_lock_file_lets_no_second_driver_in() {
    let home = Home::new();
    let run = home.run_of(1, 2);
    let claim = home.claim(&run);
    fs::remove_file(home.folder(&run).join("lock")).expect("removed");
    let second = home.store().claim(&run, &samples::driver(3));
    assert!(matches!(second, Err(StoreError::Locked { .. })), "{second:?}");
    drop(claim);
}

#[test]
fn what_a_dead_driver_left_in_the_lock_file_does_not_hold_the_run() {
    let home = Home::new();
    let run = home.run_of(1, 2);
    assert!(fs::read_to_string(home.folder(&run).join("lock")).expect("a lock file").contains("test-host"));
    for content in ["", "{", "\0\0\0\0"] {
        fs::write(home.folder(&run).join("lock"), content).expect("written");
        assert_eq!(home.store().load(&run).expect("loaded").holder, None);
        drop(home.claim(&run));
    }
}

#[test]
fn readers_never_keep_a_driver_out() {
    let home = Home::new();
    let run = home.run_of(1, 2);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    home.store().list().expect("listed");
                }
            });
        }
        for _ in 0..50 {
            drop(home.claim(&run));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_copied_run_goes_on_elsewhere() {
    let (here, there) = (Home::new(), Home::new());
    let run = here.run_with_checkpoints(1);
    let claim = here.claim(&run);
    copy(&here.folder(&run), &there.folder(&run));
    let mut copied = there.claim(&run);
    assert_eq!(samples::description(&copied.state), samples::description(&claim.state));
    append(&mut copied, vec![samples::note(99, "there")]);
    assert!(
        there.journal(&run).metadata().expect("a journal").len()
            > here.journal(&run).metadata().expect("one").len()
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}
