//! What can be told to a run that is being driven.

use std::sync::{Arc, Mutex, PoisonError};

use lifeboat_engine::Signal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Speaks to one drive, from anywhere. Cloning it gives another voice to the same.
#[derive(Debug, Clone)]
pub struct Control {
    signals: UnboundedSender<Signal>,
    /// For the drive; taken when it begins.
    heard: Arc<Mutex<Option<UnboundedReceiver<Signal>>>>,
}

impl Default for Control {
    fn default() -> Self {
        let (signals, heard) = unbounded_channel();
        Self { signals, heard: Arc::new(Mutex::new(Some(heard))) }
    }
}

impl Control {
    /// Asks the run to stop, each time more urgently (see [`lifeboat_engine::Urgency`]). A drive that has ended does not
    /// hear it.
    pub fn signal(&self, signal: Signal) {
        let _ = self.signals.send(signal);
    }

    /// Hears what is said from now on, and what was said before.
    ///
    /// # Panics
    /// When another drive hears it.
    pub(crate) fn listen(&self) -> UnboundedReceiver<Signal> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).take();
        heard.expect("a control speaks to one drive")
    }
}
