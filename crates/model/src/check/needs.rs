//! Resolves what each step waits for.

use super::outline::{Outline, Row};
use crate::document::shortened;
use crate::ids::StepIndex;
use crate::plan::Section;
use crate::problem::{Problem, Problems};
use crate::source::Spanned;
use crate::suggest::did_you_mean;

/// For each step the steps it waits for, ascending, besides the opening of the block around it.
pub(super) fn resolve(outline: &Outline<'_>, problems: &mut Problems) -> Vec<Vec<StepIndex>> {
    outline.rows().map(|(_, row)| needs(outline, row, problems)).collect()
}

fn needs(outline: &Outline<'_>, row: &Row<'_>, problems: &mut Problems) -> Vec<StepIndex> {
    let above = || row.above.into_iter().collect();
    match (row.written.needs(), row.section) {
        (None, Section::Steps | Section::Finally) => above(),
        (Some(written), Section::Finally) => {
            let span = written.first().map_or(row.written.place(), |first| first.span);
            let message = "the steps of `finally` run one after the other, they have no `needs`";
            problems.push(Problem::new("needs_in_finally", span, message));
            above()
        }
        (Some(written), Section::Steps) => {
            let known = written.iter().filter_map(|need| resolve_one(outline, need, problems));
            let mut known: Vec<_> = known.collect();
            known.sort_unstable();
            known.dedup();
            known
        }
    }
}

fn resolve_one(outline: &Outline<'_>, need: &Spanned<String>, problems: &mut Problems) -> Option<StepIndex> {
    let Some(index) = outline.find(&need.value) else {
        if outline.is_complete && problems.is_full() {
            problems.omit();
        } else if outline.is_complete {
            problems.push(unknown_step(outline, need));
        }
        return None;
    };
    match outline.row(index).section {
        Section::Steps => Some(index),
        Section::Finally => {
            let message = format!("`{}` stands in `finally` and runs after all steps", need.value);
            problems.push(Problem::new("needs_finally", need.span, message));
            None
        }
    }
}

pub(super) fn unknown_step(outline: &Outline<'_>, name: &Spanned<String>) -> Problem {
    Problem::new("unknown_step", name.span, format!("no step has the id `{}`", shortened(&name.value)))
        .help_maybe(Some(ids(outline)))
        .help_maybe(did_you_mean(&name.value, outline.ids()))
}

/// The ids there are, if they are few enough to read.
fn ids(outline: &Outline<'_>) -> String {
    const MOST: usize = 12;
    let ids: Vec<_> = outline.ids().take(MOST).map(shortened).collect();
    let more = if outline.len() > MOST { ", …" } else { "" };
    format!("ids: {}{more}", ids.join(", "))
}
