//! `lifeboat retry`, `skip` and `mark-done`: a person's word about a step of a run that nobody drives.

use lifeboat::{Lifeboat, NoOutput, Wanted, missing_outputs, read_output, uses};
use lifeboat_display::next_commands::{Next, rendered};
use lifeboat_model::outcome::Outputs;
use lifeboat_model::record::Decision;
use lifeboat_model::{NodePath, Phase, RunState};

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::inputs::pair;
use crate::next_commands::output_options;
use crate::selection::run_and_step;
use crate::shell_word::shell;
use crate::spelling::Spelling;
use crate::take_over::{decide, not_awaited, reason, take_over};

/// Run a failed step again, or one in doubt
///
/// Records the decision; `lifeboat resume` then carries it out.
#[derive(Debug, clap::Args)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    about: About,
}

/// Go on without a step that failed or is in doubt
///
/// Records the decision, as a deviation; `lifeboat resume` then goes on. A step whose outputs other steps use is not
/// skipped unless `--anyway` says that it is meant: those steps cannot start.
#[derive(Debug, clap::Args)]
pub(crate) struct SkipArgs {
    #[command(flatten)]
    about: About,
    /// Skip it although other steps use its outputs, and cannot start without them
    #[arg(long)]
    anyway: bool,
}

/// Count a step as done that failed or is in doubt
///
/// Records the decision, as a deviation; `lifeboat resume` then goes on. Outputs of the step that other steps use must
/// be given.
#[derive(Debug, clap::Args)]
pub(crate) struct MarkDoneArgs {
    #[command(flatten)]
    about: About,
    /// Give an output of the step: text, a number, true or false, or JSON, as its action declares it
    #[arg(short, long = "output", value_name = "NAME=VALUE", value_parser = pair)]
    output: Vec<(String, String)>,
}

/// Which step, and why.
#[derive(Debug, clap::Args)]
struct About {
    /// The run, by the beginning of its id; otherwise the newest that is unfinished or failed
    #[arg(value_name = "RUN")]
    first: Option<String>,
    /// The step; may stand alone, and may be left out where only one needs a decision
    #[arg(value_name = "STEP")]
    second: Option<String>,
    /// Why; recorded with your name
    #[arg(long, value_name = "WHY", value_parser = reason)]
    reason: String,
}

pub(crate) fn retry(args: RetryArgs, context: &Context) -> Result<Exit, CliError> {
    about_step(context, args.about, |_, _, _| Ok(Decision::Retry))
}

pub(crate) fn skip(args: SkipArgs, context: &Context) -> Result<Exit, CliError> {
    about_step(context, args.about, |lifeboat, state, step| {
        if !args.anyway {
            check_spared(&context.spelling, lifeboat, state, step)?;
        }
        Ok(Decision::Skip)
    })
}

pub(crate) fn mark_done(args: MarkDoneArgs, context: &Context) -> Result<Exit, CliError> {
    about_step(context, args.about, |lifeboat, state, step| {
        Ok(Decision::MarkDone { outputs: outputs(&context.spelling, lifeboat, state, step, &args.output)? })
    })
}

fn about_step(
    context: &Context,
    about: About,
    decision: impl FnOnce(&Lifeboat, &RunState, &NodePath) -> Result<Decision, CliError>,
) -> Result<Exit, CliError> {
    let store = context.store()?;
    let lifeboat = context.lifeboat(&store)?;
    let words = (about.first.as_deref(), about.second.as_deref());
    let (run, step) = run_and_step(context, &lifeboat, words, Wanted::Open)?;
    let mut taken = take_over(context, &lifeboat, &run)?;
    let step = match step {
        Some(step) => meant(context, taken.state(), &step)?,
        None => only_step(context, taken.state())?,
    };
    let decision = decision(&lifeboat, taken.state(), &step)?;
    let name = decision.name();
    decide(context, &mut taken, Some(step.clone()), decision, about.reason)?;
    context.terminal.say(&format!("recorded: {name} {step} in {run}, by {}\n", context.actor()));
    let next = match taken.state().phase() {
        Phase::Stopped(_) | Phase::Running => {
            Next { command: context.spelling.about("resume", &run), what: "carries it out and goes on" }
        }
        Phase::Finished(_) => {
            Next { command: context.spelling.about("status", &run), what: "shows every step" }
        }
    };
    context.terminal.say(&rendered(&[next]));
    Ok(Exit::Done)
}

