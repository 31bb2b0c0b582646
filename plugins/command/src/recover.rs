//! After a resume: the command is found running and waited for, or its end is read.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::Duration;

use lifeboat_action::{ActionContext, FailureKind, Recovery};
use rustix::process::Pid;
use tokio::sync::oneshot;

use crate::end::End;
use crate::params::{Params, grace};
use crate::place::{Place, STOPPING};
use crate::process::here;
use crate::result::{finish, refuse};
use crate::settle::{Settled, settle};
use crate::trace::{Trace, peek};
use crate::tree::Tree;

/// How long after a stop the supervisor's record is waited for before the command's processes are looked for again.
const RECORDING: Duration = Duration::from_millis(100);

/// How long a process may take to get its environment, by which it is recognised. When its supervisor dies over starting
/// it, it holds the lock until it is about to become the command.
const EXEC: Duration = Duration::from_millis(50);

/// What became of the attempt. `told`: how its supervisor said that it ended, where this driver heard it.
pub(crate) async fn recover(context: &ActionContext, params: &Params, told: Option<End>) -> Recovery {
    match look(context, params, told).await {
        Ok(recovery) => recovery,
        Err(error) => {
            let folder = context.info().folder.display();
            Recovery::MayGoOn { why: format!("the trace of the command in {folder} cannot be read: {error}") }
        }
    }
}

async fn look(context: &ActionContext, params: &Params, told: Option<End>) -> io::Result<Recovery> {
    let place = Place::of_command(context.info());
    let (trace, stopped) = come_to_rest(context, &place, params.kill_after).await?;
    let settle = || match &trace {
        Some(trace) => settle(trace, &place, context.info().boot.as_deref()),
        None => Ok(Settled::gone(&place)),
    };
    let mut settled = settle()?;
    if let (Settled::Lost(why), Some(end)) = (&settled, &told) {
        let evidence = format!("its supervisor said that it {}; {why}", end.status);
        let result = finish(context, params, &place.folder, end, None).await.result;
        return Ok(Recovery::Ended { result, evidence });
    }
    if matches!(settled, Settled::Lost(_)) && outlast(context, &place, params.kill_after).await? {
        settled = settle()?;
    }
    Ok(match settled {
        Settled::Ended(mut end) => {
            end.stopped |= stopped;
            let result = finish(context, params, &place.folder, &end, None).await.result;
            let evidence = match &result {
                Err(failure) if failure.kind == FailureKind::Unknown => {
                    format!("{}; its end was recorded by its supervisor at {}", failure.message, end.at)
                }
                Ok(_) | Err(_) => format!("it {}, recorded by its supervisor at {}", end.status, end.at),
            };
            Recovery::Ended { result, evidence }
        }
        // It was withdrawn, or there was no room for it then: it never began, which is no failure of the step.
        Settled::NotStarted(refusal) if refusal.may_pass => {
            Recovery::NotStarted { evidence: refuse(context, params, &refusal).message }
        }
        Settled::NotStarted(refusal) => {
            let evidence = "recorded by its supervisor".to_owned();
            Recovery::Ended { result: Err(refuse(context, params, &refusal)), evidence }
        }
        Settled::Never(evidence) => Recovery::NotStarted { evidence },
        Settled::Lost(why) => Recovery::Nothing { why },
    })
}

/// Waits until no supervisor is at work on the attempt and a stop that was begun is carried through. Gives the trace,
/// where it is there, and whether the command was told to stop.
async fn come_to_rest(
    context: &ActionContext,
    place: &Place,
    kill_after: Duration,
) -> io::Result<(Option<Trace>, bool)> {
    let Some(trace) = Trace::find(&place.folder)? else { return Ok((None, false)) };
    let (trace, stopped) =
        if trace.try_lock()? { (trace, false) } else { wait(context, place, trace, kill_after).await? };
    // Whoever began to stop it may have died over it: its first process can be gone, and the others not.
    let was_stopping = !stopped && place.folder.join(STOPPING).exists();
    if was_stopping {
        context.say("a driver began to stop it and died: seeing to it that nothing of it is left");
        let tree = tree(place)?;
        drop(in_thread(move || tree.stop(kill_after))?.await);
    }
    Ok((Some(trace), stopped || was_stopping))
}

