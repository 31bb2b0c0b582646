//! The runbook as its author wrote it, every value with its place.
//!
//! ```text
//! Source ── precheck ── compose ──▶ tree of nodes ── read ──▶ Document ── check ──▶ Plan
//! ```
//!
//! Reading is by hand instead of through serde's derives, because those stop at the first mistake, and an author
//! wants all of them at once. YAML itself is left to others: saphyr finds the structure with positions, and
//! `serde_yaml` says which unquoted scalars are numbers, booleans or nothing.

mod compose;
mod fields;
mod header;
mod input;
mod node;
mod offsets;
mod precheck;
mod read;
mod scalar;
mod secret;
mod step;
mod syntax_error;
mod values;

pub use input::Input;
pub use node::{Entry, Node, NodeKind, Scalar};
pub use secret::Secret;
pub use step::{Block, Call, Item, Retry, Step};
pub(crate) use syntax_error::shortened;
pub use values::read_values;

use crate::plan::Objectives;
use crate::problem::Problems;
use crate::source::{Source, Spanned};

/// A runbook as written: read, but not yet checked against itself or the actions there are.
#[derive(Debug, Clone)]
pub struct Document {
    /// The text it was read from.
    pub source: Source,
    /// The runbook's id; missing only if that is a problem already, like every other thing that must be there.
    pub runbook: Option<Spanned<String>>,
    /// What people call it.
    pub title: Option<Spanned<String>>,
    /// Who owns it.
    pub owner: Option<Spanned<String>>,
    /// What the business expects.
    pub objectives: Objectives,
    /// The declared inputs, in the order written.
    pub inputs: Vec<Input>,
    /// The declared secrets, in the order written.
    pub secrets: Vec<Secret>,
    /// The steps and blocks of `steps`.
    pub steps: Vec<Item>,
    /// The steps and blocks of `finally`.
    pub finally: Vec<Item>,
    /// What was wrong with single values. The document holds everything else, so that checking can go on and
    /// report all mistakes together.
    pub(crate) problems: Problems,
}

impl Document {
    /// Reads a runbook.
    ///
    /// # Errors
    /// The problems of a text that is no YAML mapping at all, or more than a runbook may be. Mistakes in single
    /// values do not end the reading: `check` reports them with its own.
    pub fn parse(source: Source) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        match compose::compose(&source, &mut problems) {
            Ok(root) => header::read(source, root, problems),
            Err(problem) => {
                problems.push(problem);
                problems.sort();
                Err(problems)
            }
        }
    }

    /// What was wrong with single values while reading.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }
}

#[cfg(test)]
mod tests;
