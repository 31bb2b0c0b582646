//! The lane of a node: one word for its next move.

use jiff::Timestamp;

/// What may happen next to a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Lane {
    /// Nothing, or what its children do.
    #[default]
    None,
    /// It may start, or open.
    Ready,
    /// An attempt is going on.
    Busy,
    /// A retry, or the next batch of a loop, is due then.
    Due(Timestamp),
    /// In doubt, not looked into yet.
    Doubt,
    /// In doubt, or a gate: a person has to decide.
    Asking,
    /// It failed, and what it stands in may not go on.
    Stopping,
}

impl Lane {
    /// Whether something goes on or is waited for.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Busy | Self::Due(_) | Self::Doubt | Self::Asking)
    }

    pub(super) fn is_doubtful(self) -> bool {
        matches!(self, Self::Doubt | Self::Asking)
    }
}
