//! Those who show a run while it goes on: for programs, for a pipe, for a terminal.

mod lines;
mod live;
mod outbox;

use lifeboat_display::{json_lines, plain};
use lifeboat_engine::Reporter;
use lifeboat_model::{Event, RunState};

pub(crate) use outbox::Printing;

use self::outbox::Outbox;
use crate::args::OutputArgs;
use crate::context::Context;

/// A reporter, and the thread that prints what it is told.
pub(crate) struct Shown {
    pub(crate) reporter: Box<dyn Reporter>,
    pub(crate) printing: Printing,
}

impl Shown {
    fn by(reporter: impl Reporter + 'static, printing: Printing) -> Self {
        Self { reporter: Box::new(reporter), printing }
    }
}

/// The reporter that fits: events for programs, else a list that is redrawn on a terminal, else a line an event.
pub(crate) fn fitting(context: &Context, output: OutputArgs) -> Shown {
    let terminal = context.terminal.clone();
    if !output.json && terminal.can_redraw() {
        let (live, printing) = live::Redrawn::new(terminal);
        return Shown::by(live, printing);
    }
    let (outbox, printing) = Outbox::printing(terminal);
    let lines = if output.json { json_lines::line } else { plain::lines };
    Shown::by(lines::LineByLine::new(lines, outbox), printing)
}

/// Tells what was decided before the run is driven. A reporter that fails will fail again, and be dropped then.
pub(crate) fn tell(reporter: &mut dyn Reporter, event: &Event, state: &RunState) {
    if let Err(error) = reporter.event(event, state).and_then(|()| reporter.flush()) {
        tracing::debug!(%error, "a reporter failed");
    }
}
