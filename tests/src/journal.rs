//! A run's journal as an auditor reads it, from what `lifeboat journal` prints: none of the product's own code is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

/// The records of one run, in order.
#[derive(Debug, Clone)]
pub struct Journal {
    records: Vec<Value>,
}

impl Journal {
    /// The records of which each line is one.
    ///
    /// # Panics
    /// When a line is no JSON.
    pub fn of(text: &str) -> Self {
        let record = |line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        Self { records: text.lines().map(record).collect() }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records of a type.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.records.iter().filter(move |record| record["type"] == kind).map(|record| &record["data"])
    }

    /// The records of a type about one step, named by its path or by its id alone.
    pub fn about<'a>(&'a self, kind: &str, step: &'a str) -> impl Iterator<Item = &'a Value> {
        let is_it = move |path: &str| path == step || path.rsplit('/').next() == Some(step);
        self.all(kind).filter(move |data| data["step"].as_str().is_some_and(is_it))
    }

    /// The end of a step that succeeded or was in place already, or was found so after a crash: its `evidence`, `outputs`,
    /// `warnings`.
    pub fn outcome<'a>(&'a self, step: &'a str) -> Option<&'a Value> {
        let ended = self.about("step_finished", step).last().map(|data| &data["end"]);
        let end = ended.and_then(|end| end.get("succeeded").or_else(|| end.get("in_place")));
        let doubted = self.about("doubt_resolved", step).last();
        end.or_else(|| doubted.and_then(|data| data["resolution"].get("done")))
    }

    /// The message of a step's failure.
    pub fn failure<'a>(&'a self, step: &'a str) -> Option<&'a str> {
        self.about("step_finished", step).find_map(|data| data["end"]["failed"]["message"].as_str())
    }

    /// How the run ended.
    pub fn verdict(&self) -> Option<&str> {
        self.all("run_finished").last()?["verdict"].as_str()
    }

    /// The time from the first record to the last.
    ///
    /// # Panics
    /// When there is no record, or one has no time.
    pub fn took(&self) -> Duration {
        let at = |record: Option<&Value>| record.and_then(|record| record["at"].as_str()?.parse().ok());
        let at = |record| at(record).expect("a record has a time");
        let (first, last): (Timestamp, Timestamp) = (at(self.records.first()), at(self.records.last()));
        last.duration_since(first).unsigned_abs()
    }

    /// Everything in which the records break a promise of a run that is over: a step begun again after its end, or
    /// without a reason; a doubt that was not resolved, or without saying by which rule and on what evidence; numbers
    /// with gaps.
    pub fn breaches(&self) -> Vec<String> {
        let mut audit = Audit::default();
        for (place, record) in self.records.iter().enumerate() {
            audit.number(place, record);
            audit.step(record["type"].as_str().unwrap_or_default(), &record["data"]);
        }
        audit.end()
    }
}

#[derive(Debug, Default)]
struct Audit {
    over: BTreeSet<String>,
    running: BTreeSet<String>,
    doubts: BTreeMap<String, u64>,
    breaches: Vec<String>,
}

impl Audit {
    fn number(&mut self, place: usize, record: &Value) {
        if record["seq"] != place as u64 + 1 {
            self.breaches.push(format!("record {} stands in place {}", record["seq"], place + 1));
        }
    }

    fn step(&mut self, kind: &str, data: &Value) {
        let Some(step) = data["step"].as_str().map(str::to_owned) else { return };
        match kind {
            "step_started" => {
                if self.over.contains(&step) {
                    self.breaches.push(format!("{step} was over and began again"));
                }
                if !self.running.insert(step.clone()) {
                    self.breaches
                        .push(format!("{step} began twice, and nobody knew how the first try ended"));
                }
            }
            "attempt_failed" => drop(self.running.remove(&step)),
            "step_finished" => self.finished(&step),
            "step_in_doubt" => *self.doubts.entry(step).or_default() += 1,
            "doubt_resolved" => self.resolved(&step, data),
            "operator_decided" => self.decided(&step, &data["decision"]),
            _ => {}
        }
    }

    fn finished(&mut self, step: &str) {
        self.running.remove(step);
        if !self.over.insert(step.to_owned()) {
            self.breaches.push(format!("{step} came to its end twice"));
        }
    }

