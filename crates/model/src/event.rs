//! What a run tells those who watch it. Events follow from records and the state they lead to, so that replaying a
//! journal tells what the live run told; only progress has no record behind it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::action_spec::Harmlessness;
use crate::ids::{Attempt, Effort, NodeIndex, RunId, Seq};
use crate::node_path::NodePath;
use crate::outcome::{Failure, Observation, Outcome};
use crate::record::{Mode, Record, RecordBody};
use crate::run_state::{RunState, Status, StepState};

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The newest record when it happened.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
    /// The run.
    pub run: RunId,
    /// The step it is about.
    pub step: Option<NodePath>,
    /// The attempt it is about.
    pub attempt: Option<Attempt>,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// The run begins.
    RunCreated,
    /// A driver took the run over.
    RunResumed {
        /// Who.
        actor: String,
    },
    /// An attempt begins.
    StepStarted,
    /// A step says how it is going, or an attempt failed and another follows.
    StepProgress {
        /// In words.
        message: String,
    },
    /// A step came to its end, or was rehearsed.
    StepFinished {
        /// Its state.
        status: Status,
    },
    /// Nobody knows how an attempt ended.
    StepInDoubt {
        /// Why.
        cause: String,
    },
    /// A doubt was looked into.
    DoubtResolved {
        /// The record's rule, evidence and resolution.
        data: Value,
    },
    /// A gate waits for people.
    GateOpened {
        /// What they are asked.
        question: String,
        /// When it expires.
        expires: Option<Timestamp>,
    },
    /// A gate has its answer.
    GateDecided {
        /// The record's decision and reason.
        data: Value,
    },
    /// A person decided.
    OperatorDecided {
        /// The word, such as `mark_done`.
        decision: String,
        /// Who.
        actor: String,
        /// Why.
        reason: String,
    },
    /// A guard tripped.
    GuardTripped {
        /// The record's guard, evidence and effect.
        data: Value,
    },
    /// An undo begins.
    UndoStarted,
    /// An undo came to its end.
    UndoFinished {
        /// The step's state.
        status: Status,
    },
    /// The driver let go of a run that is not finished.
    RunStopped {
        /// Why: `interrupted`, `paused` or `needs_person`.
        reason: String,
    },
    /// The run ended.
    RunFinished {
        /// How.
        verdict: &'static str,
    },
}

impl EventKind {
    /// The word that programs are given.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::RunCreated => "run_created",
            Self::RunResumed { .. } => "run_resumed",
            Self::StepStarted => "step_started",
            Self::StepProgress { .. } => "step_progress",
            Self::StepFinished { .. } => "step_finished",
            Self::StepInDoubt { .. } => "step_in_doubt",
            Self::DoubtResolved { .. } => "doubt_resolved",
            Self::GateOpened { .. } => "gate_opened",
            Self::GateDecided { .. } => "gate_decided",
            Self::OperatorDecided { .. } => "operator_decided",
            Self::GuardTripped { .. } => "guard_tripped",
            Self::UndoStarted => "undo_started",
            Self::UndoFinished { .. } => "undo_finished",
            Self::RunStopped { .. } => "run_stopped",
            Self::RunFinished { .. } => "run_finished",
        }
    }
}

impl Event {
    /// The event that a record makes, given the state after it. Notes make none.
    pub fn of(record: &Record, state: &RunState) -> Option<Self> {
        let (step, attempt, kind) = parts(record, state)?;
        Some(Self { seq: record.seq, at: record.at, run: state.run().clone(), step, attempt, kind })
    }

