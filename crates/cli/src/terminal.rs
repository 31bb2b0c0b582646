//! stdout and stderr: stdout is data, stderr is talk. On a terminal, the last lines can be a region that is redrawn in
//! place; whatever else is printed goes above it.

mod screen;
mod talk;

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use lifeboat_display::live::Size;
use lifeboat_display::sanitize::clean;
use lifeboat_display::style::WARNING;

use self::screen::Screen;
use self::talk::Talk;

/// How long, at the end, a text is waited for that nobody reads.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Where everything is printed.
#[derive(Debug)]
pub(crate) struct Terminal {
    stdin_is_terminal: bool,
    stderr_is_terminal: bool,
    stdout_is_terminal: bool,
    screen: Arc<Screen>,
    /// Where talk goes that nobody may wait for.
    apart: Mutex<Option<Arc<Talk>>>,
}

impl Terminal {
    pub(crate) fn open() -> Self {
        let coloured = |choice| !matches!(choice, ColorChoice::Never);
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let colour_out = coloured(AutoStream::choice(&io::stdout()));
        let colour_err = coloured(AutoStream::choice(&io::stderr()));
        Self {
            stdin_is_terminal: io::stdin().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal() && !dumb,
            screen: Arc::new(Screen::new(colour_out, colour_err)),
            apart: Mutex::default(),
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

    /// The room on the terminal, where it tells.
    pub(crate) fn size(&self) -> Option<Size> {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0)
            .then(|| Size { columns: size.ws_col.into(), rows: size.ws_row.into() })
    }

    /// Prints data.
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        self.screen.print(text)
    }

    /// Prints data below what was said before, where both are seen in one place.
    pub(crate) fn print_below_talk(&self, text: &str) -> io::Result<()> {
        if self.screen.is_together() {
            self.catch_up();
        }
        self.print(text)
    }

    /// Prints data above a new region.
    pub(crate) fn print_above(&self, lines: Vec<String>, text: &str) -> io::Result<()> {
        self.screen.print_above(lines, text)
    }

    /// Prints talk. Nobody may be listening: that is no error.
    pub(crate) fn say(&self, text: &str) {
        match self.apart() {
            Some(talk) => talk.say(text),
            None => self.screen.say(text),
        }
    }

    /// Tells a person what is noted in a run.
    pub(crate) fn note(&self, note: &str) {
        self.say(&format!("{WARNING}note:{WARNING:#} {}\n", clean(note)));
    }

    /// Waits until everything that was said is written.
    fn catch_up(&self) {
        if let Some(talk) = self.apart() {
            talk.wait();
        }
    }

    /// From now on until the end of what this gives, nobody waits for what is said.
    pub(crate) fn talk_apart(&self) -> TalkApart<'_> {
        *self.lock() = Some(Talk::new(Arc::clone(&self.screen)));
        TalkApart(self)
    }

    /// A number that changes with whatever is read.
    pub(crate) fn taken(&self) -> u64 {
        self.screen.taken()
    }

    /// Asks a question, which is put again below whatever is printed before [`Terminal::answered`].
    pub(crate) fn ask(&self, question: &str) {
        self.say(question);
        self.catch_up();
        self.screen.set_question(Some(question.to_owned()));
    }

    /// The question has its answer, or waits for none any more.
    pub(crate) fn answered(&self) {
        self.screen.set_question(None);
    }

    /// Replaces the region at the bottom.
    pub(crate) fn draw(&self, lines: Vec<String>) -> io::Result<()> {
        self.screen.draw(lines)
    }

    /// Takes the region off the screen until [`Terminal::show_region`].
    pub(crate) fn hide_region(&self) {
        self.screen.hide_region();
    }

    /// Draws the region again.
    pub(crate) fn show_region(&self) {
        self.screen.show_region();
    }

    fn apart(&self) -> Option<Arc<Talk>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Talk>>> {
        self.apart.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Talk goes its own way. Dropped, it waits for it as long as somebody reads; where nobody does, it stays so: no more is
/// waited for.
#[must_use = "talk is waited for again when this is dropped"]
pub(crate) struct TalkApart<'a>(&'a Terminal);

impl Drop for TalkApart<'_> {
    fn drop(&mut self) {
        let Some(talk) = self.0.apart() else { return };
        if talk.wait_while_read(PATIENCE) {
            *self.0.lock() = None;
            talk.close();
        }
    }
}
