//! Reaching every text that is stored of an action's answer, so that secrets can be masked in all of them.

use serde_json::{Map, Value};

use crate::outcome::{self, Failure, Observation, Outcome, Without};
use crate::record::{Decision, Resolution, StepEnd};

/// Has texts that came from outside.
pub trait Texts {
    /// Changes each text.
    fn each_text(&mut self, change: &Change<'_>);
}

/// What is done to texts.
#[derive(Clone, Copy)]
pub struct Change<'c> {
    /// To each text.
    pub text: &'c dyn Fn(&mut String),
    /// To each key of a mapping: a name that an action declares, or one that came from outside.
    pub key: &'c dyn Fn(&mut String),
}

impl Texts for String {
    fn each_text(&mut self, change: &Change<'_>) {
        (change.text)(self);
    }
}

impl<T: Texts> Texts for Vec<T> {
    fn each_text(&mut self, change: &Change<'_>) {
        self.iter_mut().for_each(|item| item.each_text(change));
    }
}

impl<T: Texts> Texts for Option<T> {
    fn each_text(&mut self, change: &Change<'_>) {
        self.iter_mut().for_each(|item| item.each_text(change));
    }
}

impl Texts for Map<String, Value> {
    fn each_text(&mut self, change: &Change<'_>) {
        let changed = std::mem::take(self).into_iter().map(|(mut key, mut value)| {
            (change.key)(&mut key);
            value.each_text(change);
            (key, value)
        });
        *self = changed.collect();
    }
}

impl Texts for Without {
    fn each_text(&mut self, change: &Change<'_>) {
        self.values_mut().for_each(change.text);
    }
}

impl Texts for Value {
    fn each_text(&mut self, change: &Change<'_>) {
        match self {
            Self::String(text) => (change.text)(text),
            Self::Array(items) => items.each_text(change),
            Self::Object(map) => map.each_text(change),
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }
}

impl Texts for Outcome {
    fn each_text(&mut self, change: &Change<'_>) {
        let Self { evidence, outputs, warnings } = self;
        (change.text)(evidence);
        outputs.each_text(change);
        warnings.each_text(change);
    }
}

impl Texts for Failure {
    fn each_text(&mut self, change: &Change<'_>) {
        let Self { kind: _, message, causes, tail } = self;
        (change.text)(message);
        causes.each_text(change);
        tail.each_text(change);
    }
}

impl Texts for Observation {
    fn each_text(&mut self, change: &Change<'_>) {
        match self {
            Self::InPlace { evidence, outputs, warnings } => {
                (change.text)(evidence);
                outputs.each_text(change);
                warnings.each_text(change);
            }
            Self::Pending { change: outcome::Change { before, after } } => {
                (change.text)(before);
                (change.text)(after);
            }
            Self::Blocked { why } | Self::Unknown { why } => (change.text)(why),
        }
    }
}

impl Texts for StepEnd {
    fn each_text(&mut self, change: &Change<'_>) {
        match self {
            Self::Succeeded(outcome) => outcome.each_text(change),
            Self::InPlace { evidence, outputs, warnings } => {
                (change.text)(evidence);
                outputs.each_text(change);
                warnings.each_text(change);
            }
            Self::Skipped { why } | Self::Cancelled { why } => (change.text)(why),
            Self::Failed(failure) => failure.each_text(change),
        }
    }
}

impl Texts for Resolution {
    fn each_text(&mut self, change: &Change<'_>) {
        match self {
            Self::Done(outcome) => outcome.each_text(change),
            Self::Failed(failure) => failure.each_text(change),
            Self::Rerun | Self::Ask => {}
        }
    }
}

impl Texts for Decision {
    fn each_text(&mut self, change: &Change<'_>) {
        match self {
            Self::MarkDone { outputs } => outputs.each_text(change),
            Self::KeepPinned { edited: _ }
            | Self::Approve
            | Self::Reject
            | Self::Retry
            | Self::Skip
            | Self::Pause
            | Self::Cancel
            | Self::Rollback => {}
        }
    }
}