    /// The event as programs are given it, `{"seq", "at", "run", "type", "step"?, "attempt"?, …}`, with what the state
    /// says of the step or the run.
    pub fn to_json(&self, state: &RunState) -> Map<String, Value> {
        let mut json = Map::new();
        let mut put = |key: &str, value: Value| {
            if !value.is_null() {
                json.insert(key.to_owned(), value);
            }
        };
        put("seq", json!(self.seq));
        put("at", json!(self.at));
        put("run", json!(self.run));
        put("type", json!(self.kind.type_name()));
        put("step", json!(self.step));
        put("attempt", json!(self.attempt));
        let step = self.step.as_ref().and_then(|path| state.find(path));
        match &self.kind {
            EventKind::RunCreated => {
                put("runbook", json!(state.plan().runbook()));
                put("title", json!(state.plan().title()));
                put("mode", json!(state.mode()));
                put("digest", json!(state.plan().source().digest));
                put("actor", json!(state.created().actor));
            }
            EventKind::RunResumed { actor } => put("actor", json!(actor)),
            EventKind::StepStarted | EventKind::UndoStarted => {
                put("title", json!(step.map(|at| &state.template(at).title)));
            }
            EventKind::StepProgress { message } => put("message", json!(message)),
            EventKind::StepFinished { status } | EventKind::UndoFinished { status } => {
                put("state", json!(status));
                for (key, value) in step.map(|at| step_details(state, at)).unwrap_or_default() {
                    put(&key, value);
                }
            }
            EventKind::StepInDoubt { cause } => put("cause", json!(cause)),
            EventKind::DoubtResolved { data }
            | EventKind::GateDecided { data }
            | EventKind::GuardTripped { data } => {
                for (key, value) in data.as_object().into_iter().flatten() {
                    put(key, value.clone());
                }
            }
            EventKind::GateOpened { question, expires } => {
                put("question", json!(question));
                put("expires", json!(expires));
            }
            EventKind::OperatorDecided { decision, actor, reason } => {
                put("decision", json!(decision));
                put("actor", json!(actor));
                put("reason", json!(reason));
            }
            EventKind::RunStopped { reason } => put("reason", json!(reason)),
            EventKind::RunFinished { verdict } => {
                put("verdict", json!(verdict));
                put("deviations", json!(state.deviations().len()));
                if state.mode() == Mode::DryRun {
                    put("not_rehearsed", json!(not_rehearsed(state)));
                }
                put("elapsed_ms", json!(elapsed_ms(state.created_at(), self.at)));
            }
        }
        json
    }
}

/// How many steps a dry run could not tell anything about. None of them counts as passed.
pub fn not_rehearsed(state: &RunState) -> usize {
    state.tally(Status::NotRehearsed) as usize
}

/// If a dry run has seen something of the step: on whose word it was looked at.
pub fn rests_on(state: &RunState, step: NodeIndex) -> Option<Harmlessness> {
    let StepState::Rehearsed { observation, .. } = state.step(step) else { return None };
    match observation {
        Observation::InPlace { .. } | Observation::Pending { .. } => {
            Some(state.template(step).action()?.rehearsed_by()?.harmless)
        }
        Observation::Blocked { .. } | Observation::Unknown { .. } => None,
    }
}

/// What is known about a step that is over, for programs: `evidence`, `outputs`, `failure` …
pub fn step_details(state: &RunState, step: NodeIndex) -> Map<String, Value> {
    let mut json = Map::new();
    let mut put = |key: &str, value: Value| drop(json.insert(key.to_owned(), value));
    if let StepState::Rehearsed { without, .. } = state.step(step)
        && !without.is_empty()
    {
        put("without", json!(without));
    }
    if let Some(harmless) = rests_on(state, step) {
        put("harmless", json!(harmless));
    }
    match state.step(step) {
        StepState::Done { outcome: Outcome { evidence, outputs, warnings }, .. }
        | StepState::Rehearsed {
            observation: Observation::InPlace { evidence, outputs, warnings }, ..
        } => {
            put("evidence", json!(evidence));
            if !outputs.is_empty() {
                put("outputs", json!(outputs));
            }
            if !warnings.is_empty() {
                put("warnings", json!(warnings));
            }
        }
        StepState::Skipped { why } | StepState::Cancelled { why } => put("why", json!(why)),
        StepState::Failed { failure }
        | StepState::UndoFailed { failure }
        | StepState::Retrying { failure, .. } => {
            put("failure", json!(failure));
        }
        StepState::InDoubt { cause, asked, .. } => {
            put("cause", json!(cause));
            if let Some(evidence) = asked {
                put("evidence", json!(evidence));
            }
        }
        StepState::Rehearsed { observation: Observation::Pending { change }, .. } => {
            put("change", json!(change));
        }
        StepState::Rehearsed {
            observation: Observation::Blocked { why } | Observation::Unknown { why },
            ..
        } => put("why", json!(why)),
        StepState::Waiting(gate) => put("question", json!(gate.question)),
        StepState::Undone { evidence } => put("evidence", json!(evidence)),
        StepState::Pending | StepState::Open | StepState::Over | StepState::Running { .. } => {}
    }
    if let (Some(start), Some(end)) = (state.started_at(step), state.ended_at(step)) {
        put("elapsed_ms", json!(elapsed_ms(start, end)));
    }
    json
}

