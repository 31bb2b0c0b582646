//! Reads the top of a runbook and hands its sections out.

use super::fields::{Fields, Shape};
use super::node::Node;
use super::read::{duration, text};
use super::{Document, input, secret, step};
use crate::plan::Objectives;
use crate::problem::{Problem, Problems};
use crate::source::Source;

const RUNBOOK: Shape = Shape {
    what: "a runbook",
    keys: &["runbook", "title", "owner", "objectives", "inputs", "secrets", "steps", "finally"],
    later: &["guards", "locks", "reverse"],
    foreign: &[
        ("id", "write `runbook: ID`"),
        ("name", "write `runbook: ID`, and `title` for people"),
        ("description", "write `title`"),
        ("vars", "declare `inputs`"),
        ("params", "declare `inputs`"),
        ("jobs", "write `steps`"),
        ("tasks", "write `steps`"),
    ],
};

const OBJECTIVES: Shape = Shape { what: "`objectives`", keys: &["rto", "rpo"], later: &[], foreign: &[] };

/// Reads a whole runbook; fails only if there is nothing in it to check.
pub(super) fn read(source: Source, root: Node, mut problems: Problems) -> Result<Document, Problems> {
    let Some(mut fields) = Fields::open(root, &RUNBOOK, &mut problems) else {
        problems.sort();
        return Err(problems);
    };
    let problems = &mut problems;
    let document = Document {
        runbook: fields.require("runbook", text, problems),
        title: fields.read("title", text, problems),
        owner: fields.read("owner", text, problems),
        objectives: fields
            .take("objectives")
            .map(|entry| objectives(entry.value, problems))
            .unwrap_or_default(),
        inputs: fields.take("inputs").map(|entry| input::read_all(entry.value, problems)).unwrap_or_default(),
        secrets: fields
            .take("secrets")
            .map(|entry| secret::read_all(entry.value, problems))
            .unwrap_or_default(),
        steps: match fields.take("steps") {
            Some(entry) => step::read_all(entry, problems),
            None => {
                problems.push(Problem::new("missing_key", fields.place(), "a runbook needs `steps`"));
                Vec::new()
            }
        },
        finally: fields.take("finally").map(|entry| step::read_all(entry, problems)).unwrap_or_default(),
        problems: std::mem::take(problems),
        source,
    };
    Ok(document)
}

fn objectives(node: Node, problems: &mut Problems) -> Objectives {
    let Some(mut fields) = Fields::open(node, &OBJECTIVES, problems) else { return Objectives::default() };
    Objectives { rto: fields.read("rto", duration, problems), rpo: fields.read("rpo", duration, problems) }
}
