//! What can be typed now.

use crate::style::HINT;

/// A command and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// As it can be typed.
    pub command: String,
    /// What it does.
    pub what: &'static str,
}

/// A line each.
pub fn rendered(all: &[Next]) -> String {
    let width = all.iter().map(|next| next.command.chars().count()).max().unwrap_or_default();
    let line = |next: &Next| format!("{HINT}next:{HINT:#} {:<width$}  {}\n", next.command, next.what);
    all.iter().map(line).collect()
}
