//! `lifeboat resume`

use lifeboat::{Drift, Edited, Lifeboat, TakenOver};
use lifeboat_display::next_commands::{Next, rendered};
use lifeboat_display::sanitize::clean;
use lifeboat_display::state_words;
use lifeboat_display::style::WARNING;
use lifeboat_model::event::not_rehearsed;
use lifeboat_model::record::{Decision, Verdict};
use lifeboat_model::{Event, Phase, RunState};

use crate::args::OutputArgs;
use crate::context::Context;
use crate::drive::Driver;
use crate::error::CliError;
use crate::exit::Exit;
use crate::prompt::confirm;
use crate::take_over::{decide, missing_secrets, take_over};
use crate::{next_commands, reporters, selection, working_dir};

/// Continue an unfinished run, in its own mode
///
/// No finished step runs again. A step that was running when the run broke off is looked at first: what shows that it
/// is done, or that it may run again, is recorded; where looking does not tell, a person is asked. Where there is no
/// terminal, lifeboat then exits with 6 and the commands to type.
///
/// The run goes on with the runbook as it was when the run began. If its file was edited since, the difference is
/// shown, and going on needs a yes or `--keep-pinned`, which is recorded as a deviation. It also goes on in the folder
/// in which it was started, where relative paths in its steps begin, from wherever it is resumed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run, by the beginning of its id; otherwise the newest that is unfinished, if no newer one has failed
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Go on with the runbook as it was, although its file was edited since
    #[arg(long)]
    keep_pinned: bool,
    /// Go on in this folder, instead of the one that the run was started in
    #[arg(long)]
    here: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let Args { run, keep_pinned, here, output } = args;
    let _apart = context.terminal.talk_apart();
    let store = context.store()?;
    let lifeboat = context.lifeboat(&store)?;
    let run = selection::to_resume(context, &lifeboat, run.as_deref())?;
    let mut taken = take_over(context, &lifeboat, &run)?;
    if let Phase::Finished(verdict) = taken.state().phase() {
        return Ok(finished(context, &lifeboat, taken.state(), verdict, output));
    }
    working_dir::settle(context, &mut taken, here)?;
    let secrets = taken.secrets().complete().map_err(|error| missing_secrets(&error))?;
    let kept = match taken.drift() {
        Drift::Unknown(what) => {
            context.terminal.note(&format!("{what}; the run goes on as it was pinned"));
            None
        }
        Drift::Edited(edited) if !taken.state().keeps_pinned(&edited.digest) => {
            let Some(event) = keep(context, &mut taken, &edited, keep_pinned)? else {
                return Ok(Exit::NeedsPerson);
            };
            Some(event)
        }
        Drift::Edited(_) | Drift::Same => None,
    };
    // Only now: what redraws the screen would wipe a question off it.
    let mut shown = reporters::fitting(context, output);
    if let Some(event) = kept {
        reporters::tell(shown.reporter.as_mut(), &event, taken.state());
    }
    let steps = store.steps_folder(&run);
    Driver { context, lifeboat: &lifeboat, steps, shown, output }.resume(taken, secrets)
}

fn finished(
    context: &Context,
    lifeboat: &Lifeboat,
    state: &RunState,
    verdict: Verdict,
    output: OutputArgs,
) -> Exit {
    let (word, style) = state_words::verdict_of(state, verdict);
    context.terminal.say(&format!("{} is finished: {style}{word}{style:#}\n", state.run()));
    context.terminal.say(&next_commands::rendered(&context.spelling, lifeboat, state));
    Exit::of_verdict(verdict, state.mode(), not_rehearsed(state), output.strict)
}

/// Shows the difference and asks; the decision to go on is written down.
fn keep(
    context: &Context,
    taken: &mut TakenOver,
    edited: &Edited,
    keep_pinned: bool,
) -> Result<Option<Event>, CliError> {
    let terminal = &context.terminal;
    terminal.say(&format!(
        "{WARNING}the runbook was edited since the run began{WARNING:#}; the run goes on as it was pinned\n{}",
        clean(&edited.diff)
    ));
    let reason = if keep_pinned {
        "with --keep-pinned"
    } else if terminal.can_ask() && confirm(terminal, "Go on with the runbook as it was?") {
        "confirmed at the terminal"
    } else {
        let command = format!("{} --keep-pinned", context.spelling.about("resume", taken.run()));
        terminal.say(&rendered(&[Next { command, what: "goes on with the runbook as it was" }]));
        return Ok(None);
    };
    let decision = Decision::KeepPinned { edited: edited.digest.as_str().to_owned() };
    decide(context, taken, None, decision, reason.to_owned()).map(Some)
}
