//! The plan: a runbook as checked and resolved. Immutable, digested, stored inside the run.
//!
//! Steps lie flat in document order: a block stands before its children, so that what stands inside is one contiguous
//! range; the `finally` steps stand last. `check` makes plans; a plan that is read back from a journal is validated
//! ([`InvalidPlan`]), since the file may have been changed.

mod pacing;
mod validate;

use std::collections::HashMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action_spec::{Effect, Harmlessness};
use crate::ids::{ActionName, Digest, StepId, StepIndex};

pub use pacing::{Pacing, Share};
pub use validate::InvalidPlan;

/// A checked runbook.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "PlanParts", into = "PlanParts")]
pub struct Plan {
    parts: PlanParts,
    by_id: HashMap<StepId, StepIndex>,
}

impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

/// What a plan consists of, and its form in the journal. Later versions may add fields; what a reader must understand
/// they name in `requires`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanParts {
    pub(crate) runbook: StepId,
    pub(crate) title: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) objectives: Objectives,
    pub(crate) locks: Vec<String>,
    pub(crate) inputs: Vec<InputSpec>,
    pub(crate) secrets: Vec<SecretSpec>,
    pub(crate) steps: Vec<PlanStep>,
    pub(crate) source: PinnedSource,
    /// What this plan uses that not every reader of the format knows. A reader that does not know a name refuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) requires: Vec<String>,
}

/// The runbook as its author wrote it, kept so that an edited file can be shown as a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedSource {
    /// The file's name as given on the command line.
    pub name: String,
    /// The text, whole.
    pub text: String,
    /// The digest of the text.
    pub digest: Digest,
}

/// What the business expects, with the clock that starts when the incident was declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objectives {
    /// Recovery time objective.
    pub rto: Option<SignedDuration>,
    /// Recovery point objective.
    pub rpo: Option<SignedDuration>,
}

/// The type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputType {
    /// Any text.
    String,
    /// A whole number that fits 64 bits.
    Integer,
    /// A finite number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A length of time such as `10s` or `1h 30m`; kept as text.
    Duration,
    /// A list of texts; on the command line separated by commas.
    List,
}

/// A declared input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputSpec {
    /// The name, as in `inputs.NAME`.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: InputType,
    /// The value where none is given; without it the input must be given.
    pub default: Option<Value>,
    /// The values that are allowed, if not all of the type are.
    pub choices: Vec<Value>,
    /// What it is for.
    pub help: Option<String>,
}

/// A declared secret: never its value, only where it comes from, looked up anew on every resume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretSpec {
    /// The name, as in `secrets.NAME`.
    pub name: String,
    /// Where the value comes from.
    pub from: SecretSource,
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file; one trailing line break is not part of the secret.
    File(String),
}

/// Which part of the runbook a step stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// `steps`
    Steps,
    /// `finally`: starts when the steps are over, however they ended.
    Finally,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    /// The id, unique in the runbook.
    pub id: StepId,
    /// What people call it; the id where the author gave none.
    pub title: String,
    /// The line of the runbook it starts on, counted from 1.
    pub line: u32,
    /// Where it stands.
    pub section: Section,
    /// The block it stands in.
    pub parent: Option<StepIndex>,
    /// The steps (or blocks) that must be over first, besides the opening of the block it stands in. For a step of
    /// `finally`: the one above it.
    pub needs: Vec<StepIndex>,
    /// Templates that must all be true when its turn comes; otherwise it is skipped, and a block with all that is inside.
    pub when: Vec<String>,
    /// What it does.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Calls an action.
    Action(Box<ActionStep>),
    /// Holds other steps, all free to start once the block's needs are met; over when all of them are. Never empty.
    Block {
        /// The steps directly inside, ascending.
        children: Vec<StepIndex>,
    },
    /// Does what stands inside for each item of a list. The step behind it in the plan is the item's.
    Loop(Box<LoopStep>),
    /// Calls another runbook, whose steps stand inside: a scope with inputs of its own.
    Call {
        /// The steps directly inside, ascending.
        children: Vec<StepIndex>,
        /// The inputs of the called runbook as written: a JSON object whose texts may hold templates.
        inputs: Value,
    },
}