/// Whether no other step uses what a step that may be skipped would have given.
fn check_spared(
    spelling: &Spelling,
    lifeboat: &Lifeboat,
    state: &RunState,
    step: &NodePath,
) -> Result<(), CliError> {
    // Any other step is refused for what it is.
    if !state.may_be_decided(step) {
        return Ok(());
    }
    let required = missing_outputs(state.plan(), lifeboat.registry(), step, &Outputs::new());
    if required.is_empty() {
        return Ok(());
    }
    let used = uses(step, &required).into_iter().map(|used| format!("{used}, and cannot start without it"));
    let used = used.collect::<Vec<_>>().join("\n       ");
    let command =
        |word| format!("{} --reason WHY", spelling.command(&[word, state.run().as_str(), step.as_str()]));
    let (done, skip, options) = (command("mark-done"), command("skip"), output_options(&required));
    Err(CliError::usage(used)
        .hint(format!("say what it would have given: `{done}{options}`"))
        .hint(format!("or go on all the same: `{skip} --anyway`")))
}

/// The outputs of a step that may be marked as done: each is one that it has, and all are there that others need.
fn outputs(
    spelling: &Spelling,
    lifeboat: &Lifeboat,
    state: &RunState,
    step: &NodePath,
    given: &[(String, String)],
) -> Result<Outputs, CliError> {
    // Any other step is refused for what it is.
    let Some(at) = state.find(step).filter(|_| state.may_be_decided(step)) else {
        return Ok(Outputs::new());
    };
    let mut command = spelling.command(&["mark-done", state.run().as_str(), step.as_str()]);
    command.push_str(" --reason WHY");
    let mut outputs = Outputs::new();
    for (name, text) in given {
        let value = read_output(lifeboat.registry(), state.template(at), name, text);
        outputs.insert(name.clone(), value.map_err(|error| no_output(spelling, error))?);
        command.push_str(&format!(" -o {}", shell(&format!("{name}={text}"))));
    }
    let missing = missing_outputs(state.plan(), lifeboat.registry(), step, &outputs);
    if missing.is_empty() {
        return Ok(outputs);
    }
    let error = CliError::usage(uses(step, &missing).join("\n       "));
    Err(error.hint(format!("say what it would have given: `{command}{}`", output_options(&missing))))
}

fn no_output(spelling: &Spelling, error: NoOutput) -> CliError {
    let hint = match &error {
        NoOutput::Undeclared { meant: Some(meant), .. } => format!("did you mean `{meant}`?"),
        NoOutput::Undeclared { known, .. } if known.is_empty() => "it gives none".to_owned(),
        NoOutput::Undeclared { known, .. } => format!("it gives: {}", known.join(", ")),
        NoOutput::WrongType { action, .. } => {
            format!("`{}` shows what it gives", spelling.command(&["actions", action.as_str()]))
        }
    };
    CliError::new(Exit::Usage, error).hint(hint)
}

/// The step that an operator means: its path, or its id where that is enough.
fn meant(context: &Context, state: &RunState, step: &NodePath) -> Result<NodePath, CliError> {
    let at = state.meant(step).map_err(|why| not_awaited(context, state, why))?;
    Ok(state.path(at))
}

/// The step that needs a decision, where there is only one.
fn only_step(context: &Context, state: &RunState) -> Result<NodePath, CliError> {
    let steps: Vec<_> = state.undecided().into_iter().map(|at| state.path(at)).collect();
    match steps.as_slice() {
        [step] => {
            context.terminal.say(&format!("the one step that needs a decision is meant: {step}\n"));
            Ok(step.clone())
        }
        [] => Err(not_awaited(context, state, "no step needs a decision".to_owned())),
        several => {
            let names = several.iter().map(NodePath::as_str).collect::<Vec<_>>().join(", ");
            Err(CliError::usage("more than one step needs a decision: say which")
                .hint(format!("it is one of {names}")))
        }
    }
}
