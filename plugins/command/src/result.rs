//! What became of a command, as an answer of the action.

use std::io;
use std::path::Path;

use lifeboat_action::{ActionContext, Failure, FailureKind, Observation, Outcome};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::end::{End, Part, Printed, Refusal, Status};
use crate::output::{Captured, STDERR, STDOUT};
use crate::params::Params;

/// So many bytes are read on the spot.
const LITTLE: u64 = 16 * 1024;

/// So many outputs are read at a time, each of which takes memory and time.
static READERS: Semaphore = Semaphore::const_new(2);

/// What became of a command.
#[derive(Debug)]
pub(crate) struct Came {
    /// How it ended, where it was started and that is known.
    pub(crate) status: Option<Status>,
    pub(crate) result: Result<Outcome, Failure>,
}

impl From<Failure> for Came {
    fn from(failure: Failure) -> Self {
        Self { status: None, result: Err(failure) }
    }
}

impl Came {
    /// What a command that only looks has seen. One that did not run, could not look, was killed or was told to stop
    /// has said nothing.
    pub(crate) fn seen(self, stopped: bool) -> Observation {
        let answered = self.status.is_some_and(Status::is_an_answer) && !stopped;
        match self.result {
            Ok(Outcome { evidence, outputs, warnings }) => {
                Observation::InPlace { evidence, outputs, warnings }
            }
            Err(failure) if answered && failure.kind == FailureKind::Transient => {
                Observation::Blocked { why: with_tail(&failure) }
            }
            Err(failure) => Observation::Unknown { why: with_tail(&failure) },
        }
    }
}

/// What an end means under these parameters.
pub(crate) async fn finish(
    context: &ActionContext,
    params: &Params,
    folder: &Path,
    end: &End,
    unrecorded: Option<String>,
) -> Came {
    let mut warnings = Vec::new();
    if let Some(error) = unrecorded {
        warnings.push(format!("its end could not be recorded for a later resume: {error}"));
    }
    if !end.survivors.is_empty() {
        warnings.push(format!("these of its processes could not be killed: {:?}", end.survivors));
    }
    let mut lost = Vec::new();
    let mut or_lost = |name, stream: io::Result<Captured>| {
        stream.unwrap_or_else(|error| {
            lost.push(format!("its {name} cannot be read: {error}"));
            Captured::default()
        })
    };
    let [out, err] = streams(context, folder, end.printed).await;
    let (mut stdout, mut stderr) = (or_lost(STDOUT, out), or_lost(STDERR, err));
    if end.printed.is_some_and(|printed| stdout.secrets + stderr.secrets < printed.secrets) {
        (stdout, stderr) = Default::default();
        lost.push("it holds a secret that is another by now, or not at hand".to_owned());
    }
    let failure = match end.status {
        // A shell goes on after the command that was stopped, and programs end well because they were told to.
        _ if end.stopped => Failure::unknown(format!("it was told to stop and {}", end.status)),
        Status::Code(code) if params.exit_codes.iter().any(|accepted| i32::from(*accepted) == code) => {
            if lost.is_empty() {
                let outcome = succeed(code, stdout, stderr, warnings);
                return Came { status: Some(end.status), result: Ok(outcome) };
            }
            // What later steps would be told is not known, and must not be taken for nothing.
            let lost = std::mem::take(&mut lost).join("; ");
            Failure::unknown(format!("it {}, but what it printed cannot be used: {lost}", end.status))
        }
        Status::Code(_) => Failure::transient(end.status.to_string()),
        Status::Signal(_) => Failure::unknown(format!("it {}, not by lifeboat", end.status)),
    };
    let tail = stderr.tail().or_else(|| stdout.tail()).map(str::to_owned);
    warnings.append(&mut lost);
    Came { status: Some(end.status), result: Err(Failure { tail, causes: warnings, ..failure }) }
}

/// What a command printed. Reading much of it, and looking for secrets in it, is not for the thread that drives the run.
async fn streams(
    context: &ActionContext,
    folder: &Path,
    printed: Option<Printed>,
) -> [io::Result<Captured>; 2] {
    let (folder, masker) = (folder.to_owned(), context.masker().clone());
    let read = move || {
        let stream = |name, recorded| Captured::read(&folder, name, recorded, &masker);
        let lengths = printed.map(|printed| (printed.stdout, printed.stderr)).unzip();
        [stream(STDOUT, lengths.0), stream(STDERR, lengths.1)]
    };
    if printed.is_some_and(|printed| printed.stdout + printed.stderr <= LITTLE) {
        return read();
    }
    // Never closed.
    let _turn = READERS.acquire().await;
    match tokio::task::spawn_blocking(read).await {
        Ok(streams) => streams,
        Err(error) => [(); 2].map(|()| Err(io::Error::other(error.to_string()))),
    }
}

fn succeed(code: i32, stdout: Captured, stderr: Captured, warnings: Vec<String>) -> Outcome {
    let outputs = [
        ("exit_code", json!(code)),
        ("stdout", Value::String(stdout.text)),
        ("stdout_truncated", Value::Bool(stdout.truncated)),
        ("stderr", Value::String(stderr.text)),
        ("stderr_truncated", Value::Bool(stderr.truncated)),
        ("json", stdout.json.unwrap_or(Value::Null)),
    ];
    let outputs = outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Outcome { evidence: format!("exited with {code}"), outputs, warnings }
}

/// A command that was not started has changed nothing.
pub(crate) fn refuse(context: &ActionContext, params: &Params, refusal: &Refusal) -> Failure {
    let why = match (refusal.about, &params.cwd) {
        (Some(Part::Program), _) => format!("`{}` {}", params.program(), refusal.why),
        (Some(Part::Cwd), Some(cwd)) => format!("its working folder `{}` {}", cwd.display(), refusal.why),
        (Some(Part::Cwd), None) | (Some(Part::Folder) | None, _) => refusal.why.clone(),
    };
    let why = context.masker().mask(&why);
    if refusal.may_pass { Failure::transient(why) } else { Failure::permanent(why) }
}

/// The failure in one line, with the last lines that were printed.
fn with_tail(failure: &Failure) -> String {
    match &failure.tail {
        Some(tail) => format!("{failure}: {tail}"),
        None => failure.to_string(),
    }
}
