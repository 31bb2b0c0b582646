//! What must be true of a plan that is read back, so that no damaged or forged file makes the program panic.

use std::collections::HashSet;

use super::{PlanParts, PlanStep, Section, StepKind};
use crate::ids::StepIndex;

/// Why a stored plan cannot be one that `check` made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan is not valid: {0}")]
pub struct InvalidPlan(String);

/// Names in `requires` that this version understands.
const UNDERSTOOD: &[&str] = &[];
/// Far more than `check` lets through, and few enough for 32 bits with items of loops on top.
const MOST_STEPS: usize = 1_000_000;

pub(super) fn validate(parts: &PlanParts) -> Result<(), InvalidPlan> {
    let steps = &parts.steps;
    if let Some(unknown) = parts.requires.iter().find(|name| !UNDERSTOOD.contains(&name.as_str())) {
        return Err(InvalidPlan(format!("it requires `{unknown}`, which this lifeboat does not know")));
    }
    if steps.is_empty() || steps.len() > MOST_STEPS {
        return Err(InvalidPlan(format!("it has {} steps", steps.len())));
    }
    let mut ids = HashSet::new();
    for (at, step) in steps.iter().enumerate() {
        let wrong = |why: &str| Err(InvalidPlan(format!("step `{}`: {why}", step.id)));
        if !ids.insert((step.parent, &step.id)) {
            return wrong("its id is taken");
        }
        if let Err(why) = place(steps, at, step)
            .and_then(|()| inside(steps, at, step))
            .and_then(|()| needs(steps, at, step))
        {
            return wrong(why);
        }
    }
    acyclic(steps)
}

/// A step stands behind the one around it, in the same section; sections are in order.
fn place(steps: &[PlanStep], at: usize, step: &PlanStep) -> Result<(), &'static str> {
    if at > 0 && step.section < steps[at - 1].section {
        return Err("it stands behind `finally`");
    }
    let Some(parent) = step.parent else { return Ok(()) };
    match steps.get(parent.get()) {
        Some(around) if parent.get() < at && around.section == step.section => {}
        _ => return Err("it does not stand behind what is around it"),
    }
    // Contiguous: the step before it is the one around it, or stands inside that one, too.
    let mut before = Some(StepIndex((at - 1) as u32));
    while let Some(inside) = before.filter(|inside| *inside > parent) {
        before = steps[inside.get()].parent;
    }
    if before == Some(parent) { Ok(()) } else { Err("another step stands between it and what is around it") }
}

/// What holds steps names exactly those that name it; a loop holds one.
fn inside(steps: &[PlanStep], at: usize, step: &PlanStep) -> Result<(), &'static str> {
    let me = Some(StepIndex(at as u32));
    match &step.kind {
        StepKind::Action(_) => Ok(()),
        StepKind::Block { children } | StepKind::Call { children, .. } => {
            let ascending = children.windows(2).all(|pair| pair[0] < pair[1]);
            let ours = |child: &StepIndex| steps.get(child.get()).is_some_and(|child| child.parent == me);
            match !children.is_empty() && ascending && children.iter().all(ours) {
                true => Ok(()),
                false => Err("it does not name the steps inside it"),
            }
        }
        StepKind::Loop(_) if step.section == Section::Finally => Err("a loop stands in `finally`"),
        StepKind::Loop(looping) if looping.pacing.max_parallel == 0 => Err("no item may go on"),
        StepKind::Loop(_) => match steps.get(at + 1) {
            // An item that is a loop has no path of its own: it takes a block in between.
            Some(item) if matches!(item.kind, StepKind::Loop(_)) => Err("its items are loops"),
            Some(item) if item.parent == me && item.needs.is_empty() => Ok(()),
            Some(_) | None => Err("it has no step for its items"),
        },
    }
    .and_then(|()| match step.parent.map(|parent| (parent, &steps[parent.get()].kind)) {
        Some((parent, StepKind::Loop(_))) if at != parent.get() + 1 => {
            Err("a loop has two steps for its items")
        }
        Some((_, StepKind::Block { children } | StepKind::Call { children, .. }))
            if children.binary_search(&StepIndex(at as u32)).is_err() =>
        {
            Err("what is around it does not name it")
        }
        Some((_, StepKind::Action(_))) => Err("it stands inside an action"),
        Some(_) | None => Ok(()),
    })
}

/// A need is another step of the same section, and of the same item of a loop.
fn needs(steps: &[PlanStep], at: usize, step: &PlanStep) -> Result<(), &'static str> {
    let ascending = step.needs.windows(2).all(|pair| pair[0] < pair[1]);
    let around = item_around(steps, StepIndex(at as u32));
    let fits = |need: &StepIndex| {
        let needed = steps.get(need.get());
        needed.is_some_and(|needed| needed.section == step.section) && item_around(steps, *need) == around
    };
    match ascending && step.needs.iter().all(fits) {
        true => Ok(()),
        false => Err("it needs a step that it cannot wait for"),
    }
}

/// The step of the innermost item in which a step stands.
fn item_around(steps: &[PlanStep], mut at: StepIndex) -> Option<StepIndex> {
    while let Some(parent) = steps.get(at.get()).and_then(|step| step.parent) {
        if matches!(steps.get(parent.get())?.kind, StepKind::Loop(_)) {
            return Some(at);
        }
        at = parent;
    }
    None
}

/// No step waits for itself: as a walk over openings and ends, each of which waits for others (see `check`).
fn acyclic(steps: &[PlanStep]) -> Result<(), InvalidPlan> {
    let (opening, end) = (|step: usize| 2 * step, |step: usize| 2 * step + 1);
    let mut waits = vec![0u32; 2 * steps.len()];
    let mut followers = vec![Vec::new(); 2 * steps.len()];
    let mut wait = |waiting: usize, for_this: usize| {
        waits[waiting] += 1;
        followers[for_this].push(waiting);
    };
    for (at, step) in steps.iter().enumerate() {
        wait(end(at), opening(at));
        step.needs.iter().for_each(|need| wait(opening(at), end(need.get())));
        if let Some(parent) = step.parent {
            wait(opening(at), opening(parent.get()));
            wait(end(parent.get()), end(at));
        }
    }
    let mut free: Vec<_> = (0..waits.len()).filter(|moment| waits[*moment] == 0).collect();
    let mut passed = 0;
    while let Some(moment) = free.pop() {
        passed += 1;
        for follower in &followers[moment] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                free.push(*follower);
            }
        }
    }
    match passed == waits.len() {
        true => Ok(()),
        false => Err(InvalidPlan("steps wait for each other".to_owned())),
    }
}
