//! From the document to the plan: everything that can be known to be wrong before the first step runs.
//!
//! Each file checks one thing and goes on after a mistake, so that an author sees all of them at once. Only when
//! there is none is a plan made.

mod action_calls;
mod header;
mod needs;
mod order;
mod outline;
mod preflight;
mod references;
mod steps;
mod templates;

pub use self::preflight::{INPUT_VALUE, check_filled};

use crate::catalog::Catalog;
use crate::document::Document;
use crate::ids::Digest;
use crate::plan::{PinnedSource, Plan, PlanParts};
use crate::problem::Problems;
use crate::source::Source;

use self::order::Order;
use self::outline::Outline;
use self::references::Names;

/// Checks a runbook against itself and the actions there are.
///
/// # Errors
/// All problems, in the order of the text, those of reading the document included.
pub fn check(mut document: Document, catalog: &dyn Catalog) -> Result<Plan, Problems> {
    let mut problems = std::mem::take(&mut document.problems);
    match parts(&document, catalog, &mut problems) {
        Some(parts) if problems.is_empty() => Ok(Plan::new(parts)),
        parts => {
            assert!(
                parts.is_some() || !problems.is_empty(),
                "bug: a part of the plan is missing without a problem"
            );
            problems.sort();
            Err(problems)
        }
    }
}

/// Reads and checks a runbook.
///
/// # Errors
/// As [`check`].
pub fn check_source(source: Source, catalog: &dyn Catalog) -> Result<Plan, Problems> {
    Document::parse(source).and_then(|document| check(document, catalog))
}

/// The parts of the plan; nothing if one of them cannot be had, which is a problem then.
fn parts(document: &Document, catalog: &dyn Catalog, problems: &mut Problems) -> Option<PlanParts> {
    let runbook = header::runbook(document, problems);
    let inputs = header::inputs(document, problems);
    let secrets = header::secrets(document, problems);
    let outline = Outline::new(document, problems);
    let needs = needs::resolve(&outline, problems);
    let order = Order::new(&outline, &needs, problems);
    let names = Names::new(document, &outline, &order, catalog);
    let steps = steps::build(&names, needs, problems);
    Some(PlanParts {
        runbook: runbook?,
        title: document.title.as_ref().map(|title| title.value.clone()),
        owner: document.owner.as_ref().map(|owner| owner.value.clone()),
        objectives: document.objectives.clone(),
        locks: Vec::new(),
        inputs: inputs?,
        secrets: secrets?,
        steps: steps?,
        requires: Vec::new(),
        source: PinnedSource {
            name: document.source.name().to_owned(),
            text: document.source.text().to_owned(),
            digest: Digest::of(document.source.text().as_bytes()),
        },
    })
}

#[cfg(test)]
mod tests;
