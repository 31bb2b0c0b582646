//! The scene's own tests: what other tests build on must be able to fail when it should.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lifeboat_tests::ledger::Answer;
use lifeboat_tests::process::Process;
use lifeboat_tests::scene::{Node, Options, PostgresScene, Role};
use lifeboat_tests::wait::{poll, wait_until};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_fresh_scene_has_one_primary_and_takes_writes() {
    let scene = PostgresScene::start();
    assert_eq!(scene.primaries(), [Node::A]);
    assert_eq!(scene.role(Node::B), Role::Standby);
    assert_eq!((scene.timeline(Node::A), scene.promotions(Node::B)), (1, 0));
    assert_eq!(scene.haproxy().server_state(Node::B).as_deref(), Some("MAINT"));
    scene.wait_until("ten rows are acknowledged", SOON, || scene.ledger().acked().len() >= 10);
    assert!(scene.lost_rows(Node::A).is_empty());
    scene.quiesce();
    assert!(scene.lost_rows(Node::B).is_empty());
    assert!(scene.received(Node::B) >= scene.replayed(Node::B));
}

#[test]
fn a_failover_by_hand_brings_writes_back_on_a_new_timeline() {
    let scene = PostgresScene::start();
    scene.kill(Node::A);
    assert_eq!(scene.role(Node::A), Role::Down);
    // At 50 a second, ten rows that were not acknowledged are an outage of well over 100 ms.
    let refused = || scene.ledger().entries().len() - scene.ledger().acked().len();
    let before = refused();
    scene.wait_until("clients notice", SOON, || refused() >= before + 10);
    promote_b(&scene);
    scene.wait_until("clients write again", SOON, || scene.writes_work());
    assert_eq!(scene.primaries(), [Node::B]);
    assert_eq!((scene.timeline(Node::B), scene.promotions(Node::B)), (2, 1));
    assert!(scene.ledger().longest_gap() > Duration::from_millis(100), "the outage is in the ledger");
}

#[test]
fn rows_that_never_left_the_primary_are_counted_as_lost() {
    let scene = PostgresScene::start();
    scene.stop_sender(Node::A);
    let before = scene.ledger().acked().len();
    scene.wait_until("rows pile up on a", SOON, || scene.ledger().acked().len() >= before + 20);
    scene.kill(Node::A);
    promote_b(&scene);
    scene.wait_until("clients write again", SOON, || scene.writes_work());
    let lost = scene.lost_rows(Node::B);
    assert!(lost.len() >= 10, "20 rows were acknowledged behind a stopped sender, {} are lost", lost.len());
}

#[test]
fn a_synchronous_scene_acknowledges_nothing_that_could_be_lost() {
    let scene = PostgresScene::start_with(Options { synchronous: true, ..Options::default() });
    scene.stop_sender(Node::A);
    scene.wait_until("commits hang", SOON, || {
        scene.ledger().last().is_some_and(|entry| entry.answer == Answer::Unknown)
    });
    scene.kill(Node::A);
    promote_b(&scene);
    assert!(scene.lost_rows(Node::B).is_empty());
}

#[test]
fn a_frozen_primary_answers_nothing_and_goes_on_when_thawed() {
    let scene = PostgresScene::start();
    scene.freeze(Node::A);
    assert_eq!(scene.role(Node::A), Role::Frozen);
    scene.wait_until("clients notice", SOON, || !scene.writes_work());
    scene.thaw(Node::A);
    scene.wait_until("clients write again", SOON, || scene.writes_work());
    assert_eq!(scene.role(Node::A), Role::Primary);
}

#[test]
fn a_paused_standby_receives_and_does_not_replay() {
    let scene = PostgresScene::start();
    scene.pause_replay(Node::B);
    scene.wait_until("the standby is behind itself", SOON, || {
        scene.received(Node::B) > scene.replayed(Node::B)
    });
    scene.resume_replay(Node::B);
    scene.quiesce();
    assert!(scene.lost_rows(Node::B).is_empty());
}

#[test]
fn an_old_primary_that_comes_back_is_a_second_primary() {
    let scene = PostgresScene::start();
    scene.kill(Node::A);
    promote_b(&scene);
    scene.restart(Node::A);
    assert_eq!(scene.primaries(), [Node::A, Node::B]);
    assert_eq!((scene.timeline(Node::A), scene.timeline(Node::B)), (1, 2));
}

#[test]
fn haproxy_forgets_runtime_changes_when_it_dies() {
    let scene = PostgresScene::start();
    scene.haproxy().change("set server pg/b state ready");
    scene.kill_haproxy();
    assert_eq!(scene.haproxy().server_state(Node::B), None);
    scene.start_haproxy();
    assert_eq!(scene.haproxy().server_state(Node::B).as_deref(), Some("MAINT"));
}

