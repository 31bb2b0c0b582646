//! The person at the terminal, if there is one.

use std::future::Future;
use std::pin::Pin;

use lifeboat_model::record::Decision;
use lifeboat_model::{Attempt, NodePath};

/// Can be asked about a step in doubt.
pub trait Person: Send + Sync + std::fmt::Debug {
    /// Asks. `None`: there is nobody, or they would rather not decide now.
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Option<Answer>> + Send>>;
}

/// What a person is asked: what became of this attempt, and what now?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The step.
    pub step: NodePath,
    /// Its title.
    pub title: String,
    /// The attempt in doubt.
    pub attempt: Attempt,
    /// Why it is in doubt.
    pub cause: String,
    /// What looking showed.
    pub evidence: String,
}

/// A person's word on a step: `Retry`, `Skip` or `MarkDone`.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The word.
    pub decision: Decision,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// Nobody is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Person for Nobody {
    fn ask(&self, _question: Question) -> Pin<Box<dyn Future<Output = Option<Answer>> + Send>> {
        Box::pin(std::future::ready(None))
    }
}
