//! stdout and stderr: stdout is data, stderr is talk. On a terminal, the last lines can be a region that is redrawn in
//! place; whatever else is printed goes above it.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};

/// Where everything is printed.
#[derive(Debug)]
pub(crate) struct Terminal {
    stdin_is_terminal: bool,
    stderr_is_terminal: bool,
    stdout_is_terminal: bool,
    /// Whether stdout takes colours.
    colour_out: bool,
    /// Whether stderr takes colours.
    colour_err: bool,
    region: Mutex<Region>,
}

/// The lines at the bottom.
#[derive(Debug, Default)]
struct Region {
    lines: Vec<String>,
    /// How many of them are on the screen.
    drawn: usize,
    /// Somebody else has the screen: nothing is drawn.
    hidden: bool,
    /// A question that waits for its answer: whatever is printed meanwhile, it stands below.
    question: Option<String>,
}

impl Terminal {
    pub(crate) fn open() -> Self {
        let coloured = |choice| !matches!(choice, ColorChoice::Never);
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            stdin_is_terminal: io::stdin().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal() && !dumb,
            colour_out: coloured(AutoStream::choice(&io::stdout())),
            colour_err: coloured(AutoStream::choice(&io::stderr())),
            region: Mutex::default(),
        }
    }

    /// Whether a person can be asked here.
    pub(crate) fn can_ask(&self) -> bool {
        self.stdin_is_terminal && self.stderr_is_terminal
    }

    /// Whether lines of stdout can be redrawn in place.
    pub(crate) fn can_redraw(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Columns and rows, where the terminal tells.
    pub(crate) fn size(&self) -> Option<(usize, usize)> {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
    }

    /// Prints data.
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        self.above_region(|| self.write_out(text))
    }

    /// Prints data above a new region.
    pub(crate) fn print_above(&self, lines: Vec<String>, text: &str) -> io::Result<()> {
        let mut region = self.region();
        region.erase()?;
        self.around_question(&region, || self.write_out(text))?;
        region.lines = lines;
        region.draw(self.colour_out)
    }

    fn write_out(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        write_text(&mut out, text, self.colour_out)?;
        out.flush()
    }

    /// Prints talk. Nobody may be listening: that is no error.
    pub(crate) fn say(&self, text: &str) {
        drop(self.above_region(|| write_text(&mut io::stderr().lock(), text, self.colour_err)));
    }

    /// Asks a question, which is put again below whatever is printed before [`Terminal::answered`].
    pub(crate) fn ask(&self, question: &str) {
        self.say(question);
        self.region().question = Some(question.to_owned());
    }

    /// The question has its answer, or waits for none any more.
    pub(crate) fn answered(&self) {
        self.region().question = None;
    }

    fn around_question(&self, region: &Region, print: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let Some(question) = &region.question else { return print() };
        write_text(&mut io::stderr().lock(), "\n", self.colour_err)?;
        print()?;
        write_text(&mut io::stderr().lock(), question, self.colour_err)
    }

    /// Replaces the region at the bottom.
    pub(crate) fn draw(&self, lines: Vec<String>) -> io::Result<()> {
        let mut region = self.region();
        region.erase()?;
        region.lines = lines;
        region.draw(self.colour_out)
    }

    /// Takes the region off the screen until [`Terminal::show_region`].
    pub(crate) fn hide_region(&self) {
        let mut region = self.region();
        drop(region.erase());
        region.hidden = true;
    }

    /// Draws the region again.
    pub(crate) fn show_region(&self) {
        let mut region = self.region();
        region.hidden = false;
        drop(region.draw(self.colour_out));
    }

    fn above_region(&self, print: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut region = self.region();
        region.erase()?;
        self.around_question(&region, print)?;
        region.draw(self.colour_out)
    }

    fn region(&self) -> MutexGuard<'_, Region> {
        self.region.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Region {
    fn erase(&mut self) -> io::Result<()> {
        let drawn = std::mem::take(&mut self.drawn);
        if drawn == 0 {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        write!(out, "\r\x1b[{drawn}A\x1b[J")?;
        out.flush()
    }

    fn draw(&mut self, colour: bool) -> io::Result<()> {
        if self.hidden || self.lines.is_empty() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        for line in &self.lines {
            write_text(&mut out, line, colour)?;
            out.write_all(b"\n")?;
        }
        self.drawn = self.lines.len();
        out.flush()
    }
}

fn write_text(to: &mut impl Write, text: &str, colour: bool) -> io::Result<()> {
    if colour { to.write_all(text.as_bytes()) } else { write!(to, "{}", strip_str(text)) }
}
