//! Deciding everything that can be decided now.

use jiff::Timestamp;
use lifeboat_model::record::StopReason;
use lifeboat_model::{Attempt, Effect, Next, RecordBody, RunState, StepIndex, StepState};

use super::{Act, Core, Left, Response};
use crate::doubt::Finding;
use crate::interrupt::Urgency;
use crate::person::Question;

impl Core {
    /// Starts, looks into, asks, wakes and ends until nothing more can be decided without waiting.
    pub(crate) fn settle(&mut self, now: Timestamp, response: &mut Response) {
        while self.left.is_none() {
            let next = RunState::next(&self.state);
            let before = response.drafts.len();
            if self.urgency == Urgency::None {
                self.go_on(now, &next, response);
            }
            if response.drafts.len() == before {
                self.leave_if_over(now, &next, response);
                return;
            }
        }
    }

    fn go_on(&mut self, now: Timestamp, next: &Next, response: &mut Response) {
        let halted = self.state.is_halted();
        for at in next.start.iter().copied() {
            if self.state.is_halted() != halted {
                // A step that could not start stops the run: what may start now is to be asked anew.
                return;
            }
            if !self.looking.contains(&at) {
                self.begin(now, at, response);
            }
        }
        for (due, at) in next.retry.iter().copied() {
            if due <= now {
                self.begin(now, at, response);
            } else if self.wake_at.is_none_or(|planned| due < planned) {
                self.wake_at = Some(due);
                response.acts.push(Act::WakeAt(due));
            }
        }
        for at in next.resolve.iter().copied() {
            if self.looking.contains(&at) {
                continue;
            }
            if self.action(at).call.effect == Effect::Read {
                let attempt = Attempt(self.state.attempts(at));
                self.looked(now, at, attempt, Finding::read_only(), response);
            } else {
                self.look_into(now, at, response);
            }
        }
        for at in next.ask.iter().copied() {
            if !self.nobody && !self.asking.contains(&at) {
                self.ask(at, response);
            }
        }
    }

    fn ask(&mut self, at: StepIndex, response: &mut Response) {
        let StepState::InDoubt { attempt, cause, asked: Some(evidence) } = self.state.step(at) else {
            return;
        };
        let step = self.state.plan().step(at);
        let question = Question {
            step: step.id.clone(),
            title: step.title.clone(),
            attempt: *attempt,
            cause: cause.clone(),
            evidence: evidence.clone(),
        };
        self.asking.insert(at);
        response.acts.push(Act::Ask { at, question });
    }

    fn leave_if_over(&mut self, now: Timestamp, next: &Next, response: &mut Response) {
        // Who is asked to stop waits for no answer: the question is asked again on resume.
        let asking = self.urgency == Urgency::None && !self.asking.is_empty();
        let busy = next.running > 0 || !self.looking.is_empty() || asking;
        if busy {
            return;
        }
        let left = if let Some(verdict) = next.finish {
            self.record(now, RecordBody::RunFinished { verdict }, response);
            Left::Finished(verdict)
        } else if self.urgency > Urgency::None {
            self.stop(now, StopReason::Interrupted, response)
        } else if next.needs_person() {
            self.stop(now, StopReason::NeedsPerson, response)
        } else {
            return;
        };
        self.left = Some(left);
        response.acts.push(Act::Leave(left));
    }

    fn stop(&mut self, now: Timestamp, reason: StopReason, response: &mut Response) -> Left {
        self.record(now, RecordBody::RunStopped { reason }, response);
        Left::Stopped(reason)
    }
}
