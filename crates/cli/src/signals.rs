//! Ctrl-C and its kin, handed to the run; each time a person is told what follows.

use std::io;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use lifeboat_engine::{Signal, Urgency};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::terminal::Terminal;

/// How long a run that is to be left at once may take for it, should its disk hang.
const LEAVE: Duration = Duration::from_secs(1);

/// Listens from now on. `interrupted` is cancelled at the first signal, so that nobody is asked any more.
pub(crate) fn listen(
    terminal: Arc<Terminal>,
    interrupted: CancellationToken,
) -> io::Result<UnboundedReceiver<Signal>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // A terminal that goes away must not stop a failover half-way: from here on the signal does nothing.
    let hangup = signal(SignalKind::hangup())?;
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(async move {
        let _hangup = hangup;
        let mut urgency = Urgency::None;
        loop {
            let signal = tokio::select! {
                Some(()) = interrupt.recv() => Signal::Interrupt,
                Some(()) = terminate.recv() => Signal::Terminate,
                else => return,
            };
            urgency = urgency.after(signal);
            interrupted.cancel();
            if sender.send(signal).is_err() {
                return;
            }
            // The terminal may be frozen: the signal counts all the same.
            let screen = Arc::clone(&terminal);
            tokio::task::spawn_blocking(move || {
                // Nobody is asked any more.
                screen.answered();
                screen.say(what_follows(urgency));
            });
            if urgency == Urgency::Abandon {
                tokio::time::sleep(LEAVE).await;
                leave();
            }
        }
    });
    Ok(receiver)
}

fn what_follows(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::None => "",
        Urgency::Drain => {
            "\nstopping: what runs is brought to its end, nothing new starts; press Ctrl-C again to cancel what runs\n"
        }
        Urgency::Cancel => "\ncancelling what runs; press Ctrl-C once more to leave at once\n",
        Urgency::Abandon => "\nleaving at once: what runs is in doubt, and is looked at on resume\n",
    }
}

#[expect(clippy::exit, reason = "the run did not let go in time, and the person asked for a third time")]
fn leave() -> ! {
    process::exit(Exit::Stopped.code().into())
}
