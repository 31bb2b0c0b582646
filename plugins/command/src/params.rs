//! Parameters and outputs of `command.run`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use lifeboat_action::{ParamProblem, duration};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The names that lifeboat sets itself.
const RESERVED_PREFIX: &str = "LIFEBOAT_";

/// `command.run`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The program and its arguments. Other users can read them while the command runs: hand secrets over in `env`.
    #[serde(default)]
    #[schemars(extend("x-visible" = true))]
    pub(crate) argv: Option<Vec<String>>,
    /// A script, run by `/bin/sh -c`, in the place of `argv`. Other users can read it while the command runs: hand
    /// secrets over in `env`.
    #[serde(default)]
    #[schemars(extend("x-visible" = true))]
    pub(crate) script: Option<String>,
    /// Environment variables, added to those lifeboat itself was started with.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// The working folder; the one lifeboat was started in if left out. No place for a secret: lists of processes and
    /// open files show it.
    #[serde(default)]
    #[schemars(extend("x-visible" = true))]
    pub(crate) cwd: Option<PathBuf>,
    /// The exit codes that mean success.
    #[serde(default = "success")]
    pub(crate) exit_codes: Vec<u8>,
    /// How long a command that is being stopped may take after SIGTERM, before SIGKILL.
    #[serde(default = "grace", with = "duration")]
    #[schemars(schema_with = "duration::schema")]
    pub(crate) kill_after: Duration,
    /// The author's word that the command changes nothing: it is run in a dry run, too, and may be repeated freely. Its
    /// success means that what it looks for is there, an exit code up to 123 that it is not; any other end says nothing.
    #[serde(default)]
    pub(crate) read_only: bool,
}

/// What `command.run` yields.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Outputs {
    /// The exit code.
    exit_code: i32,
    /// What it printed, or the last 64 KiB of it, without the line ends at its end.
    stdout: String,
    /// Whether `stdout` is not all of it.
    stdout_truncated: bool,
    /// As `stdout`.
    stderr: String,
    /// Whether `stderr` is not all of it.
    stderr_truncated: bool,
    /// What it printed to stdout, where that is JSON of at most 1 MiB; null otherwise.
    json: Option<Value>,
}

fn success() -> Vec<u8> {
    vec![0]
}

pub(crate) fn grace() -> Duration {
    Duration::from_secs(10)
}

impl Params {
    /// The problems of the values.
    pub(crate) fn problems(&self) -> Vec<ParamProblem> {
        let mut problems = Vec::new();
        let what_to_run = |message| ParamProblem::new(message).about(["argv"]).about(["script"]);
        match (&self.argv, &self.script) {
            (Some(_), Some(_)) => problems.push(what_to_run("`argv` and `script` exclude each other")),
            (None, None) => problems.push(what_to_run("either `argv` or `script` is needed")),
            (Some(argv), None) if argv.first().is_none_or(String::is_empty) => {
                let problem = ParamProblem::new("`argv` needs a program as its first item");
                problems.push(problem.about(["argv"]));
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        if self.exit_codes.is_empty() {
            let problem = ParamProblem::new("`exit_codes` is empty: the command could never succeed");
            problems.push(problem.about(["exit_codes"]));
        }
        problems.extend(self.env.keys().filter_map(|name| name_problem(name)));
        problems.extend(self.nul_bytes());
        problems
    }

    /// A problem of all texts that hold a NUL byte, which ends a text for the operating system.
    fn nul_bytes(&self) -> Option<ParamProblem> {
        let path = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        let argv = self.argv.iter().flatten().enumerate();
        let argv = argv.map(|(at, text)| (path(&["argv", &at.to_string()]), text));
        let script = self.script.iter().map(|text| (path(&["script"]), text));
        let env = self.env.iter().map(|(name, text)| (path(&["env", name]), text));
        let about = argv.chain(script).chain(env).filter(|(_, text)| text.contains('\0'));
        let problem = ParamProblem::new("a NUL byte cannot be handed to a command");
        let problem = about.fold(problem, |problem, (path, _)| problem.about(path));
        (!problem.about.is_empty()).then_some(problem)
    }

    /// What is started, for messages.
    pub(crate) fn program(&self) -> &str {
        self.argv.as_ref().and_then(|argv| argv.first()).map_or("/bin/sh", String::as_str)
    }

    /// The program and its arguments.
    pub(crate) fn command_line(&self) -> Vec<String> {
        match (&self.argv, &self.script) {
            (Some(argv), _) => argv.clone(),
            (None, Some(script)) => vec!["/bin/sh".to_owned(), "-c".to_owned(), script.clone()],
            (None, None) => Vec::new(),
        }
    }
}

fn name_problem(name: &str) -> Option<ParamProblem> {
    let problem = |message| ParamProblem::new(message).about(["env", name]).on_key();
    if name.is_empty() || name.contains(['=', '\0']) {
        return Some(problem(format!("`{name}` cannot be the name of an environment variable")));
    }
    name.starts_with(RESERVED_PREFIX)
        .then(|| problem(format!("`{name}`: {RESERVED_PREFIX}… is set by lifeboat itself")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(params: Value) -> Vec<String> {
        let params = serde_json::from_value::<Params>(params).unwrap();
        params.problems().into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn exactly_one_of_argv_and_script() {
        assert_eq!(problems(json!({"argv": ["x"]})), Vec::<String>::new());
        assert_eq!(problems(json!({"script": "x"})), Vec::<String>::new());
        assert_eq!(problems(json!({})), ["either `argv` or `script` is needed"]);
        assert_eq!(problems(json!({"argv": ["x"], "script": "x"})).len(), 1);
        assert_eq!(problems(json!({"argv": [""]})), ["`argv` needs a program as its first item"]);
    }

    #[test]
    fn all_problems_come_at_once() {
        let params = json!({"script": "a\0", "exit_codes": [], "env": {"A=B": "", "LIFEBOAT_RUN": ""}});
        assert_eq!(problems(params).len(), 4);
    }
}
