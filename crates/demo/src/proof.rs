//! What the tour claims, and whether it is so: the journal on one side, the service's own records on the other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::customer::Ledger;
use crate::history::{History, Line};

/// Everything the proofs look at.
#[derive(Debug)]
pub(crate) struct Evidence<'e> {
    /// Whether the service was the same after the rehearsal as before.
    pub(crate) rehearsed: bool,
    /// The journal as the killed driver left it.
    pub(crate) before: &'e History,
    /// The journal at the end.
    pub(crate) after: &'e History,
    /// How the resumed driver ended.
    pub(crate) exit_code: Option<i32>,
    /// What `lifeboat journal --verify` answered.
    pub(crate) verified: Option<i32>,
    /// West's audit log.
    pub(crate) west: &'e [String],
    /// The front's audit log.
    pub(crate) front: &'e [String],
    /// What the script of `rebuild-index` wrote about itself.
    pub(crate) index: &'e [String],
    /// The rows that west holds.
    pub(crate) rows: &'e BTreeSet<u64>,
    /// What the customer knows.
    pub(crate) customer: &'e Ledger,
}

/// A claim and whether it holds.
#[derive(Debug)]
pub(crate) struct Proof {
    pub(crate) holds: bool,
    pub(crate) claim: String,
}

/// All proofs, in the order in which they are shown.
pub(crate) fn proofs(evidence: &Evidence<'_>) -> Vec<Proof> {
    vec![
        dry_run(evidence),
        one_run(evidence),
        nothing_repeated(evidence),
        one_promotion(evidence),
        looked_at(evidence),
        adopted(evidence),
        writes_work(evidence),
        losses_are_known(evidence),
        journal_holds(evidence),
    ]
}

fn dry_run(Evidence { rehearsed, .. }: &Evidence<'_>) -> Proof {
    let claim = "The rehearsal left every row, role, log and fence as it was.".to_owned();
    Proof { holds: *rehearsed, claim }
}

fn one_run(Evidence { before, after, exit_code, .. }: &Evidence<'_>) -> Proof {
    let drivers: Vec<_> = after.lines.iter().filter_map(Line::driver).collect();
    let holds = !after.run().is_empty()
        && before.run() == after.run()
        && drivers.len() == 2
        && *exit_code == Some(0)
        && after.of("run_finished").any(|line| line.data["verdict"] == "succeeded");
    let claim = format!("One run, {}, driven by {} processes.", after.run(), drivers.len());
    Proof { holds, claim }
}

/// A step may be tried again after an attempt that failed; never while its attempt is in doubt, never after its end.
fn nothing_repeated(Evidence { after, .. }: &Evidence<'_>) -> Proof {
    let starts = after.starts();
    let failures = after.of("attempt_failed").count();
    let all: usize = starts.values().sum();
    let ended: BTreeSet<_> = starts.keys().filter_map(|step| after.end(step)).map(|line| line.seq).collect();
    let late =
        after.of("step_started").filter(|line| after.end(line.step()).is_none_or(|end| end.seq < line.seq));
    let holds = !starts.is_empty()
        && ended.len() == starts.len()
        && all == starts.len() + failures
        && late.count() == 0;
    let retries = match failures {
        0 => String::new(),
        1 => " and 1 retry".to_owned(),
        _ => format!(" and {failures} retries"),
    };
    let claim = format!(
        "{} steps, {} starts{retries}: nothing was started again after its end.",
        starts.len(),
        all - failures.min(all)
    );
    Proof { holds, claim }
}

fn one_promotion(Evidence { west, front, .. }: &Evidence<'_>) -> Proof {
    let count = |lines: &[String], what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
    let asked = count(west, "promotion asked for");
    let holds = asked == 1
        && west.iter().filter(|line| line.ends_with(" began")).count() == 1
        && west.iter().filter(|line| line.ends_with(" done")).count() == 1
        && count(front, "fenced") == 1
        && count(front, "routed") == 1
        && count(front, "told") == 1;
    let claim = match asked {
        1 => "West was asked to promote once, and did so once: its own audit log says it.".to_owned(),
        _ => format!("West was asked {asked} times for a promotion: its own audit log says so."),
    };
    Proof { holds, claim }
}

fn looked_at(Evidence { before, after, .. }: &Evidence<'_>) -> Proof {
    let doubt = after.doubt("take-over/promote");
    let holds = before.in_flight().contains(&"take-over/promote")
        && doubt.is_some_and(|line| {
            line.data["rule"] == "observed" && line.data["resolution"].get("done").is_some()
        });
    let evidence = doubt.and_then(|line| line.data["evidence"].as_str()).unwrap_or("nothing was recorded");
    let claim = format!("`promote` was in doubt and was looked at instead of repeated: {evidence}");
    Proof { holds, claim }
}

fn adopted(Evidence { before, after, index, .. }: &Evidence<'_>) -> Proof {
    let processes: BTreeSet<_> = index.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    let shards: BTreeSet<_> = index.iter().collect();
    let recovered =
        after.doubt("take-over/rebuild-index").is_some_and(|line| line.data["rule"] == "recovered");
    let holds = before.in_flight().contains(&"take-over/rebuild-index")
        && recovered
        && processes.len() == 1
        && index.len() == crate::service::SHARDS
        && shards.len() == index.len();
    let process = processes.into_iter().collect::<Vec<_>>().join(" and ");
    let claim = format!(
        "`rebuild-index` outlived its driver and was waited for: {} shards, each built once, all by process {process}.",
        shards.len()
    );
    Proof { holds, claim }
}

fn writes_work(Evidence { customer, .. }: &Evidence<'_>) -> Proof {
    let claim = format!(
        "Customers write again: {} rows acknowledged, the newest by {}; they waited {:.1} s.",
        customer.acked,
        customer.by,
        customer.longest_wait.as_secs_f64()
    );
    Proof { holds: customer.by == "west", claim }
}

/// Asynchronous replication loses what it had not copied. Not more than that, and not silently.
fn losses_are_known(Evidence { after, rows, customer, .. }: &Evidence<'_>) -> Proof {
    let lost = (1..=customer.acked).filter(|row| !rows.contains(row)).count() as u64;
    let foretold = after.output("west-is-ready", "/json/behind").and_then(Value::as_u64);
    let claim = match lost {
        0 => "No acknowledged row is lost: west had them all, as `west-is-ready` recorded.".to_owned(),
        _ => format!(
            "{lost} acknowledged {} died with east: exactly what west was behind, \
             as `west-is-ready` recorded before anything was changed.",
            if lost == 1 { "row" } else { "rows" }
        ),
    };
    Proof { holds: foretold == Some(lost), claim }
}

fn journal_holds(Evidence { after, verified, .. }: &Evidence<'_>) -> Proof {
    let claim = format!(
        "The journal's {} records are an unbroken chain (lifeboat journal --verify).",
        after.lines.len()
    );
    let in_order = after.lines.iter().zip(1..).all(|(line, number)| line.seq == number);
    Proof { holds: *verified == Some(0) && in_order, claim }
}
