//! Deciding everything that can be decided now.

use jiff::Timestamp;
use lifeboat_model::record::StopReason;
use lifeboat_model::{Attempt, Effect, Next, NodeIndex, Outlook, RecordBody, RunState, StepState};

use super::{Act, Core, Left, Response};
use crate::doubt::Finding;
use crate::interrupt::Urgency;
use crate::person::Question;

impl Core {
    /// Starts, looks into, asks, wakes and ends until nothing more can be decided without waiting.
    pub(crate) fn settle(&mut self, now: Timestamp, response: &mut Response) {
        while self.left.is_none() {
            let before = response.drafts.len();
            if self.urgency == Urgency::None {
                self.go_on(now, response);
            }
            if response.drafts.len() == before {
                self.leave_if_over(now, response);
                return;
            }
        }
    }

    fn go_on(&mut self, now: Timestamp, response: &mut Response) {
        let Next { start, resolve, due, ask } = RunState::next(&self.state);
        #[cfg(test)]
        {
            self.work += 1 + start.len() + resolve.len() + ask.len();
        }
        self.begin_all(now, &start, response);
        match due {
            Some((due, at)) if due <= now => self.is_due(now, at, response),
            Some((due, _)) if self.wake_at.is_none_or(|planned| due < planned) => {
                self.wake_at = Some(due);
                response.acts.push(Act::WakeAt(due));
            }
            Some(_) | None => {}
        }
        for at in resolve {
            if !self.takes(at) {
                continue;
            }
            if self.action(at).call.effect == Effect::Read {
                let attempt = Attempt(self.state.attempts(at));
                self.looked(now, at, attempt, Finding::read_only(), response);
            } else {
                self.look_into(now, at, response);
            }
        }
        for at in ask {
            self.state.take(at);
            if !self.nobody && !self.asking.contains(&at) {
                self.ask(at, response);
            }
        }
    }

    /// A retry begins, or the next batch of a loop.
    fn is_due(&mut self, now: Timestamp, at: NodeIndex, response: &mut Response) {
        match self.state.next_batch(at) {
            Some(batch) => self.record(now, RecordBody::BatchOpened { node: self.path(at), batch }, response),
            None => self.begin(now, at, response),
        }
    }

    fn begin_all(&mut self, now: Timestamp, start: &[NodeIndex], response: &mut Response) {
        let halted = self.state.is_halted();
        for at in start.iter().copied() {
            if self.state.is_halted() != halted {
                // A step that could not start stops the run: what may start now is to be asked anew.
                return;
            }
            if self.takes(at) {
                self.begin(now, at, response);
            }
        }
    }

    /// Takes an offered step, so that it is not offered again as it is. False for one that is being looked at already:
    /// everything is offered anew when the run's ending is to be repeated.
    fn takes(&mut self, at: NodeIndex) -> bool {
        self.state.take(at);
        !self.looking.contains(&at)
    }

    fn ask(&mut self, at: NodeIndex, response: &mut Response) {
        let StepState::InDoubt { attempt, cause, asked: Some(evidence), .. } = self.state.step(at) else {
            return;
        };
        let question = Question {
            step: self.state.path(at),
            title: self.state.template(at).title.clone(),
            attempt,
            cause: cause.to_owned(),
            evidence: evidence.to_owned(),
        };
        self.asking.insert(at);
        response.acts.push(Act::Ask { at, question });
    }

    fn leave_if_over(&mut self, now: Timestamp, response: &mut Response) {
        // Who is asked to stop waits for no answer: the question is asked again on resume.
        let asking = self.urgency == Urgency::None && !self.asking.is_empty();
        if self.state.is_busy() || !self.looking.is_empty() || asking {
            return;
        }
        let left = match self.state.outlook() {
            Outlook::Ends(verdict) => {
                self.record(now, RecordBody::RunFinished { verdict }, response);
                Left::Finished(verdict)
            }
            _ if self.urgency > Urgency::None => self.stop(now, StopReason::Interrupted, response),
            Outlook::NeedsPerson => self.stop(now, StopReason::NeedsPerson, response),
            Outlook::GoesOn => return,
            Outlook::Undoes => panic!("bug: a run is driven that is rolled back"),
        };
        self.left = Some(left);
        response.acts.push(Act::Leave(left));
    }

    fn stop(&mut self, now: Timestamp, reason: StopReason, response: &mut Response) -> Left {
        self.record(now, RecordBody::RunStopped { reason }, response);
        Left::Stopped(reason)
    }
}
