//! How words look that matter. Meaning never hangs on it: a writer without colours shows the same words.

use anstyle::{AnsiColor, Style};

const fn bold(colour: AnsiColor) -> Style {
    colour.on_default().bold()
}

/// The style of the word `error`.
pub const ERROR: Style = bold(AnsiColor::Red);
/// The style of the word `warning`.
pub const WARNING: Style = bold(AnsiColor::Yellow);
/// The style of the words `hint` and `next`.
pub const HINT: Style = bold(AnsiColor::Cyan);
/// The style of what went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// The style of what matters less.
pub const FAINT: Style = Style::new().dimmed();
/// The style of headings.
pub const BOLD: Style = Style::new().bold();
