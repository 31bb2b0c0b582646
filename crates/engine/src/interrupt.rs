//! Signals, and how they escalate.

/// A signal of the operating system, as far as a run cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C: each one asks for more than the one before.
    Interrupt,
    /// SIGTERM: as if Ctrl-C had been pressed twice.
    Terminate,
}

/// How urgently the run is asked to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Not at all.
    #[default]
    None,
    /// Let what runs come to its end, start nothing new.
    Drain,
    /// Stop what runs.
    Cancel,
    /// Leave at once; the journal makes that safe.
    Abandon,
}

impl Urgency {
    /// After one more signal.
    #[must_use]
    pub fn after(self, signal: Signal) -> Self {
        match (self, signal) {
            (Self::None, Signal::Interrupt) => Self::Drain,
            (Self::Drain, Signal::Interrupt) | (Self::None | Self::Drain, Signal::Terminate) => Self::Cancel,
            (Self::Cancel | Self::Abandon, Signal::Interrupt | Signal::Terminate) => Self::Abandon,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Signal, Urgency};

    #[test]
    fn every_pair_of_signals_escalates() {
        let after = |first, second| Urgency::None.after(first).after(second);
        assert_eq!(after(Signal::Interrupt, Signal::Interrupt), Urgency::Cancel);
        assert_eq!(after(Signal::Interrupt, Signal::Terminate), Urgency::Cancel);
        assert_eq!(after(Signal::Terminate, Signal::Interrupt), Urgency::Abandon);
        assert_eq!(after(Signal::Terminate, Signal::Terminate), Urgency::Abandon);
        assert_eq!(Urgency::None.after(Signal::Interrupt), Urgency::Drain);
    }
}