/// A step that goes over a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoopStep {
    /// The list or mapping as written, templates included.
    pub over: Value,
    /// How many items go on at a time, and in which waves.
    pub pacing: Pacing,
    /// How many items may fail or be in doubt before no new one starts.
    pub max_failures: Share,
}

/// A step that calls an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionStep {
    /// The call.
    pub call: ActionCall,
    /// A read-only call whose success means "the effect is in place"; it takes the place of the action's own `observe`.
    pub check: Option<ActionCall>,
    /// How long one attempt may take, observing and verifying included.
    pub timeout: Option<SignedDuration>,
    /// Whether and when to try again after a transient failure.
    pub retry: RetryPolicy,
    /// What a failure means for the run.
    pub on_failure: OnFailure,
    /// What to do with the step in doubt when looking does not tell.
    pub on_unknown: OnUnknown,
}

impl ActionStep {
    /// The call that a dry run makes to look; none where nothing can look.
    pub fn rehearsed_by(&self) -> Option<&ActionCall> {
        match (self.call.effect, &self.check) {
            (Effect::Write, Some(check)) => Some(check),
            (Effect::Write, None) if !self.call.observable => None,
            (Effect::Read, _) | (Effect::Write, None) => Some(&self.call),
        }
    }
}

/// An action and its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionCall {
    /// The action.
    pub action: ActionName,
    /// The parameters as written: a JSON object whose texts may hold templates.
    pub with: Value,
    /// What this call may do to the world.
    pub effect: Effect,
    /// Whether a look with this call is known to change nothing.
    #[serde(default, skip_serializing_if = "Harmlessness::is_unvouched")]
    pub harmless: Harmlessness,
    /// Whether the action is safe to repeat, by its own word or its author's.
    pub idempotent: bool,
    /// Whether the action can look for its own effect.
    pub observable: bool,
    /// Whether the action can find the result of an attempt whose driver died.
    pub recoverable: bool,
    /// The parameters whose values need not be known for a rehearsal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rehearsed_without: Vec<String>,
}

/// Whether and when to try again after a transient failure. The delay before attempt `n + 1` is
/// `min(delay × backoff^(n - 1), max_delay)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// How many attempts in all; at least 1.
    pub attempts: u32,
    /// The wait before the second attempt.
    pub delay: SignedDuration,
    /// The factor by which each further wait grows; at least 1.
    pub backoff: f64,
    /// The longest wait.
    pub max_delay: Option<SignedDuration>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 1, delay: SignedDuration::from_secs(1), backoff: 1.0, max_delay: None }
    }
}

impl RetryPolicy {
    /// The wait after failed attempt number `failed` (from 1), or `None` when that was the last.
    pub fn delay_after(&self, failed: u32) -> Option<SignedDuration> {
        if failed >= self.attempts {
            return None;
        }
        let exponent = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.delay.as_secs_f64() * self.backoff.powi(exponent);
        let longest = self.max_delay.unwrap_or(SignedDuration::MAX);
        let delay = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX);
        Some(delay.min(longest))
    }
}

/// What a step's failure means for the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Nothing new starts; the run fails once what runs has ended.
    #[default]
    Stop,
    /// The run goes on; the failure is a deviation.
    Continue,
}

/// What to do with a step in doubt when looking does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// A person decides.
    #[default]
    Ask,
    /// Run it again, with the same key. Only for idempotent actions.
    Rerun,
    /// Count it as failed.
    Fail,
}

impl TryFrom<PlanParts> for Plan {
    type Error = InvalidPlan;

    fn try_from(parts: PlanParts) -> Result<Self, InvalidPlan> {
        validate::validate(&parts)?;
        Ok(Self::new(parts))
    }
}

