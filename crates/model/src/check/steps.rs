//! Checks each step and puts it into the plan.

use super::action_calls;
use super::header::plain;
use super::outline::{Row, Written};
use super::references::Names;
use super::templates::Templates;
use crate::action_spec::Effect;
use crate::document::{Retry, Step};
use crate::ids::{StepId, StepIndex};
use crate::plan::{ActionCall, ActionStep, OnUnknown, PlanStep, RetryPolicy, StepKind};
use crate::problem::{Problem, Problems};
use crate::source::Span;

/// The steps of the plan; nothing if one of them is a problem.
pub(super) fn build(
    names: &Names<'_>,
    needs: Vec<Vec<StepIndex>>,
    problems: &mut Problems,
) -> Option<Vec<PlanStep>> {
    let rows = names.outline.rows().zip(needs);
    let steps: Vec<_> = rows.map(|((at, row), needs)| step(names, at, row, needs, problems)).collect();
    steps.into_iter().collect()
}

fn step(
    names: &Names<'_>,
    at: StepIndex,
    row: &Row<'_>,
    needs: Vec<StepIndex>,
    problems: &mut Problems,
) -> Option<PlanStep> {
    if let Some(title) = row.written.title() {
        plain(title, problems);
    }
    let mut templates = Templates::new(names, at);
    if let Some(when) = row.written.when() {
        templates.condition(when, problems);
    }
    let kind = match row.written {
        Written::Block(_) => Some(StepKind::Block { children: row.children.clone() }),
        Written::Step(step) => {
            action(&mut templates, step, problems).map(|action| StepKind::Action(Box::new(action)))
        }
    };
    let id = row.written.id()?;
    Some(PlanStep {
        id: StepId::new(&id.value).ok()?,
        title: row.written.title().unwrap_or(id).value.clone(),
        line: u32::try_from(names.document.source.line_of(row.written.place().start)).unwrap_or(u32::MAX),
        section: row.section,
        parent: row.parent,
        needs,
        when: row.written.when().into_iter().map(|when| when.value.clone()).collect(),
        kind: kind?,
    })
}

fn action(templates: &mut Templates<'_>, step: &Step, problems: &mut Problems) -> Option<ActionStep> {
    let names = templates.names;
    let call = action_calls::check(templates, &step.call, problems);
    let check = step.check.as_ref().map(|check| {
        let looked_up = action_calls::check(templates, check, problems);
        if let (Some(looked_up), Some(action)) = (&looked_up, &check.action)
            && looked_up.effect != Effect::Read
        {
            problems.push(check_writes(names, looked_up, action.span));
        }
        looked_up
    });
    let mut call = call?;
    call.idempotent |= step.idempotent;
    let check = match check {
        Some(check) => Some(check?),
        None => None,
    };
    Some(ActionStep {
        check,
        timeout: step.timeout,
        retry: retry(&step.retry),
        on_failure: step.on_failure,
        on_unknown: on_unknown(step, &call, problems),
        call,
    })
}

fn check_writes(names: &Names<'_>, check: &ActionCall, span: Span) -> Problem {
    let message = format!("`check` must only look, and `{}` can change something", check.action);
    let vouched_by = names.catalog.spec(check.action.as_str()).and_then(|spec| spec.vouched_by.as_ref());
    let help = vouched_by.map(|parameter| format!("if it only looks, say so with `{parameter}: true`"));
    Problem::new("check_writes", span, message).help_maybe(help)
}

fn on_unknown(step: &Step, call: &ActionCall, problems: &mut Problems) -> OnUnknown {
    let Some(written) = &step.on_unknown else { return OnUnknown::default() };
    if written.value == OnUnknown::Rerun && !call.idempotent && call.effect == Effect::Write {
        let message =
            format!("`{}` is not safe to repeat, so it cannot be run again when in doubt", call.action);
        problems.push(
            Problem::new("rerun", written.span, message)
                .help("use `ask` or `fail`, or vouch for the step with `idempotent: true`"),
        );
    }
    written.value
}

fn retry(written: &Retry) -> RetryPolicy {
    let default = RetryPolicy::default();
    RetryPolicy {
        attempts: written.attempts.unwrap_or(default.attempts),
        delay: written.delay.unwrap_or(default.delay),
        backoff: written.backoff.unwrap_or(default.backoff),
        max_delay: written.max_delay.or(default.max_delay),
    }
}
