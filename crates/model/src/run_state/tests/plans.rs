//! Random plans: lists, side by side, loops whose items are known late, and calls, each in any other.

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use crate::action_spec::{Effect, Harmlessness};
use crate::ids::{ActionName, Digest, StepId, StepIndex};
use crate::plan::{
    ActionCall, ActionStep, LoopStep, Objectives, OnFailure, OnUnknown, Pacing, PinnedSource, Plan,
    PlanParts, PlanStep, RetryPolicy, Section, Share, StepKind,
};

/// What a generated step is.
#[derive(Debug, Clone)]
pub(super) enum Sketch {
    Act {
        tolerant: bool,
    },
    /// One after the other.
    List {
        conditional: bool,
        inside: Vec<Sketch>,
    },
    /// Each waits for those that its number names, counted back.
    Parallel {
        conditional: bool,
        inside: Vec<(Option<usize>, Sketch)>,
    },
    Each {
        max_parallel: u32,
        batches: Vec<u32>,
        pause: bool,
        max_failures: u32,
        inside: Box<Sketch>,
    },
    Call {
        inside: Vec<Sketch>,
    },
}

pub(super) fn act(tolerant: bool) -> Sketch {
    Sketch::Act { tolerant }
}

pub(super) fn sketch() -> impl Strategy<Value = Sketch> {
    let leaf = any::<bool>().prop_map(act);
    leaf.prop_recursive(3, 16, 4, |inner| {
        let inside = || proptest::collection::vec(inner.clone(), 1..4);
        let beside = proptest::collection::vec((proptest::option::of(1usize..3), inner.clone()), 1..4);
        prop_oneof![
            (any::<bool>(), inside()).prop_map(|(conditional, inside)| Sketch::List { conditional, inside }),
            (any::<bool>(), beside)
                .prop_map(|(conditional, inside)| Sketch::Parallel { conditional, inside }),
            (1u32..4, proptest::collection::vec(1u32..3, 0..3), any::<bool>(), 0u32..3, inner.clone())
                .prop_map(|(max_parallel, batches, pause, max_failures, inside)| Sketch::Each {
                    max_parallel,
                    batches,
                    pause,
                    max_failures,
                    inside: Box::new(inside),
                }),
            inside().prop_map(|inside| Sketch::Call { inside }),
        ]
    })
}

/// The plan of a list of steps, with so many in `finally`.
pub(super) fn plan(sketches: &[Sketch], finally: usize) -> Plan {
    let mut steps = Vec::new();
    let mut above = None;
    for sketch in sketches {
        above = Some(add(&mut steps, sketch, Section::Steps, None, above.into_iter().collect()));
    }
    let mut above = None;
    for _ in 0..finally {
        above = Some(add(&mut steps, &act(false), Section::Finally, None, above.into_iter().collect()));
    }
    let parts = PlanParts {
        runbook: StepId::new("test").unwrap(),
        title: None,
        owner: None,
        objectives: Objectives::default(),
        locks: Vec::new(),
        inputs: Vec::new(),
        secrets: Vec::new(),
        steps,
        requires: Vec::new(),
        source: PinnedSource { name: "test.yaml".to_owned(), text: String::new(), digest: Digest::of(b"") },
    };
    Plan::try_from(parts).unwrap()
}

fn add(
    steps: &mut Vec<PlanStep>,
    sketch: &Sketch,
    section: Section,
    parent: Option<StepIndex>,
    needs: Vec<StepIndex>,
) -> StepIndex {
    let at = StepIndex(steps.len() as u32);
    let id = StepId::new(&format!("s{}", at.0)).unwrap();
    let conditional =
        matches!(sketch, Sketch::List { conditional: true, .. } | Sketch::Parallel { conditional: true, .. });
    let when = if conditional { vec!["{{ inputs.go }}".to_owned()] } else { Vec::new() };
    let kind = StepKind::Block { children: Vec::new() };
    steps.push(PlanStep { title: id.to_string(), id, line: 1, section, parent, needs, when, kind });
    let kind = match sketch {
        Sketch::Act { tolerant } => action(*tolerant),
        Sketch::List { inside, .. } => StepKind::Block { children: in_order(steps, inside, section, at) },
        Sketch::Call { inside } => {
            StepKind::Call { children: in_order(steps, inside, section, at), inputs: json!({}) }
        }
        Sketch::Parallel { inside, .. } => {
            let mut children: Vec<StepIndex> = Vec::new();
            for (back, sketch) in inside {
                let need = back.and_then(|back| children.len().checked_sub(back)).map(|need| children[need]);
                children.push(add(steps, sketch, section, Some(at), need.into_iter().collect()));
            }
            StepKind::Block { children }
        }
        Sketch::Each { max_parallel, batches, pause, max_failures, inside } => {
            let inside = match inside.as_ref() {
                each @ Sketch::Each { .. } => {
                    &Sketch::List { conditional: false, inside: vec![each.clone()] }
                }
                other => other,
            };
            add(steps, inside, section, Some(at), Vec::new());
            StepKind::Loop(Box::new(LoopStep {
                over: json!([]),
                pacing: Pacing {
                    max_parallel: *max_parallel,
                    batches: batches.iter().copied().map(Share::Items).collect(),
                    pause: if *pause { SignedDuration::from_secs(1) } else { SignedDuration::ZERO },
                },
                max_failures: Share::Items(*max_failures),
            }))
        }
    };
    steps[at.get()].kind = kind;
    at
}

fn in_order(steps: &mut Vec<PlanStep>, inside: &[Sketch], section: Section, at: StepIndex) -> Vec<StepIndex> {
    let mut children: Vec<StepIndex> = Vec::new();
    for sketch in inside {
        let above = children.last().copied().into_iter().collect();
        children.push(add(steps, sketch, section, Some(at), above));
    }
    children
}

fn action(tolerant: bool) -> StepKind {
    let call = ActionCall {
        action: ActionName::new("test.do").unwrap(),
        with: json!({}),
        effect: Effect::Write,
        harmless: Harmlessness::Proven,
        idempotent: false,
        observable: true,
        recoverable: false,
        rehearsed_without: Vec::new(),
    };
    StepKind::Action(Box::new(ActionStep {
        call,
        check: None,
        timeout: None,
        retry: RetryPolicy::default(),
        on_failure: if tolerant { OnFailure::Continue } else { OnFailure::Stop },
        on_unknown: OnUnknown::Ask,
    }))
}
