//! One event a line, for a pipe: when, about what, what.

use lifeboat_model::{Event, RunState};

use crate::describe_event::{in_words, tail_of};
use crate::units::moment;

/// An event's line, and the end of what a failed operation printed below it.
pub fn lines(event: &Event, state: &RunState) -> String {
    let about = event.step.as_ref().map_or_else(|| "run".to_owned(), |step| format!("step {step}"));
    let line = format!("{} {about} {}\n", moment(event.at), in_words(event, state));
    let tail = tail_of(event, state).unwrap_or_default();
    line + &tail
}
