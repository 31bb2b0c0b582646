//! The person at the terminal, asked about a step in doubt with the evidence in view.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, BufRead as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lifeboat::{OutputTails, RequiredOutput, RequiredOutputs, uses};
use lifeboat_display::sanitize::clean;
use lifeboat_display::style::{BOLD, WARNING};
use lifeboat_engine::{Answer, Person, Question};
use lifeboat_model::outcome::Outputs;
use lifeboat_model::record::Decision;
use lifeboat_model::{NodePath, StepId};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::output_tail;
use crate::terminal::Terminal;

/// Asks at the terminal, one question at a time.
#[derive(Debug)]
pub(crate) struct AtTerminal {
    pub(crate) terminal: Arc<Terminal>,
    /// Who answers.
    pub(crate) actor: String,
    /// Cancelled by a signal: nobody is asked any more.
    pub(crate) interrupted: CancellationToken,
    pub(crate) turn: Arc<Mutex<()>>,
    /// The outputs that steps must have for others.
    pub(crate) required: Arc<BTreeMap<StepId, RequiredOutputs>>,
    /// What the steps printed.
    pub(crate) tails: Arc<OutputTails>,
}

impl Person for AtTerminal {
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Option<Answer>> + Send>> {
        let (sender, answer) = oneshot::channel();
        let (terminal, actor, turn) =
            (Arc::clone(&self.terminal), self.actor.clone(), Arc::clone(&self.turn));
        let interrupted = self.interrupted.clone();
        let asked = interrupted.clone();
        let tails = Arc::clone(&self.tails);
        let required = self.required.get(question.step.id()).cloned().unwrap_or_default();
        // A thread of its own, which nobody waits for: a read from a terminal cannot be called off.
        thread::spawn(move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            if asked.is_cancelled() {
                return;
            }
            terminal.hide_region();
            let answer = Dialogue { terminal: &terminal, actor: &actor, required: &required, tails: &tails }
                .about(&question);
            terminal.show_region();
            drop(sender.send(answer));
        });
        Box::pin(async move {
            tokio::select! {
                answer = answer => answer.ok().flatten(),
                () = interrupted.cancelled() => None,
            }
        })
    }
}

/// Asks whether to go on. Anything but a yes is a no.
pub(crate) fn confirm(terminal: &Terminal, question: &str) -> bool {
    let line = answer(terminal, &format!("{BOLD}{question}{BOLD:#} [y/N] "));
    line.is_some_and(|line| matches!(line.to_ascii_lowercase().as_str(), "y" | "yes"))
}

struct Dialogue<'a> {
    terminal: &'a Terminal,
    actor: &'a str,
    required: &'a RequiredOutputs,
    tails: &'a OutputTails,
}

/// What a person can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Retry,
    Skip,
    MarkDone,
    Later,
}

impl Dialogue<'_> {
    fn about(&self, question: &Question) -> Option<Answer> {
        let Question { step, title, attempt, cause, evidence } = question;
        self.terminal.say(&format!(
            "\n{WARNING}step {step} is in doubt{WARNING:#} ({})\n  attempt {attempt}: {}\n{}  looking at it showed: {}\n",
            clean(title),
            clean(cause),
            output_tail::of(self.tails, step, *attempt),
            clean(evidence),
        ));
        self.terminal.say(
            "  retry      run it again\n  skip       go on without it\n  mark-done  it is done\n  later      decide later\n",
        );
        let decision = match self.choose(step)? {
            Choice::Retry => Decision::Retry,
            Choice::Skip => Decision::Skip,
            Choice::MarkDone => Decision::MarkDone { outputs: self.outputs()? },
            Choice::Later => return None,
        };
        let reason = self.reason()?;
        Some(Answer { decision, actor: self.actor.to_owned(), reason })
    }

    fn choose(&self, step: &NodePath) -> Option<Choice> {
        loop {
            let question = format!("{BOLD}What now?{BOLD:#} [retry/skip/mark-done/later] ");
            let line = answer(self.terminal, &question)?;
            match Choice::read(&line) {
                Some(Choice::Skip) if !self.can_be_spared(step) => {}
                Some(choice) => return Some(choice),
                None => self.terminal.say("please answer retry, skip, mark-done or later\n"),
            }
        }
    }

    /// Whether nothing needs what the step would have given, or the person goes on without that, too.
    fn can_be_spared(&self, step: &NodePath) -> bool {
        let uses = uses(step, self.required);
        for used in &uses {
            self.terminal.say(&format!("{used}, and cannot start without it\n"));
        }
        uses.is_empty() || confirm(self.terminal, "Skip it anyway? (mark-done asks for what they use)")
    }

    /// What the step would have given to those that need it.
    fn outputs(&self) -> Option<Outputs> {
        let mut outputs = Outputs::new();
        for (name, output) in self.required {
            outputs.insert(name.clone(), self.output(name, output)?);
        }
        Some(outputs)
    }

    fn output(&self, name: &str, RequiredOutput { users, kind }: &RequiredOutput) -> Option<Value> {
        let must_be = kind.in_words();
        let users = users.iter().map(StepId::as_str).collect::<Vec<_>>().join(", ");
        let question = format!("{BOLD}Its output `{name}`?{BOLD:#} ({must_be}, for step {users}) ");
        loop {
            match kind.read(answer(self.terminal, &question)?) {
                Ok(value) => return Some(value),
                Err(why) => self.terminal.say(&format!("`{name}` {why}\n")),
            }
        }
    }

    fn reason(&self) -> Option<String> {
        let question = format!("{BOLD}Why?{BOLD:#} (recorded with your name, {}) ", clean(self.actor));
        loop {
            let line = answer(self.terminal, &question)?;
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

impl Choice {
    /// Takes a word or a beginning of it.
    fn read(text: &str) -> Option<Self> {
        let words = [
            ("retry", Self::Retry),
            ("skip", Self::Skip),
            ("mark-done", Self::MarkDone),
            ("later", Self::Later),
        ];
        let text = text.to_ascii_lowercase();
        words
            .into_iter()
            .find(|(word, _)| !text.is_empty() && word.starts_with(&text))
            .map(|(_, choice)| choice)
    }
}

/// The answer to a question, as it is typed; nothing at the end of input.
fn answer(terminal: &Terminal, question: &str) -> Option<String> {
    terminal.ask(question);
    let line = read_line();
    terminal.answered();
    line
}

/// A line of stdin without its line break and the blanks around it; nothing at the end of input.
fn read_line() -> Option<String> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::Choice;

    #[test]
    fn a_choice_may_be_shortened() {
        assert_eq!(Choice::read("m"), Some(Choice::MarkDone));
        assert_eq!(Choice::read("Retry"), Some(Choice::Retry));
        assert_eq!(Choice::read(""), None);
        assert_eq!(Choice::read("yes"), None);
    }
}
