//! What `check` asks of the actions that are there, without knowing any of them.

use serde_json::Value;

use crate::action_spec::{ActionSpec, Effect, Harmlessness};

/// The way to a parameter, or into one, from the parameters' root: names of keys and, as digits, places in lists.
pub type ParamPath = Vec<String>;

/// One thing that is wrong with an action's parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamProblem {
    /// The parameters that the problem is about; one that is missing counts, too. Empty: the problem is about all of
    /// them. Values that a run fills in are blamed by this, and by nothing that the message says.
    pub about: Vec<ParamPath>,
    /// Whether the key itself is wrong (unknown) rather than its value.
    pub on_key: bool,
    /// What is wrong, in lower case, without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ParamProblem {
    /// A problem that is, so far, about all parameters.
    pub fn new(message: impl Into<String>) -> Self {
        Self { about: Vec::new(), on_key: false, message: message.into(), help: None }
    }

    /// Adds a parameter, or a place inside one, that the problem is about.
    #[must_use = "the problem is returned with the parameter, not changed in place"]
    pub fn about<K: Into<String>>(mut self, path: impl IntoIterator<Item = K>) -> Self {
        self.about.push(path.into_iter().map(Into::into).collect());
        self
    }

    /// Says that the key itself is wrong.
    #[must_use = "the problem is returned with the key, not changed in place"]
    pub fn on_key(mut self) -> Self {
        self.on_key = true;
        self
    }

    /// Sets what to do about it.
    #[must_use = "the problem is returned with the help, not changed in place"]
    pub fn help_maybe(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// The same problem of parameters that are the value of a parameter.
    #[must_use = "the problem is returned with the longer paths, not changed in place"]
    pub fn within(mut self, parameter: &str) -> Self {
        self.about.iter_mut().for_each(|path| path.insert(0, parameter.to_owned()));
        self
    }

    /// The path that all parameters have in common which the problem is about.
    pub fn place(&self) -> &[String] {
        let Some((first, others)) = self.about.split_first() else { return &[] };
        let common = |other: &ParamPath| first.iter().zip(other).take_while(|(a, b)| a == b).count();
        &first[..others.iter().map(common).min().unwrap_or(first.len())]
    }

    /// Whether the problem is about that parameter, a place inside it, or one around it.
    pub fn concerns(&self, path: &[String]) -> bool {
        self.about.iter().any(|about| about.starts_with(path) || path.starts_with(about))
    }
}

/// The actions that are there.
///
/// In the values handed to [`Catalog::check_params`], [`Catalog::effect`] and [`Catalog::harmlessness`], a text that
/// contains a template stands for a value that is not known yet: such a value is accepted wherever a value may be.
pub trait Catalog {
    /// The entry of the action of that name.
    fn spec(&self, name: &str) -> Option<&ActionSpec>;

    /// The names of all actions, sorted.
    fn names(&self) -> Vec<&str>;

    /// Everything that can be known to be wrong with these parameters.
    fn check_params(&self, name: &str, params: &Value) -> Vec<ParamProblem>;

    /// As [`Catalog::check_params`], for parameters whose templates were filled in: a value that one gave is taken as
    /// the action will take it.
    fn check_filled(&self, name: &str, params: Value) -> Vec<ParamProblem> {
        self.check_params(name, &params)
    }

    /// What the action may do to the world with these parameters.
    fn effect(&self, name: &str, params: &Value) -> Effect;

    /// Whether a look with these parameters is known to change nothing.
    fn harmlessness(&self, name: &str, params: &Value) -> Harmlessness;
}

#[cfg(test)]
mod tests {
    use super::ParamProblem;

    #[test]
    fn a_problem_stands_where_all_it_is_about_stands() {
        let place = |problem: &ParamProblem| problem.place().join(".");
        let whole = ParamProblem::new("wrong");
        assert_eq!(place(&whole), "");
        let one = whole.about(["env", "A"]);
        assert_eq!(place(&one), "env.A");
        let two = one.clone().about(["env", "B"]);
        assert_eq!(place(&two), "env");
        assert_eq!(place(&two.within("call")), "call.env");
        assert_eq!(place(&one.about(["argv"])), "");
    }

    #[test]
    fn a_problem_concerns_what_is_around_and_inside_its_place() {
        let path = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
        let problem = ParamProblem::new("wrong").about(["env", "A"]);
        assert!(["env", "env.A", "env.A.0"].iter().all(|inside| problem.concerns(&path(inside))));
        assert!(["argv", "env.B"].iter().all(|other| !problem.concerns(&path(other))));
        assert!(!ParamProblem::new("wrong").concerns(&path("env")));
    }
}
