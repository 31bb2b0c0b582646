//! Visits every text that the journal keeps of an action's answer, so that the masker can hide secrets in all of them.

use serde_json::{Map, Value};

use crate::outcome::{self, Failure, Observation, Outcome, Without};
use crate::record::{Decision, Resolution, StepEnd};

/// Holds texts that came from outside of lifeboat.
pub trait Redact {
    /// Applies the change to each text.
    fn redact(&mut self, change: &Redaction<'_>);
}

/// The change that [`Redact`] applies.
#[derive(Clone, Copy)]
pub struct Redaction<'c> {
    /// Changes a text.
    pub text: &'c dyn Fn(&mut String),
    /// Changes a key of a mapping: an action declares the key, or the key came from outside.
    pub key: &'c dyn Fn(&mut String),
}

impl Redact for String {
    fn redact(&mut self, change: &Redaction<'_>) {
        (change.text)(self);
    }
}

impl<T: Redact> Redact for Vec<T> {
    fn redact(&mut self, change: &Redaction<'_>) {
        self.iter_mut().for_each(|item| item.redact(change));
    }
}

impl<T: Redact> Redact for Option<T> {
    fn redact(&mut self, change: &Redaction<'_>) {
        self.iter_mut().for_each(|item| item.redact(change));
    }
}

impl Redact for Map<String, Value> {
    fn redact(&mut self, change: &Redaction<'_>) {
        let changed = std::mem::take(self).into_iter().map(|(mut key, mut value)| {
            (change.key)(&mut key);
            value.redact(change);
            (key, value)
        });
        *self = changed.collect();
    }
}

impl Redact for Without {
    fn redact(&mut self, change: &Redaction<'_>) {
        self.values_mut().for_each(change.text);
    }
}

impl Redact for Value {
    fn redact(&mut self, change: &Redaction<'_>) {
        match self {
            Self::String(text) => (change.text)(text),
            Self::Array(items) => items.redact(change),
            Self::Object(map) => map.redact(change),
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }
}

impl Redact for Outcome {
    fn redact(&mut self, change: &Redaction<'_>) {
        let Self { evidence, outputs, warnings } = self;
        (change.text)(evidence);
        outputs.redact(change);
        warnings.redact(change);
    }
}

impl Redact for Failure {
    fn redact(&mut self, change: &Redaction<'_>) {
        let Self { kind: _, message, causes, tail } = self;
        (change.text)(message);
        causes.redact(change);
        tail.redact(change);
    }
}

impl Redact for Observation {
    fn redact(&mut self, change: &Redaction<'_>) {
        match self {
            Self::InPlace { evidence, outputs, warnings } => {
                (change.text)(evidence);
                outputs.redact(change);
                warnings.redact(change);
            }
            Self::Pending { change: outcome::Change { before, after } } => {
                (change.text)(before);
                (change.text)(after);
            }
            Self::Blocked { why } | Self::Unknown { why } => (change.text)(why),
        }
    }
}

impl Redact for StepEnd {
    fn redact(&mut self, change: &Redaction<'_>) {
        match self {
            Self::Succeeded(outcome) => outcome.redact(change),
            Self::InPlace { evidence, outputs, warnings } => {
                (change.text)(evidence);
                outputs.redact(change);
                warnings.redact(change);
            }
            Self::Skipped { why } => (change.text)(why),
            Self::Failed(failure) => failure.redact(change),
        }
    }
}

impl Redact for Resolution {
    fn redact(&mut self, change: &Redaction<'_>) {
        match self {
            Self::Done(outcome) => outcome.redact(change),
            Self::Failed(failure) => failure.redact(change),
            Self::Rerun | Self::Ask => {}
        }
    }
}

impl Redact for Decision {
    fn redact(&mut self, change: &Redaction<'_>) {
        match self {
            Self::MarkDone { outputs } => outputs.redact(change),
            Self::KeepPinned { edited: _ }
            | Self::Retry
            | Self::Skip
            | Self::Pause
            | Self::Cancel
            | Self::Override
            | Self::Rollback => {}
        }
    }
}