    fn resolved(&mut self, step: &str, data: &Value) {
        let said = |key: &str| data[key].as_str().is_some_and(|text| !text.is_empty());
        if !said("rule") || !said("evidence") {
            self.breaches.push(format!("{step}: a doubt was resolved by no rule, or on no evidence: {data}"));
        }
        if self.doubts.remove(step).is_none() {
            self.breaches.push(format!("{step} was in no doubt"));
        }
        match &data["resolution"] {
            Value::String(word) if word == "rerun" => drop(self.running.remove(step)),
            Value::Object(end) if end.contains_key("done") || end.contains_key("failed") => {
                self.finished(step);
            }
            // It is a person's to settle; until then it stays.
            _ => drop(self.doubts.insert(step.to_owned(), 1)),
        }
    }

    fn decided(&mut self, step: &str, decision: &Value) {
        self.doubts.remove(step);
        self.running.remove(step);
        match decision {
            Value::String(word) if word == "retry" => drop(self.over.remove(step)),
            _ => drop(self.over.insert(step.to_owned())),
        }
    }

    fn end(mut self) -> Vec<String> {
        let open = self.doubts.into_keys().map(|step| format!("{step} stayed in doubt"));
        self.breaches.extend(open);
        self.breaches
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn breaches(records: &[(&str, Value)]) -> Vec<String> {
        let record = |(place, (kind, data)): (usize, &(&str, Value))| {
            json!({"seq": place + 1, "type": kind, "data": data}).to_string() + "\n"
        };
        Journal::of(&records.iter().enumerate().map(record).collect::<String>()).breaches()
    }

    fn about(step: &str) -> Value {
        json!({ "step": step })
    }

    fn ask() -> Value {
        json!({"step": "a", "rule": "on_unknown", "evidence": "cannot tell", "resolution": "ask"})
    }

    fn decided(decision: &Value) -> Value {
        json!({"step": "a", "decision": decision})
    }

    fn resolved(evidence: &str) -> Value {
        json!({"step": "a", "rule": "observed", "evidence": evidence, "resolution": "rerun"})
    }

    #[test]
    fn a_run_that_keeps_its_promises_breaches_none() {
        let good = [
            ("step_started", about("a")),
            ("step_in_doubt", about("a")),
            ("doubt_resolved", resolved("not in place")),
            ("step_started", about("a")),
            ("attempt_failed", about("a")),
            ("step_started", about("a")),
            ("step_finished", about("a")),
        ];
        assert_eq!(breaches(&good), [""; 0]);
        let asked = [("step_started", about("a")), ("step_in_doubt", about("a")), ("doubt_resolved", ask())];
        let again = [("operator_decided", decided(&json!("retry"))), ("step_started", about("a"))];
        let done = [("operator_decided", decided(&json!({"mark_done": {}})))];
        assert_eq!(breaches(&[&asked[..], &again, &asked[1..], &done].concat()), [""; 0]);
    }

    #[test]
    fn every_kind_of_breach_is_found() {
        let (start, end) = (("step_started", about("a")), ("step_finished", about("a")));
        let doubt = ("step_in_doubt", about("a"));
        let found = |records: &[(&str, Value)], words: &str| {
            let breaches = breaches(records);
            assert!(breaches.iter().any(|breach| breach.contains(words)), "{breaches:?}");
        };
        found(&[start.clone(), end.clone(), start.clone()], "was over and began again");
        found(&[start.clone(), start.clone()], "began twice");
        found(&[start.clone(), end.clone(), end], "came to its end twice");
        found(&[start.clone(), doubt.clone()], "stayed in doubt");
        let asked = ("doubt_resolved", ask());
        found(&[start.clone(), doubt.clone(), asked.clone()], "stayed in doubt");
        found(&[start.clone(), doubt.clone(), asked, start.clone()], "began twice");
        let skipped = ("operator_decided", decided(&json!("skip")));
        found(&[start.clone(), doubt.clone(), skipped, start.clone()], "was over and began again");
        found(&[start, doubt, ("doubt_resolved", resolved(""))], "on no evidence");
    }
}