impl From<Plan> for PlanParts {
    fn from(plan: Plan) -> Self {
        plan.parts
    }
}

impl Plan {
    pub(crate) fn new(parts: PlanParts) -> Self {
        let index = |(at, step): (usize, &PlanStep)| (step.id.clone(), StepIndex(at as u32));
        let by_id = parts.steps.iter().enumerate().map(index).collect();
        Self { parts, by_id }
    }

    /// The runbook's id.
    pub fn runbook(&self) -> &StepId {
        &self.parts.runbook
    }

    /// The title, or the id where there is none.
    pub fn title(&self) -> &str {
        self.parts.title.as_deref().unwrap_or(self.parts.runbook.as_str())
    }

    /// Who owns the runbook.
    pub fn owner(&self) -> Option<&str> {
        self.parts.owner.as_deref()
    }

    /// RTO and RPO.
    pub fn objectives(&self) -> &Objectives {
        &self.parts.objectives
    }

    /// The locks the run needs.
    pub fn locks(&self) -> &[String] {
        &self.parts.locks
    }

    /// The declared inputs, in the order of the document.
    pub fn inputs(&self) -> &[InputSpec] {
        &self.parts.inputs
    }

    /// The declared secrets, in the order of the document.
    pub fn secrets(&self) -> &[SecretSpec] {
        &self.parts.secrets
    }

    /// All steps: blocks before their children, `finally` last.
    pub fn steps(&self) -> &[PlanStep] {
        &self.parts.steps
    }

    /// The runbook as written.
    pub fn source(&self) -> &PinnedSource {
        &self.parts.source
    }

    /// The step at that place.
    ///
    /// # Panics
    /// When the index is of another plan: a bug.
    pub fn step(&self, index: StepIndex) -> &PlanStep {
        self.parts.steps.get(index.get()).expect("bug: the step index is of another plan")
    }

    /// The place of the step with that id.
    pub fn find(&self, id: &StepId) -> Option<StepIndex> {
        self.by_id.get(id).copied()
    }

    /// All places, ascending.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = StepIndex> + use<> {
        (0..self.parts.steps.len() as u32).map(StepIndex)
    }
}

impl PlanStep {
    /// The action part, or `None` for what holds other steps.
    pub fn action(&self) -> Option<&ActionStep> {
        match &self.kind {
            StepKind::Action(action) => Some(action),
            StepKind::Block { .. } | StepKind::Loop(_) | StepKind::Call { .. } => None,
        }
    }

    /// Whether its turn is decided by the driver, with a record, before what stands inside may start.
    pub(crate) fn opens_by_record(&self) -> bool {
        match &self.kind {
            StepKind::Block { .. } => !self.when.is_empty(),
            StepKind::Loop(_) | StepKind::Call { .. } => true,
            StepKind::Action(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nobody_vouches_for_a_call_of_which_the_plan_does_not_say_so() {
        let mut call = json!({
            "action": "test.ask", "with": {}, "effect": "read", "idempotent": true, "observable": true,
            "recoverable": false,
        });
        let read = |call: &Value| serde_json::from_value::<ActionCall>(call.clone()).unwrap();
        assert_eq!(read(&call).harmless, Harmlessness::Unvouched);
        assert_eq!(json!(read(&call)), call);
        call["harmless"] = json!("vouched");
        assert_eq!(read(&call).harmless, Harmlessness::Vouched);
    }

    #[test]
    fn delays_grow_up_to_the_longest() {
        let policy = RetryPolicy {
            attempts: 5,
            delay: SignedDuration::from_secs(2),
            backoff: 3.0,
            max_delay: Some(SignedDuration::from_secs(10)),
        };
        let seconds: Vec<_> = (1..=5).map(|n| policy.delay_after(n).map(|d| d.as_secs())).collect();
        assert_eq!(seconds, [Some(2), Some(6), Some(10), Some(10), None]);
    }
}
