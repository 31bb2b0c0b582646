//! For a terminal: what is over stays as a line each, what goes on is redrawn below with its elapsed time.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;
use jiff::Timestamp;
use lifeboat_model::{Event, EventKind, NodeIndex, RunState, Status, StepState};
use unicode_width::UnicodeWidthChar as _;

use crate::describe_event::{because, in_words, tail_of, took};
use crate::sanitize::one_line;
use crate::state_words;
use crate::style::{BOLD, FAINT};
use crate::units::elapsed;

/// How many steps that go on are shown at most; the rest is counted.
const MOST: usize = 12;

/// The room that there is to draw in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { columns: 80, rows: 24 }
    }
}

/// What is shown of the steps that are not over.
#[derive(Debug, Default)]
pub struct Live {
    /// An event came: before the first, nothing is known and nothing is drawn.
    begun: bool,
    going_on: BTreeMap<NodeIndex, GoingOn>,
    /// The steps that are over, of how many.
    over: BTreeSet<NodeIndex>,
    all: usize,
    since: Timestamp,
}

/// A step that is begun and not over.
#[derive(Debug)]
struct GoingOn {
    id: String,
    what: &'static str,
    style: Style,
    attempt: u32,
    since: Timestamp,
    note: String,
}

impl Live {
    /// Takes an event in; `state` is the state after it.
    pub fn follow(&mut self, event: &Event, state: &RunState) {
        if !self.begun || matches!(event.kind, EventKind::RunCreated | EventKind::RunResumed { .. }) {
            self.begin(state);
        }
        let Some(at) = event.step.as_ref().and_then(|step| state.find(step)) else { return };
        if let EventKind::StepProgress { message } = &event.kind {
            if let Some(step) = self.going_on.get_mut(&at) {
                step.note = one_line(message);
            }
        } else if is_over(state.status(at), &state.step(at)) {
            self.going_on.remove(&at);
            self.over.insert(at);
        } else {
            self.over.remove(&at);
            self.going_on.insert(at, GoingOn::of(state, at, event.at));
        }
    }

    fn begin(&mut self, state: &RunState) {
        let steps = || state.indices().filter(|at| state.template(*at).action().is_some());
        self.begun = true;
        self.all = steps().count();
        self.over = steps().filter(|at| is_over(state.status(*at), &state.step(*at))).collect();
        self.since = state.created_at();
    }

    /// The lines to draw now.
    pub fn lines(&self, now: Timestamp, size: Size) -> Vec<String> {
        if !self.begun {
            return Vec::new();
        }
        let Size { columns, rows } = size;
        let most = MOST.min(rows.saturating_sub(3)).max(1);
        let mut lines: Vec<_> =
            self.going_on.values().take(most).map(|step| step.line(now, columns)).collect();
        let more = self.going_on.len().saturating_sub(most);
        let more = if more > 0 { format!(" · {more} more going on") } else { String::new() };
        let took = elapsed(self.since, now);
        let footer = format!("{} of {} steps over · {took}{more}", self.over.len(), self.all);
        lines.push(format!("{FAINT}{:>13}  {}{FAINT:#}", "", fitted(&footer, columns.saturating_sub(15))));
        lines
    }
}

fn is_over(status: Status, state: &StepState<'_>) -> bool {
    match status {
        Status::Pending => matches!(state, StepState::Rehearsed { .. }),
        Status::Running | Status::Waiting | Status::InDoubt => false,
        Status::Succeeded
        | Status::InPlace
        | Status::Skipped
        | Status::Failed
        | Status::Cancelled
        | Status::Undone
        | Status::UndoFailed
        | Status::NotRehearsed => true,
    }
}

/// The lines of an event that stay.
pub fn lasting(event: &Event, state: &RunState) -> Option<String> {
    match &event.kind {
        EventKind::StepStarted | EventKind::UndoStarted | EventKind::RunFinished { .. } => None,
        EventKind::StepProgress { message } if !message.starts_with("attempt ") => None,
        EventKind::StepFinished { status } | EventKind::UndoFinished { status } => {
            let step = event.step.as_ref()?;
            let at = state.find(step)?;
            let (word, style) = state_words::status(*status, state.mode());
            let took = took(state, at).unwrap_or_default();
            let why = because(state, at).unwrap_or_default();
            let tail = tail_of(event, state).unwrap_or_default();
            Some(format!(
                "{style}{word:>13}{style:#}  {BOLD}{step}{BOLD:#}  {FAINT}{took}{FAINT:#}  {why}\n{tail}"
            ))
        }
        EventKind::StepProgress { .. }
        | EventKind::StepInDoubt { .. }
        | EventKind::DoubtResolved { .. }
        | EventKind::GateOpened { .. }
        | EventKind::GateDecided { .. }
        | EventKind::OperatorDecided { .. }
        | EventKind::GuardTripped { .. }
        | EventKind::RunCreated
        | EventKind::RunResumed { .. }
        | EventKind::RunStopped { .. } => {
            let about = event.step.as_ref().map_or("run".into(), ToString::to_string);
            Some(format!("{:>13}  {BOLD}{about}{BOLD:#}  {}\n", "", in_words(event, state)))
        }
    }
}

impl GoingOn {
    fn of(state: &RunState, at: NodeIndex, now: Timestamp) -> Self {
        let (what, style) = state_words::step(state, at);
        let step = state.template(at);
        Self {
            id: state.path(at).to_string(),
            what,
            style,
            attempt: state.attempts(at),
            since: state.started_at(at).unwrap_or(now),
            note: because(state, at).unwrap_or_else(|| one_line(&step.title)),
        }
    }

    fn line(&self, now: Timestamp, columns: usize) -> String {
        let Self { id, what, style, attempt, since, note } = self;
        let again = if *attempt > 1 { format!("attempt {attempt}  ") } else { String::new() };
        let took = elapsed(*since, now);
        let rest = fitted(&format!("{id}  {took}  {again}{note}"), columns.saturating_sub(15));
        format!("{style}{what:>13}{style:#}  {rest}")
    }
}

/// As much of a text as fits into so many columns.
fn fitted(text: &str, columns: usize) -> String {
    let mut left = columns;
    let mut fits = String::new();
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width >= left {
            fits.push('…');
            return fits;
        }
        left -= width;
        fits.push(c);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_before_the_first_event() {
        assert_eq!(Live::default().lines(Timestamp::UNIX_EPOCH, Size::default()), [""; 0]);
    }

    #[test]
    fn long_lines_are_cut_to_the_columns_they_take() {
        assert_eq!(fitted("abc", 10), "abc");
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("漢字漢字", 5), "漢字…");
    }
}
