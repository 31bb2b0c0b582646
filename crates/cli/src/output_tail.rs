//! The end of what a step's command printed, for a person who has to decide about it.

use lifeboat::OutputTails;
use lifeboat_display::output_tail::{FileTail, rendered};
use lifeboat_model::{Attempt, NodePath};

/// What an attempt printed, each file below its name.
pub(crate) fn of(tails: &OutputTails, step: &NodePath, attempt: Attempt) -> String {
    let files = tails.of(step, attempt).into_iter();
    let files: Vec<_> = files.map(|tail| FileTail { path: tail.path, text: tail.text }).collect();
    rendered(&files, &tails.why_hidden())
}
