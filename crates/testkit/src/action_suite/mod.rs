//! What every action promises. A plug-in's tests call [`crate::action_suite!`] with a way to make an [`ActionSuite`]:
//! how it registers its actions, and parameters for each.
//!
//! ```text
//! described    what an action says of itself: flags, schemas            (nothing is called)
//! parameters   what is refused, and in which words                      (nothing should be called)
//! honesty      answers about a server that is away, or talks nonsense
//! stopping     answers of calls that are told to stop
//! secrets      no text of an answer shows what came in as a secret
//! odd          values at the edge of what can be written
//! ```
//!
//! It needs no server of the action's kind: what an action may not say can be tested with sockets where nothing listens,
//! or where somebody listens who does not speak its language.

mod call;
mod described;
mod honesty;
mod odd;
mod parameters;
mod peer;
mod schema;
mod secrets;
mod stopping;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use lifeboat_action::{Action, Effect, Harmlessness, Registry, harmlessness};
use serde_json::Value;

pub use described::{every_action_is_tried, schemas_are_closed_and_understood, the_description_is_complete};
pub use honesty::{
    a_server_that_is_away_is_neither_as_it_should_be_nor_to_blame,
    a_server_that_talks_nonsense_has_said_nothing, what_has_no_undo_or_no_trace_says_so,
    what_only_looks_leaves_nothing_behind,
};
pub use odd::{no_parameters_are_too_odd_to_check, no_value_is_too_extreme_to_call_with};
pub use parameters::{
    a_missing_parameter_is_named, a_template_is_nobodys_word, a_template_may_stand_anywhere,
    a_wrong_type_is_refused_where_it_stands, good_parameters_are_accepted, unknown_parameters_are_refused,
    what_is_wrong_together_is_not_carried_out, what_is_wrong_together_says_what_it_is_about,
};
pub use secrets::secrets_are_shown_nowhere;
pub use stopping::{a_call_that_hangs_stops_when_told, a_call_that_was_stopped_before_does_nothing};

/// Writes a test for each promise: `action_suite!(|| ActionSuite::new(my_plugin::register).reaching(…))`.
#[macro_export]
macro_rules! action_suite {
    ($suite:expr) => {
        $crate::action_suite!(@tests $suite;
            every_action_is_tried
            the_description_is_complete
            schemas_are_closed_and_understood
            good_parameters_are_accepted
            unknown_parameters_are_refused
            a_missing_parameter_is_named
            a_wrong_type_is_refused_where_it_stands
            a_template_may_stand_anywhere
            a_template_is_nobodys_word
            what_is_wrong_together_says_what_it_is_about
            what_is_wrong_together_is_not_carried_out
            no_parameters_are_too_odd_to_check
            no_value_is_too_extreme_to_call_with
            what_only_looks_leaves_nothing_behind
            what_has_no_undo_or_no_trace_says_so
            a_server_that_is_away_is_neither_as_it_should_be_nor_to_blame
            a_server_that_talks_nonsense_has_said_nothing
            a_call_that_was_stopped_before_does_nothing
            a_call_that_hangs_stops_when_told
            secrets_are_shown_nowhere
        );
    };
    (@tests $suite:expr; $($promise:ident)*) => {
        $(#[test]
        fn $promise() {
            $crate::action_suite::$promise(&$suite);
        })*
    };
}

/// A way to make a suite.
pub type MakeSuite<'a> = &'a dyn Fn() -> ActionSuite;

/// The actions of a plug-in, and what to try them with.
#[must_use]
#[derive(Debug)]
pub struct ActionSuite {
    registry: Registry,
    cases: Vec<Case>,
    contradictions: Vec<Case>,
    grace: Duration,
}

/// An action and good parameters for it.
pub(crate) struct Case {
    action: Arc<dyn Action>,
    params: Params,
    /// Whether its calls need a server; if not, they go on until they are told to stop.
    reaches: bool,
}

/// Parameters for a server at that address, `host:port`.
type Params = Box<dyn Fn(&str) -> Value + Send>;

/// What the engine gives every call to answer, once it is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How long a whole promise may take; far more than it takes. An action that blocks its thread is caught by it.
const AT_MOST: Duration = Duration::from_secs(120);

impl ActionSuite {
    /// The actions that `register` adds.
    pub fn new(register: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::new();
        register(&mut registry);
        Self { registry, cases: Vec::new(), contradictions: Vec::new(), grace: GRACE }
    }

    /// How long a call may take to answer that is told to stop, on top of what it says it needs; 10 s by default, as in a
    /// run.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Parameters of a call that has to reach the server at the address it is given, `host:port` on loopback. With a time
    /// limit of its own it must be a minute or more.
    pub fn reaching(self, action: &str, params: impl Fn(&str) -> Value + Send + 'static) -> Self {
        self.with(action, Box::new(params), true)
    }

    /// Parameters of a call that reaches nothing and goes on for an hour or more, unless it is told to stop.
    pub fn lasting(self, action: &str, params: Value) -> Self {
        self.with(action, Box::new(move |_| params.clone()), false)
    }

    /// Parameters that are right each for itself and wrong together.
    pub fn contradicting(mut self, action: &str, params: impl Fn(&str) -> Value + Send + 'static) -> Self {
        let action = self.action(action);
        self.contradictions.push(Case { action, params: Box::new(params), reaches: true });
        self
    }

    fn with(mut self, action: &str, params: Params, reaches: bool) -> Self {
        let action = self.action(action);
        self.cases.push(Case { action, params, reaches });
        self
    }

    fn reaching_cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.reaches)
    }

    fn action(&self, name: &str) -> Arc<dyn Action> {
        let name = name.parse().expect("family.verb");
        self.registry.action(&name).unwrap_or_else(|| panic!("the plug-in has no action `{name}`"))
    }
}

impl Case {
    /// The parameters where no address matters.
    fn params(&self) -> Value {
        (self.params)("127.0.0.1:1")
    }

    /// Whether what stands at that place says where the call goes. A test must not lead it elsewhere.
    fn leads(&self, path: &[String]) -> bool {
        let other = (self.params)("127.0.0.1:2");
        schema::get(&self.params(), path) != schema::get(&other, path)
    }

    /// What a call with these parameters may do.
    fn effect(&self, params: &Value) -> Effect {
        self.action.effect(params)
    }

    /// Whether a look with these parameters is known to change nothing.
    fn harmlessness(&self, params: &Value) -> Harmlessness {
        harmlessness(&*self.action, params)
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {}", self.action.name(), self.params())
    }
}

/// Drives a promise on a thread of its own with a runtime of one thread, as a run has it.
fn driven(promise: impl AsyncFnOnce() + Send + 'static) {
    let (over, ended) = channel::<()>();
    let driver = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(promise());
        drop(over);
    });
    match ended.recv_timeout(AT_MOST) {
        Err(RecvTimeoutError::Timeout) => panic!("an action blocks its thread, or never reaches the server"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
    }
    if let Err(panic) = driver.join() {
        std::panic::resume_unwind(panic);
    }
}
