//! Waiting for conditions, and noticing Ctrl-C meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use crate::trouble::Trouble;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Knows whether the tour was asked to stop.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    stopped: Arc<AtomicBool>,
}

impl Watch {
    /// Takes SIGINT, SIGTERM and SIGHUP over: from now on they end the tour in order, with nothing left behind.
    pub(crate) fn new() -> Result<Self, Trouble> {
        let stopped = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Trouble::about("cannot wait for signals"))?;
        let mut signals = {
            let _inside = runtime.enter();
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
                .into_iter()
                .map(signal)
                .collect::<Result<Vec<_>, _>>()
                .map_err(Trouble::about("cannot wait for signals"))?
        };
        let flag = Arc::clone(&stopped);
        // Ends with the process.
        thread::spawn(move || {
            let [first, second, third] = signals.as_mut_slice() else { return };
            runtime.block_on(async {
                tokio::select! {
                    _ = first.recv() => {}
                    _ = second.recv() => {}
                    _ = third.recv() => {}
                }
            });
            flag.store(true, Ordering::Release);
        });
        Ok(Self { stopped })
    }

    /// Fails once the tour was asked to stop.
    pub(crate) fn go_on(&self) -> Result<(), Trouble> {
        if self.stopped.load(Ordering::Acquire) { Err(Trouble::Interrupted) } else { Ok(()) }
    }

    /// Looks until there is a value.
    ///
    /// # Errors
    /// When there is none within `limit`; names what was waited for.
    pub(crate) fn until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut() -> Result<Option<T>, Trouble>,
    ) -> Result<T, Trouble> {
        let deadline = Instant::now() + limit;
        loop {
            self.go_on()?;
            if let Some(value) = look()? {
                return Ok(value);
            }
            if Instant::now() >= deadline {
                return Err(Trouble::failed(format!("not within {} s: {what}", limit.as_secs())));
            }
            thread::sleep(PAUSE);
        }
    }
}
