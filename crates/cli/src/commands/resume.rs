//! `lifeboat resume`

use lifeboat_display::next_commands::{self, Next};
use lifeboat_display::state_words;
use lifeboat_display::style::WARNING;
use lifeboat_engine::Claim;
use lifeboat_model::event::not_rehearsed;
use lifeboat_model::record::Decision;
use lifeboat_model::{Event, Phase};

use crate::args::OutputArgs;
use crate::claim::{claim, decide};
use crate::context::Context;
use crate::drive::Driver;
use crate::edited::{self, Edited, Since};
use crate::error::CliError;
use crate::exit::Exit;
use crate::person::confirm;
use crate::pick;
use crate::{folder, next, registry, reporters, secrets};

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
    let run = pick::to_resume(context, &store, run.as_deref())?;
    let mut claim = claim(context, &store, &run)?;
    if let Phase::Finished(verdict) = claim.state.phase() {
        return Ok(finished(context, &claim, verdict, output));
    }
    folder::settle(context, &mut claim, here)?;
    let secrets = secrets::resolve(claim.state.plan())?;
    let kept = match edited::since(claim.state.plan()) {
        Since::Unknown(what) => {
            context.terminal.note(&format!("{what}; the run goes on as it was pinned"));
            None
        }
        Since::Edited(edited) if !claim.state.keeps_pinned(&edited.digest) => {
            let Some(event) = keep(context, &mut claim, &edited, keep_pinned)? else {
                return Ok(Exit::NeedsPerson);
            };
            Some(event)
        }
        Since::Edited(_) | Since::Same => None,
    };
    // Only now: what redraws the screen would wipe a question off it.
    let mut shown = reporters::fitting(context, output);
    if let Some(event) = kept {
        reporters::tell(shown.reporter.as_mut(), &event, &claim.state);
    }
    Driver { context, registry: registry::registry(), secrets, shown, output }.resume(&store, claim)
}

fn finished(
    context: &Context,
    claim: &Claim,
    verdict: lifeboat_model::record::Verdict,
    output: OutputArgs,
) -> Exit {
    let state = &claim.state;
    let (word, style) = state_words::verdict_of(state, verdict);
    context.terminal.say(&format!("{} is finished: {style}{word}{style:#}\n", state.run()));
    context.terminal.say(&next_commands::rendered(&next::of(context, state)));
    Exit::of_verdict(verdict, state.mode(), not_rehearsed(state), output.strict)
}

/// Shows the difference and asks; the decision to go on is written down.
fn keep(
    context: &Context,
    claim: &mut Claim,
    edited: &Edited,
    keep_pinned: bool,
) -> Result<Option<Event>, CliError> {
    let terminal = &context.terminal;
    terminal.say(&format!(
        "{WARNING}the runbook was edited since the run began{WARNING:#}; the run goes on as it was pinned\n{}",
        edited.diff
    ));
    let reason = if keep_pinned {
        "with --keep-pinned"
    } else if terminal.can_ask() && confirm(terminal, "Go on with the runbook as it was?") {
        "confirmed at the terminal"
    } else {
        let command = format!("{} --keep-pinned", context.spelling.about("resume", claim.state.run()));
        terminal
            .say(&next_commands::rendered(&[Next { command, what: "goes on with the runbook as it was" }]));
        return Ok(None);
    };
    let decision = Decision::KeepPinned { edited: edited.digest.as_str().to_owned() };
    decide(context, claim, None, decision, reason.to_owned()).map(Some)
}
