//! The work that a change leaves to be followed up.

use super::nodes::{ExpansionIndex, Scope};
use crate::ids::NodeIndex;

/// What is still to be followed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Nothing stands before the node any more.
    Free(NodeIndex),
    /// The node is over.
    Over(NodeIndex),
    /// Something in the item changed.
    Item(Scope),
    /// Something in the loop changed.
    Loop(ExpansionIndex),
    /// The first failure came to the scope, or the last one went.
    Halt(Scope),
}
