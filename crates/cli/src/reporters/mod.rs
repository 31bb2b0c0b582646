//! Those who show a run while it goes on: for programs, for a pipe, for a terminal.

mod json;
mod live;
mod outbox;
mod plain;
mod told;

use lifeboat_engine::Reporter;
use lifeboat_model::{Event, RunState};

pub(crate) use told::{because, tail, took};

use crate::args::OutputArgs;
use crate::context::Context;

/// The reporter that fits: events for programs, else a list that is redrawn on a terminal, else a line an event.
pub(crate) fn fitting(context: &Context, output: OutputArgs) -> Box<dyn Reporter> {
    let terminal = context.terminal.clone();
    if output.json {
        Box::new(json::JsonLines::new(terminal))
    } else if terminal.can_redraw() {
        Box::new(live::Live::new(terminal))
    } else {
        Box::new(plain::Plain::new(terminal))
    }
}

/// Tells what was decided before the run is driven. A reporter that fails will fail again, and be dropped then.
pub(crate) fn tell(reporter: &mut dyn Reporter, event: &Event, state: &RunState) {
    if let Err(error) = reporter.event(event, state).and_then(|()| reporter.flush()) {
        tracing::debug!(%error, "a reporter failed");
    }
}
