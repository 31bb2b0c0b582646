//! What the tour writes: stdout, never wider than 80 columns, in colour where there is a terminal that has some.

use std::io::{self, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use crate::trouble::Trouble;

/// The widest line.
const WIDTH: usize = 79;

const HEADING: Style = Style::new().bold();
const COMMAND: Style = AnsiColor::Cyan.on_default();
const QUIET: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Where the tour is told.
#[derive(Debug)]
pub(crate) struct Screen {
    out: AutoStream<io::Stdout>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { out: AutoStream::auto(io::stdout()) }
    }

    /// The heading of a part.
    pub(crate) fn heading(&mut self, text: &str) -> Result<(), Trouble> {
        self.line("", Style::new(), "")?;
        self.line("", HEADING, text)
    }

    /// A paragraph.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Trouble> {
        wrapped(text, WIDTH - 2).iter().try_for_each(|line| self.line("  ", Style::new(), line))
    }

    /// What a person would type, over several lines if it is long.
    pub(crate) fn command(&mut self, lines: &[String]) -> Result<(), Trouble> {
        let last = lines.len().saturating_sub(1);
        for (number, line) in lines.iter().enumerate() {
            let margin = if number == 0 { "  $ " } else { "      " };
            let more = if number < last { " \\" } else { "" };
            self.line(margin, COMMAND, &format!("{line}{more}"))?;
        }
        Ok(())
    }

    /// A line that a program printed, cut where the screen ends and without the time it may begin with.
    pub(crate) fn printed(&mut self, text: &str) -> Result<(), Trouble> {
        let timeless = text.split_once(' ').filter(|(word, _)| word.parse::<Timestamp>().is_ok());
        let text = timeless.map_or(text, |(_, rest)| rest);
        self.line("  │ ", QUIET, &cut(text, WIDTH - 4))
    }

    /// A line of a table, cut where the screen ends.
    pub(crate) fn row(&mut self, text: &str) -> Result<(), Trouble> {
        self.line("  ", Style::new(), &cut(text, WIDTH - 2))
    }

    /// A proof and whether it holds.
    pub(crate) fn proof(&mut self, holds: bool, text: &str) -> Result<(), Trouble> {
        let (sign, style) = if holds { ("  ✓ ", GOOD) } else { ("  ✗ ", BAD) };
        for (number, line) in wrapped(text, WIDTH - 4).iter().enumerate() {
            let margin = if number == 0 { sign } else { "    " };
            write!(self.out, "{style}{margin}{style:#}").map_err(Trouble::about("stdout"))?;
            self.line("", Style::new(), line)?;
        }
        Ok(())
    }

    fn line(&mut self, margin: &str, style: Style, text: &str) -> Result<(), Trouble> {
        writeln!(self.out, "{margin}{style}{text}{style:#}")
            .and_then(|()| self.out.flush())
            .map_err(Trouble::about("stdout"))
    }
}

/// Breaks a text that is too long at spaces; the margin it begins with is repeated on every line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let indent = &text[..text.len() - text.trim_start().len()];
    let mut lines = vec![indent.to_owned()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("bug: there is always a line");
        let is_first = line.len() == indent.len();
        if !is_first && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("{indent}{word}"));
        } else {
            let space = if is_first { "" } else { " " };
            line.push_str(space);
            line.push_str(word);
        }
    }
    lines
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_broken_at_spaces_and_keep_their_margin() {
        assert_eq!(wrapped("  a bc def", 6), ["  a bc", "  def"]);
        assert_eq!(wrapped("abcdefgh i", 4), ["abcdefgh", "i"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
