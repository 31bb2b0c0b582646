//! Opening a block, a call or a loop when its turn comes: its condition, its list and its inputs are worked out once.

use lifeboat_model::plan::LoopStep;
use lifeboat_model::record::{Item, StepEnd};
use lifeboat_model::template::{Decided, Filled};
use lifeboat_model::{Failure, ItemKey, NodeIndex, RecordBody, StepKind};
use serde_json::{Map, Value};

use super::Core;

/// Why a node's condition is not met.
pub(super) enum Undecided {
    False { why: String },
    Unknown { why: String },
    Cannot { why: String },
}

impl Core {
    /// Whether a node's own condition holds.
    pub(super) fn condition(&self, at: NodeIndex) -> Result<(), Undecided> {
        for condition in &self.state.template(at).when {
            match self.values(at).decide(condition) {
                Ok(Decided::True) => {}
                Ok(Decided::False) => {
                    return Err(Undecided::False { why: format!("`{condition}` is false") });
                }
                Ok(Decided::Unknown { why }) => {
                    return Err(Undecided::Unknown {
                        why: format!("`{condition}` cannot be decided: {why}"),
                    });
                }
                Err(error) => return Err(Undecided::Cannot { why: error.to_string() }),
            }
        }
        Ok(())
    }

    /// The record that opens a node, or ends it.
    pub(super) fn opening(&self, at: NodeIndex) -> RecordBody {
        let node = self.state.path(at);
        let ended = |end| RecordBody::StepFinished { node: node.clone(), attempt: None, end };
        let failed = |why| ended(StepEnd::Failed(Failure::permanent(format!("cannot start: {why}"))));
        match self.condition(at) {
            Ok(()) => {}
            Err(Undecided::False { why }) => return ended(StepEnd::Skipped { why }),
            // What stands inside says so, each step for itself.
            Err(Undecided::Unknown { .. } | Undecided::Cannot { .. }) if self.is_dry_run() => {}
            Err(Undecided::Unknown { why } | Undecided::Cannot { why }) => return failed(why),
        }
        let inside = match &self.state.template(at).kind {
            StepKind::Loop(looping) => self
                .items(at, looping)
                .map(|items| RecordBody::LoopExpanded { node: node.clone(), items: items.into() }),
            StepKind::Call { inputs, .. } => {
                self.inputs_of(at, inputs).map(|inputs| RecordBody::NodeOpened { node: node.clone(), inputs })
            }
            StepKind::Block { .. } | StepKind::Action(_) => {
                Ok(RecordBody::NodeOpened { node: node.clone(), inputs: Map::new() })
            }
        };
        inside.unwrap_or_else(failed)
    }

    /// The items of a loop. A dry run that does not know the list goes through one item, `?`.
    fn items(&self, at: NodeIndex, looping: &LoopStep) -> Result<Vec<Item>, String> {
        let unknown = || Item { key: ItemKey::new("?").expect("bug: a valid key"), value: Value::Null };
        let list = match self.values(at).fill(&looping.over).map_err(|error| error.to_string())? {
            Filled::Known { masked, .. } => masked,
            Filled::Unknown { .. } if self.is_dry_run() => return Ok(vec![unknown()]),
            Filled::Unknown { why, .. } => return Err(why),
        };
        let keyed: Vec<(String, Value)> = match list {
            Value::Array(items) => {
                items.into_iter().enumerate().map(|(at, value)| (key(at, &value), value)).collect()
            }
            Value::Object(map) => map.into_iter().collect(),
            other => return Err(format!("a loop goes over a list or a mapping, this is {other}")),
        };
        if keyed.is_empty() {
            return Err("the list is empty".to_owned());
        }
        let item = |(key, value): (String, Value)| Ok(Item { key: ItemKey::new(&key)?, value });
        let items: Result<Vec<Item>, lifeboat_model::InvalidId> = keyed.into_iter().map(item).collect();
        items.map_err(|error| error.to_string())
    }

    fn inputs_of(&self, at: NodeIndex, inputs: &Value) -> Result<Map<String, Value>, String> {
        match self.values(at).fill(inputs).map_err(|error| error.to_string())? {
            Filled::Known { masked: Value::Object(inputs), .. } => Ok(inputs),
            Filled::Known { .. } => Err("the inputs of a call are a mapping".to_owned()),
            Filled::Unknown { masked: Value::Object(inputs), .. } if self.is_dry_run() => Ok(inputs),
            Filled::Unknown { why, .. } => Err(why),
        }
    }
}

/// A text is its own key, and so is a number; other items are named by their place, counted from 1.
fn key(at: usize, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => (at + 1).to_string(),
    }
}