/// Waits until nothing of the attempt can still go on, whatever it was to do.
pub(crate) async fn wait_until_over(context: &ActionContext) -> io::Result<()> {
    let place = Place::of_command(context.info());
    let kill_after = grace();
    drop(come_to_rest(context, &place, kill_after).await?);
    outlast(context, &place, kill_after).await.map(drop)
}

/// Makes the command end. It is noted first, for a driver that comes after this one died over it; where there is no room
/// for the note, the end matters more.
async fn stop(place: &Place, tree: Tree, kill_after: Duration) -> io::Result<()> {
    let mut note = OpenOptions::new();
    note.write(true).create(true).truncate(false).mode(0o600);
    drop(note.open(place.folder.join(STOPPING)));
    drop(in_thread(move || tree.stop(kill_after))?.await);
    Ok(())
}

/// Waits until the supervisor lets go of the trace. Also gives whether the command was told to stop meanwhile.
async fn wait(
    context: &ActionContext,
    place: &Place,
    trace: Trace,
    kill_after: Duration,
) -> io::Result<(Trace, bool)> {
    context.say(match peek(&place.folder)?.process() {
        Some(process) => format!("still running as process {}: waiting for it", process.pid),
        None => "its supervisor is about to start it: waiting for it".to_owned(),
    });
    let mut free = in_thread(move || trace.lock().map(|()| trace))?;
    tokio::select! {
        trace = &mut free => return Ok((trace.map_err(io::Error::other)??, false)),
        () = context.cancelled() => {}
    }
    loop {
        // What could not be killed keeps the supervisor waiting, and so us, until the engine abandons the call.
        stop(place, tree(place)?, kill_after).await?;
        // Nothing to stop was found when it is just being started, or when its end is just being recorded.
        if let Ok(trace) = tokio::time::timeout(RECORDING, &mut free).await {
            return Ok((trace.map_err(io::Error::other)??, true));
        }
    }
}

/// Waits for a command that still runs although its supervisor is gone: nobody records how it ends, but until it has,
/// its effect may still come, and a second copy must not be started beside it. Whether there was anything to wait for.
///
/// What a command leaves running when its first process ends is not waited for, as it never is.
pub(crate) async fn outlast(
    context: &ActionContext,
    place: &Place,
    kill_after: Duration,
) -> io::Result<bool> {
    let found = peek(&place.folder)?;
    // Without a trace: where the attempt began.
    let boot = found.boot().or(context.info().boot.as_deref());
    if boot.is_some_and(|boot| here().is_ok_and(|here| here.boot != boot)) {
        return Ok(false);
    }
    let tree = tree(place)?;
    match (found.process(), tree.leader) {
        (Some(_), Some(_)) => {}
        (Some(_), None) => return Ok(false),
        (None, _) => tokio::time::sleep(EXEC).await,
    }
    let process = match tree.leader {
        Some(leader) => Some(leader.as_raw_pid()),
        None => {
            let tree = tree.clone();
            in_thread(move || tree.alive().first().copied())?.await.ok().flatten()
        }
    };
    let Some(process) = process else { return Ok(false) };
    context.say(format!("still running as process {process}, without its supervisor: waiting for it"));
    let over = in_thread({
        let tree = tree.clone();
        move || tree.outlast()
    })?;
    tokio::select! {
        _ = over => {}
        () = context.cancelled() => stop(place, tree, kill_after).await?,
    }
    Ok(true)
}

/// The command's processes; the first one, if it is certain that the recorded id is still its.
fn tree(place: &Place) -> io::Result<Tree> {
    let found = peek(&place.folder)?;
    let here = found.boot() == Some(here()?.boot.as_str());
    let process = found.process().filter(|process| here && process.is_alive());
    let leader = process.and_then(|process| Pid::from_raw(process.pid));
    Ok(Tree { leader, mark: place.command.mark() })
}

/// A thread of its own: one of the runtime's would keep the program from ending while it waits.
pub(crate) fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new().spawn(move || drop(sender.send(work())))?;
    Ok(receiver)
}