#[test]
fn the_fingerprint_stands_still_when_nobody_writes_and_moves_when_somebody_does() {
    let scene = PostgresScene::start();
    scene.quiesce();
    let before = scene.fingerprint();
    // What servers write by themselves, and what readers cause, is no change.
    scene.sql(Node::A, "checkpoint");
    scene.sql(Node::A, "select count(*) from pg_stat_activity, pg_class, pg_proc");
    assert_eq!(scene.fingerprint(), before);

    scene.sql(Node::A, "insert into orders(n) values (1000000)");
    let after = scene.fingerprint();
    assert!(after.nodes["a"].last_change > before.nodes["a"].last_change);
    assert_ne!(after.nodes["a"].rows, before.nodes["a"].rows);

    scene.haproxy().change("set server pg/a state drain");
    assert_ne!(scene.fingerprint().nodes["a"].haproxy, after.nodes["a"].haproxy);
}

#[test]
fn the_fingerprint_of_a_broken_scene_stands_still_too() {
    let scene = PostgresScene::start();
    scene.kill(Node::A);
    scene.stop_writer();
    scene.wait_until("HAProxy notices", SOON, || {
        scene.haproxy().server_state(Node::A).is_some_and(|state| state == "DOWN")
    });
    let before = scene.fingerprint();
    assert_eq!(before.nodes["a"].role, Role::Down);
    assert!(before.nodes["a"].last_change.is_some(), "a dead node's log can be read");
    assert_eq!(scene.fingerprint(), before);
    promote_b(&scene);
    assert_ne!(scene.fingerprint(), before);
}

#[test]
fn dropping_a_scene_leaves_nothing_behind_not_even_frozen_servers() {
    let scene = PostgresScene::start();
    scene.stop_sender(Node::A);
    scene.freeze(Node::B);
    let (folder, servers) = (scene.folder().to_path_buf(), servers_of(scene.folder()));
    assert_eq!(servers.len(), 2);
    drop(scene);
    assert!(servers.iter().all(|server| !server.is_alive()));
    assert!(!folder.exists());
}

#[test]
fn a_scene_whose_test_is_killed_goes_away_by_itself() {
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "postgres_scene::a_scene_that_waits_to_be_killed", "--nocapture"])
        .env(WAITS_IN, std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(test.stdout.take().unwrap());
    let folder = std::iter::from_fn(|| line_of(&mut said))
        .find_map(|line| Some(line.split_once(SCENE_IN)?.1.trim().to_owned()))
        .expect("the other test says where its scene is");
    let servers = servers_of(Path::new(&folder));
    assert_eq!(servers.len(), 2);
    test.kill().unwrap();
    test.wait().unwrap();
    wait_until(
        "the orphaned scene goes",
        SOON,
        || folder.clone(),
        || servers.iter().all(|server| !server.is_alive()) && !Path::new(&folder).exists(),
    );
}

/// The other half of the test above. On its own, it only brings a scene up and down.
#[test]
fn a_scene_that_waits_to_be_killed() {
    let scene = PostgresScene::start();
    scene.stop_sender(Node::A);
    assert_eq!(scene.primaries(), [Node::A]);
    if std::env::var_os(WAITS_IN).is_some() {
        use std::io::Write as _;
        writeln!(std::io::stdout(), "{SCENE_IN}{}", scene.folder().display()).unwrap();
        line_of(&mut std::io::stdin().lock());
    }
}

const WAITS_IN: &str = "LIFEBOAT_SCENE_WAITS";
const SCENE_IN: &str = "scene in ";

fn line_of(from: &mut impl std::io::BufRead) -> Option<String> {
    let mut line = String::new();
    (from.read_line(&mut line).unwrap() > 0).then_some(line)
}

/// The database servers of a scene, as their lock files name them.
fn servers_of(folder: &Path) -> Vec<Process> {
    let pid = |node: Node| {
        let file = folder.join(node.name()).join("postmaster.pid");
        std::fs::read_to_string(file).unwrap().lines().next().unwrap().parse().unwrap()
    };
    Node::ALL.into_iter().filter_map(|node| Process::find(pid(node))).collect()
}

/// A failover as a person would do it who has checked everything else.
fn promote_b(scene: &PostgresScene) {
    scene.haproxy().change("set server pg/a state maint");
    assert_eq!(scene.sql(Node::B, "select pg_promote(true, 30)"), "t");
    if !scene.sql(Node::B, "show synchronous_standby_names").is_empty() {
        scene.sql(Node::B, "alter system reset synchronous_standby_names");
        scene.sql(Node::B, "select pg_reload_conf()");
    }
    scene.haproxy().change("set server pg/b state ready");
    scene.haproxy().change("set server pg/b health up");
    assert!(poll(SOON, || scene.role(Node::B) == Role::Primary).is_some());
}
