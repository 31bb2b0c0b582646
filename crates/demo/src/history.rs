//! A run's journal, as `lifeboat journal` prints it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::trouble::Trouble;

/// One record: its number, when, and what.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) kind: String,
    /// What the record says.
    pub(crate) data: Value,
}

/// All records of a run, in order.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) lines: Vec<Line>,
}

impl History {
    /// Reads JSON lines.
    pub(crate) fn read(text: &str) -> Result<Self, Trouble> {
        let lines = text.lines().map(|line| {
            Line::read(line).ok_or_else(|| Trouble::failed(format!("this is not a record: {line}")))
        });
        Ok(Self { lines: lines.collect::<Result<_, _>>()? })
    }

    /// The run's id.
    pub(crate) fn run(&self) -> &str {
        self.lines.first().and_then(|line| line.data["run"].as_str()).unwrap_or_default()
    }

    /// How often each step was started.
    pub(crate) fn starts(&self) -> BTreeMap<&str, usize> {
        let mut starts = BTreeMap::new();
        for line in self.of("step_started") {
            *starts.entry(line.step()).or_default() += 1;
        }
        starts
    }

    /// The steps that had started and not ended.
    pub(crate) fn in_flight(&self) -> Vec<&str> {
        let over = |step: &str| self.of("step_finished").any(|line| line.step() == step);
        self.starts().into_keys().filter(|step| !over(step)).collect()
    }

    /// The records of one kind.
    pub(crate) fn of<'h>(&'h self, kind: &'h str) -> impl Iterator<Item = &'h Line> {
        self.lines.iter().filter(move |line| line.kind == kind)
    }

    /// The record that settled the doubt about a step.
    pub(crate) fn doubt(&self, step: &str) -> Option<&Line> {
        self.of("doubt_resolved").find(|line| line.step() == step)
    }

    /// The record with which a step was over: its own end, or that of the doubt about it.
    pub(crate) fn end(&self, step: &str) -> Option<&Line> {
        let of_doubt = |line: &&Line| line.step() == step && line.data["resolution"].get("done").is_some();
        let own = self.of("step_finished").find(|line| line.step() == step);
        own.or_else(|| self.of("doubt_resolved").find(of_doubt))
    }

    /// An output of a step that has ended.
    pub(crate) fn output(&self, step: &str, pointer: &str) -> Option<&Value> {
        let end = self.of("step_finished").find(|line| line.step() == step)?;
        let ends = ["succeeded", "in_place"];
        let outcome = ends.iter().find_map(|end_kind| end.data["end"].get(end_kind))?;
        outcome["outputs"].pointer(pointer)
    }
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let mut json: Value = serde_json::from_str(line).ok()?;
        Some(Self {
            seq: json["seq"].as_u64()?,
            at: json["at"].as_str()?.parse().ok()?,
            kind: json["type"].as_str()?.to_owned(),
            data: json["data"].take(),
        })
    }

    /// The step it is about; empty where it is about the run.
    pub(crate) fn step(&self) -> &str {
        self.data["step"].as_str().unwrap_or_default()
    }

    /// The process that drives from here on.
    pub(crate) fn driver(&self) -> Option<u64> {
        self.data["driver"]["pid"].as_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_started_and_did_not_end_is_in_flight() {
        let history = History::read(concat!(
            r#"{"seq":0,"at":"2026-01-01T00:00:00Z","type":"run_created","data":{"run":"run_1"}}"#,
            "\n",
            r#"{"seq":1,"at":"2026-01-01T00:00:00Z","type":"step_started","data":{"step":"a"}}"#,
            "\n",
            r#"{"seq":2,"at":"2026-01-01T00:00:00Z","type":"step_started","data":{"step":"b"}}"#,
            "\n",
            r#"{"seq":3,"at":"2026-01-01T00:00:00Z","type":"step_finished","data":{"step":"a","end":{"succeeded":{"outputs":{"json":{"n":2}}}}}}"#,
        ))
        .unwrap();
        assert_eq!(history.run(), "run_1");
        assert_eq!(history.in_flight(), ["b"]);
        assert_eq!(history.output("a", "/json/n"), Some(&Value::from(2)));
        assert!(History::read("what?").is_err());
    }
}
