use super::*;
use crate::look::{Role, Sessions, Standby, Upstream};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn address(host: &str) -> Address {
    Address { host: host.to_owned(), port: 5432 }
}

fn server(host: &str, timeline: u32, role: Role) -> Server {
    Server {
        address: address(host),
        looked_at: at(100),
        version: "15".to_owned(),
        system_identifier: "7".to_owned(),
        read_only: false,
        timeline,
        role,
    }
}

fn primary(host: &str, timeline: u32) -> Server {
    let sessions = Some(Sessions { open: 0, older: 0 });
    let lsn = Lsn::from_u64(1);
    let primary = crate::look::Primary { lsn, standby_lag: None, commits_hang: None, sessions };
    server(host, timeline, Role::Primary(primary))
}

fn candidate() -> Server {
    let lsn = Lsn::from_u64(1);
    let standby = Standby {
        received: lsn,
        replayed: lsn,
        paused: false,
        last_commit: Some(at(100)),
        upstream: Upstream::Nobody,
    };
    server("db-b", 1, Role::Standby(standby))
}

/// A survey of an old primary that every look found refused.
fn gone(witness: Witness, paths: Vec<Path>) -> Survey {
    let looks = vec![(at(99), Unreached::Refused); 2];
    survey(Primary::Gone { absence: Absence { since: at(99), looks }, since: at(99), witness }, paths)
}

fn survey(primary: Primary, paths: Vec<Path>) -> Survey {
    Survey {
        candidate: candidate(),
        held: Lsn::from_u64(1),
        primary,
        primary_address: address("db-a"),
        paths,
        taken_at: at(100),
    }
}

fn hears_nothing() -> Witness {
    Witness::HearsNothing("db-b hears nothing".to_owned())
}

fn hears() -> Witness {
    Witness::Hears("db-b:5432 still receives from db-a:5432".to_owned())
}

fn closed() -> Path {
    Path::Nowhere(address("front"), Unreached::Refused)
}

fn leads_to(server: Server) -> Path {
    Path::Primary(Box::new(server))
}

#[test]
fn a_primary_that_nobody_hears_is_stopped() {
    assert_eq!(gone(hears_nothing(), vec![closed()]).proof(), Some(Proof::Stopped));
}

#[test]
fn what_the_candidate_hears_takes_every_proof_away() {
    let survey = gone(hears(), vec![closed()]);
    assert_eq!((survey.proof(), survey.attainable()), (None, None));
    let why = survey.too_weak(Proof::Unreachable);
    assert!(why.contains("db-b:5432 still receives from db-a:5432; from here it is refused"), "{why}");
}

#[test]
fn a_path_to_a_primary_takes_every_proof_away() {
    let survey = gone(hears_nothing(), vec![closed(), leads_to(primary("front", 1))]);
    assert_eq!((survey.proof(), survey.attainable()), (None, None));
    let why = survey.too_weak(Proof::Isolated);
    assert!(why.contains("path front:5432 leads to a primary, accepting writes"), "{why}");
}

#[test]
fn a_writable_end_of_a_path_is_not_the_primary_that_was_made_read_only() {
    let read_only = || Primary::Answers(Box::new(Server { read_only: true, ..primary("db-a", 1) }));
    assert_eq!(survey(read_only(), vec![closed()]).proof(), Some(Proof::Isolated));
    let same = leads_to(Server { read_only: true, ..primary("front", 1) });
    assert_eq!(survey(read_only(), vec![same]).proof(), Some(Proof::ReadOnly));
    let other = survey(read_only(), vec![leads_to(primary("front", 1))]);
    assert_eq!((other.proof(), other.attainable()), (None, None));
}

#[test]
fn a_primary_that_is_not_read_only_yet_can_be_made_so_while_a_path_leads_to_it() {
    let survey = survey(Primary::Answers(Box::new(primary("db-a", 1))), vec![leads_to(primary("front", 1))]);
    assert_eq!((survey.proof(), survey.attainable()), (None, Some(Proof::ReadOnly)));
}

#[test]
fn a_path_to_another_cluster_or_to_a_new_primary_is_a_mismatch() {
    let mismatch = |server| gone(hears_nothing(), vec![leads_to(server)]).mismatch();
    assert_eq!(mismatch(primary("front", 1)), None);
    let other = Server { system_identifier: "8".to_owned(), ..primary("front", 1) };
    assert!(mismatch(other).unwrap().contains("another database cluster"));
    assert!(mismatch(primary("front", 2)).unwrap().contains("another server has taken over"));
}
