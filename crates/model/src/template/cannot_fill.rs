//! Why a template cannot be filled in.

/// The reason why a template cannot be filled in although everything it uses is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{template}`: {why}")]
pub struct CannotFill {
    /// The template.
    pub template: String,
    /// The reason.
    pub why: String,
}
