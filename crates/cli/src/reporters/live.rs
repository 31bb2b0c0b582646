//! For a terminal: what is over stays as a line each, what goes on is redrawn below with its elapsed time.
//!
//! All drawing is the printing thread's work, so that a fast run is not held up by its screen.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_engine::Reporter;
use lifeboat_model::{Event, EventKind, RunState, Status, StepIndex, StepState};
use unicode_width::UnicodeWidthChar as _;

use super::outbox::{Outbox, Printing, Task};
use super::told::{because, in_words, tail_of, took};
use crate::terminal::Terminal;
use crate::words::{self, BOLD, FAINT, one_line};

/// How often the lines that change are drawn.
const EVERY: Duration = Duration::from_millis(100);

/// How many steps that go on are shown at most; the rest is counted.
const MOST: usize = 12;

pub(crate) struct Live {
    view: Arc<Mutex<View>>,
    outbox: Outbox,
}

/// What is shown of the steps that are not over.
#[derive(Debug, Default)]
struct View {
    /// An event came: before the first, nothing is known and nothing is drawn.
    begun: bool,
    going_on: BTreeMap<StepIndex, GoingOn>,
    /// How many steps are over, of how many.
    over: usize,
    all: usize,
    since: Timestamp,
}

/// A step that is begun and not over.
#[derive(Debug)]
struct GoingOn {
    id: String,
    what: &'static str,
    style: anstyle::Style,
    attempt: u32,
    since: Timestamp,
    note: String,
}

impl Live {
    pub(super) fn new(terminal: Arc<Terminal>) -> (Self, Printing) {
        let view = Arc::new(Mutex::new(View::default()));
        let screen = Screen { view: Arc::clone(&view), terminal };
        let (outbox, printing) = Outbox::new(EVERY, move |task| screen.carry_out(task));
        (Self { view, outbox }, printing)
    }

    fn follow(&self, event: &Event, state: &RunState) {
        let mut view = lock(&self.view);
        let is_over = |at: StepIndex| is_over(state.status(at), state.step(at));
        if !view.begun || matches!(event.kind, EventKind::RunCreated | EventKind::RunResumed { .. }) {
            view.begun = true;
            let steps = || state.plan().indices().filter(|at| state.plan().step(*at).action().is_some());
            view.all = steps().count();
            view.over = steps().filter(|at| is_over(*at)).count();
            view.since = state.created_at();
        }
        let Some(at) = event.step.as_ref().and_then(|step| state.plan().find(step)) else { return };
        match (&event.kind, is_over(at)) {
            (EventKind::StepProgress { message }, _) => {
                if let Some(step) = view.going_on.get_mut(&at) {
                    step.note = one_line(message);
                }
            }
            (_, true) => {
                view.going_on.remove(&at);
                view.over += 1;
            }
            (_, false) => {
                let (what, style) = words::step(state, at);
                let step = GoingOn {
                    id: state.plan().step(at).id.to_string(),
                    what,
                    style,
                    attempt: state.attempts(at),
                    since: state.started_at(at).unwrap_or(event.at),
                    note: because(state, at).unwrap_or_else(|| one_line(&state.plan().step(at).title)),
                };
                view.going_on.insert(at, step);
            }
        }
    }
}

fn is_over(status: Status, state: &StepState) -> bool {
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

impl Reporter for Live {
    fn event(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        self.follow(event, state);
        if let Some(lines) = lasting(event, state) {
            self.outbox.print(&lines);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outbox.flush()
    }
}

/// The printing thread's end. Dropped with the thread, it takes the changing lines off the screen.
struct Screen {
    view: Arc<Mutex<View>>,
    terminal: Arc<Terminal>,
}

impl Screen {
    fn carry_out(&self, task: Task) -> io::Result<()> {
        let going_on = lock(&self.view).lines(Timestamp::now(), &self.terminal);
        match task {
            Task::Print(lines) => self.terminal.print_above(going_on, &lines),
            Task::Tick => self.terminal.draw(going_on),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.terminal.draw(Vec::new()));
    }
}

/// The lines that stay.
fn lasting(event: &Event, state: &RunState) -> Option<String> {
    match &event.kind {
        EventKind::StepStarted | EventKind::UndoStarted | EventKind::RunFinished { .. } => None,
        EventKind::StepProgress { message } if !message.starts_with("attempt ") => None,
        EventKind::StepFinished { status } | EventKind::UndoFinished { status } => {
            let step = event.step.as_ref()?;
            let at = state.plan().find(step)?;
            let (word, style) = words::status(*status, state.mode());
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

impl View {
    /// The lines to draw now.
    fn lines(&self, now: Timestamp, terminal: &Terminal) -> Vec<String> {
        if !self.begun {
            return Vec::new();
        }
        let (columns, rows) = terminal.size().unwrap_or((80, 24));
        let most = MOST.min(rows.saturating_sub(3)).max(1);
        let mut lines: Vec<_> =
            self.going_on.values().take(most).map(|step| step.line(now, columns)).collect();
        let more = self.going_on.len().saturating_sub(most);
        let more = if more > 0 { format!(" · {more} more going on") } else { String::new() };
        let took = words::elapsed(self.since, now);
        let footer = format!("{} of {} steps over · {took}{more}", self.over, self.all);
        lines.push(format!("{FAINT}{:>13}  {}{FAINT:#}", "", fitted(&footer, columns.saturating_sub(15))));
        lines
    }
}

impl GoingOn {
    fn line(&self, now: Timestamp, columns: usize) -> String {
        let Self { id, what, style, attempt, since, note } = self;
        let again = if *attempt > 1 { format!("attempt {attempt}  ") } else { String::new() };
        let took = words::elapsed(*since, now);
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

fn lock(view: &Mutex<View>) -> MutexGuard<'_, View> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_before_the_first_event() {
        let lines = View::default().lines(Timestamp::now(), &Terminal::open());
        assert_eq!(lines, [""; 0]);
    }

    #[test]
    fn long_lines_are_cut_to_the_columns_they_take() {
        assert_eq!(fitted("abc", 10), "abc");
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("漢字漢字", 5), "漢字…");
    }
}
