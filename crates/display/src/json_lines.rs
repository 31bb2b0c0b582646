//! One event a line, for programs.

use lifeboat_model::{Event, RunState};
use serde_json::Value;

/// An event's line.
pub fn line(event: &Event, state: &RunState) -> String {
    format!("{}\n", Value::Object(event.to_json(state)))
}
