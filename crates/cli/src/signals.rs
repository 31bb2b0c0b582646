//! Ctrl-C and its kin, handed to the run; each time a person is told what follows.
//!
//! They are heard in a thread of their own: whatever the run waits for, a disk that hangs, an action that blocks or
//! output that nobody reads, it can be left.

use std::future::pending;
use std::io;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lifeboat::Control;
use lifeboat_engine::{Signal, Urgency};
use tokio::runtime;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::terminal::{PATIENCE, Terminal};

/// How long a run that is to be left at once may take for it, should its disk hang, or nobody read what it printed.
const LEAVE: Duration = Duration::from_secs(1);

/// Listens from now on, and hands signals to a run. `interrupted` is cancelled at the first of them, so that nobody is
/// asked any more. What this gives takes the exit once the drive is over: from then on one signal is enough to leave.
pub(crate) fn listen(
    terminal: Arc<Terminal>,
    interrupted: CancellationToken,
    control: Control,
) -> io::Result<watch::Sender<Option<Exit>>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let ears = {
        let _entered = runtime.enter();
        Ears::open()?
    };
    let (over, exit) = watch::channel(None);
    let told = Told { terminal, interrupted, control, exit };
    thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(told.pass_on(ears)))?;
    Ok(over)
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

    async fn next(&mut self) -> Signal {
        first(self.interrupt.recv(), self.terminate.recv()).await
    }
}

/// The signal that comes first. Of two that came together, Ctrl-C counts before SIGTERM: the other way round they would ask
/// for more.
async fn first(
    interrupt: impl Future<Output = Option<()>>,
    terminate: impl Future<Output = Option<()>>,
) -> Signal {
    tokio::select! {
        biased;
        Some(()) = interrupt => Signal::Interrupt,
        Some(()) = terminate => Signal::Terminate,
        else => pending().await,
    }
}

/// Who is told of a signal.
struct Told {
    terminal: Arc<Terminal>,
    interrupted: CancellationToken,
    control: Control,
    /// The exit, once the drive is over.
    exit: watch::Receiver<Option<Exit>>,
}

impl Told {
    /// Counts signals as long as this process lives, whoever still listens to it.
    async fn pass_on(self, mut ears: Ears) {
        let mut urgency = Urgency::None;
        loop {
            let signal = tokio::select! {
                biased;
                signal = ears.next() => signal,
                () = self.over_and_unread(), if urgency != Urgency::None => self.leave(),
            };
            urgency = urgency.after(signal);
            self.interrupted.cancel();
            // Nobody is asked any more.
            self.terminal.answered();
            let is_over = self.exit.borrow().is_some();
            if !is_over {
                self.terminal.say(what_follows(urgency));
                self.control.signal(signal);
            }
            if is_over || urgency == Urgency::Abandon {
                tokio::time::sleep(LEAVE).await;
                self.leave();
            }
        }
    }

    /// Comes when the drive is over and nobody reads the rest of what it printed.
    async fn over_and_unread(&self) {
        if self.exit.clone().wait_for(Option::is_some).await.is_err() {
            pending::<()>().await;
        }
        loop {
            let taken = self.terminal.taken();
            tokio::time::sleep(PATIENCE).await;
            if self.terminal.taken() == taken {
                return;
            }
        }
    }

    /// The run, or what it printed, did not let go in time, and it was asked to.
    fn leave(&self) -> ! {
        process::exit(self.exit.borrow().unwrap_or(Exit::Stopped).code().into())
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

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    #[test]
    fn of_two_signals_that_came_together_ctrl_c_counts_first() {
        let runtime = runtime::Builder::new_current_thread().build().expect("a runtime");
        for _ in 0..100 {
            let heard = runtime.block_on(first(ready(Some(())), ready(Some(()))));
            assert_eq!(heard, Signal::Interrupt);
        }
    }
}
