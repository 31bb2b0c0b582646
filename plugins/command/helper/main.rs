//! Stands in for the `lifeboat` binary in the tests of this package: as the supervisor, and as a driver to be killed.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use lifeboat_action::{
    ActionContext, ActionName, Attempt, AttemptKey, CallInfo, Effort, Masker, NodePath, Progress, Registry,
    RunId,
};
use lifeboat_command::{SupervisorProgram, register, supervise};
use lifeboat_model::Mode;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["supervise"] => supervise(None),
        ["drive", run, folder, params] => drive(run, Path::new(folder), params),
        _ => ExitCode::from(2),
    }
}

/// Runs one command as a driver would and prints what came of it.
#[tokio::main]
async fn drive(run: &str, folder: &Path, params: &str) -> ExitCode {
    let mut registry = Registry::new();
    let program = SupervisorProgram { program: "/proc/self/exe".into(), args: vec!["supervise".to_owned()] };
    register(&mut registry, program);
    let action = registry.action(&ActionName::new("command.run").expect("a name")).expect("command.run");
    let run = RunId::new(run).expect("a run id");
    let step = NodePath::new("step").expect("a step id");
    let info = CallInfo {
        key: AttemptKey::of(&run, &step, 1, Effort::Apply),
        run,
        step,
        attempt: Attempt::FIRST,
        mode: Mode::Live,
        started_at: jiff::Timestamp::now(),
        folder: folder.to_owned(),
        boot: None,
        without: Default::default(),
        time_left: None,
    };
    let context =
        ActionContext::new(info, CancellationToken::new(), Arc::new(Progress), Arc::new(Masker::default()));
    let params: Value = serde_json::from_str(params).expect("parameters");
    action.open_trace(context.info()).expect("a folder");
    let result = action.apply(&context, &params).await;
    writeln!(std::io::stdout(), "{result:?}").expect("stdout");
    ExitCode::SUCCESS
}
