//! Ctrl-C and its kin, handed to the run; each time a person is told what follows.
//!
//! They are heard in a thread of their own: whatever the run waits for, a disk that hangs or an action that blocks, it
//! can be left.

use std::io;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lifeboat_engine::{Signal, Urgency};
use tokio::runtime;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
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
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let ears = {
        let _entered = runtime.enter();
        Ears::open()?
    };
    let (sender, receiver) = unbounded_channel();
    let told = Told { terminal, interrupted, sender };
    thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(told.pass_on(ears)))?;
    Ok(receiver)
}

struct Ears {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    /// A terminal that goes away must not stop a failover half-way: as long as it is held, the signal does nothing.
    _hangup: unix::Signal,
}

impl Ears {
    /// Needs a runtime.
    fn open() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Option<Signal> {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Some(Signal::Interrupt),
            Some(()) = self.terminate.recv() => Some(Signal::Terminate),
            else => None,
        }
    }
}

/// Who is told of a signal.
struct Told {
    terminal: Arc<Terminal>,
    interrupted: CancellationToken,
    sender: UnboundedSender<Signal>,
}

impl Told {
    async fn pass_on(self, mut ears: Ears) {
        let mut urgency = Urgency::None;
        while let Some(signal) = ears.next().await {
            urgency = urgency.after(signal);
            self.interrupted.cancel();
            if self.sender.send(signal).is_err() {
                return;
            }
            // Nobody is asked any more.
            self.terminal.answered();
            self.terminal.say(what_follows(urgency));
            if urgency == Urgency::Abandon {
                tokio::time::sleep(LEAVE).await;
                leave();
            }
        }
    }
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