type Parts = (Option<NodePath>, Option<Attempt>, EventKind);

fn parts(record: &Record, state: &RunState) -> Option<Parts> {
    let status = |node: &NodePath| state.find(node).map_or(Status::Pending, |at| state.status(at));
    let run = |kind| Some((None, None, kind));
    let about = |node: &NodePath, attempt, kind| Some((Some(node.clone()), attempt, kind));
    match &record.body {
        RecordBody::RunCreated(_) => run(EventKind::RunCreated),
        RecordBody::RunResumed { actor, .. } => run(EventKind::RunResumed { actor: actor.clone() }),
        RecordBody::StepStarted { node, attempt, effort: Effort::Apply, .. } => {
            about(node, Some(*attempt), EventKind::StepStarted)
        }
        RecordBody::StepStarted { node, attempt, effort: Effort::Undo, .. } => {
            about(node, Some(*attempt), EventKind::UndoStarted)
        }
        RecordBody::AttemptFailed { node, attempt, failure, retry_at } => {
            let message = failed_attempt(*attempt, failure, record.at, *retry_at);
            about(node, Some(*attempt), EventKind::StepProgress { message })
        }
        RecordBody::StepFinished { node, attempt, .. } => {
            about(node, *attempt, EventKind::StepFinished { status: status(node) })
        }
        RecordBody::StepRehearsed { node, .. } => {
            about(node, None, EventKind::StepFinished { status: status(node) })
        }
        RecordBody::StepInDoubt { node, attempt, cause } => {
            about(node, Some(*attempt), EventKind::StepInDoubt { cause: cause.clone() })
        }
        RecordBody::DoubtResolved { node, attempt, rule, evidence, resolution, retry_at: _ } => {
            let data = json!({"rule": rule, "evidence": evidence, "resolution": resolution});
            about(node, Some(*attempt), EventKind::DoubtResolved { data })
        }
        RecordBody::GateOpened { node, gate } => {
            let kind = EventKind::GateOpened { question: gate.question.clone(), expires: gate.expires };
            about(node, None, kind)
        }
        RecordBody::GateDecided { node, decision, why } => {
            about(node, None, EventKind::GateDecided { data: json!({"decision": decision, "why": why}) })
        }
        RecordBody::OperatorDecided { node, decision, actor, reason } => {
            let (actor, reason) = (actor.clone(), reason.clone());
            let kind = EventKind::OperatorDecided { decision: decision.name().to_owned(), actor, reason };
            Some((node.clone(), None, kind))
        }
        RecordBody::GuardTripped { guard, node: _, evidence, then } => {
            run(EventKind::GuardTripped { data: json!({"guard": guard, "evidence": evidence, "then": then}) })
        }
        RecordBody::RunStopped { reason } => {
            run(EventKind::RunStopped { reason: reason.as_str().to_owned() })
        }
        RecordBody::RunFinished { verdict } => run(EventKind::RunFinished { verdict: verdict.as_str() }),
        RecordBody::NodeOpened { .. }
        | RecordBody::LoopExpanded { .. }
        | RecordBody::BatchOpened { .. }
        | RecordBody::AttemptNoted { .. }
        | RecordBody::ChangeAccepted { .. }
        | RecordBody::GateVoted { .. }
        | RecordBody::RequirementMet { .. }
        | RecordBody::RollbackBegan { .. }
        | RecordBody::LockTaken { .. }
        | RecordBody::LockReleased { .. }
        | RecordBody::Told { .. }
        | RecordBody::RunEdited { .. }
        | RecordBody::Note { .. } => None,
    }
}

fn failed_attempt(attempt: Attempt, failure: &Failure, at: Timestamp, due: Timestamp) -> String {
    format!("attempt {attempt} failed: {failure}; next attempt in {:#}", due.duration_since(at))
}

/// Whole milliseconds between two moments, at least 0.
pub fn elapsed_ms(from: Timestamp, to: Timestamp) -> i128 {
    to.duration_since(from).as_millis().max(0)
}
