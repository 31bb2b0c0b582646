//! The two streams, and the lines at the bottom of a terminal that are redrawn in place.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::adapter::strip_str;
use rustix::fd::AsFd;
use rustix::fs::fstat;

/// So much is written at a time: whoever waits sees that somebody reads.
const PIECE: usize = 16 * 1024;

/// Writes to stdout and stderr. Where they are two places, whoever reads the one holds up nothing of the other.
#[derive(Debug)]
pub(super) struct Screen {
    /// Both are the same terminal, pipe or file.
    together: bool,
    /// Whether stdout takes colours.
    colour_out: bool,
    /// Whether stderr takes colours.
    colour_err: bool,
    /// Held while stdout is written, and stderr where that is the same place.
    region: Mutex<Region>,
    /// A question that waits for its answer: whatever is printed meanwhile, it stands below.
    question: Mutex<Option<String>>,
    /// How many pieces were taken by whoever reads.
    taken: AtomicU64,
}

/// The lines at the bottom.
#[derive(Debug, Default)]
struct Region {
    lines: Vec<String>,
    /// How many of them are on the screen.
    drawn: usize,
    /// Somebody else has the screen: nothing is drawn.
    hidden: bool,
}

impl Screen {
    pub(super) fn new(colour_out: bool, colour_err: bool) -> Self {
        Self {
            together: are_same(&io::stdout(), &io::stderr()),
            colour_out,
            colour_err,
            region: Mutex::default(),
            question: Mutex::default(),
            taken: AtomicU64::new(0),
        }
    }

    /// A number that changes with whatever is read.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Whether stdout and stderr are the same place.
    pub(super) fn is_together(&self) -> bool {
        self.together
    }

    pub(super) fn print(&self, text: &str) -> io::Result<()> {
        self.above_region(|| self.print_around_question(text))
    }

    /// Prints above a new region.
    pub(super) fn print_above(&self, lines: Vec<String>, text: &str) -> io::Result<()> {
        let mut region = self.region();
        self.erase(&mut region)?;
        self.print_around_question(text)?;
        region.lines = lines;
        self.draw_again(&mut region)
    }

    /// Nobody may be listening: that is no error.
    pub(super) fn say(&self, text: &str) {
        let say = || self.around_question(|| self.write_err(text));
        drop(if self.together { self.above_region(say) } else { say() });
    }

    /// What is to stand below everything else.
    pub(super) fn set_question(&self, question: Option<String>) {
        *self.question.lock().unwrap_or_else(PoisonError::into_inner) = question;
    }

    /// Replaces the region at the bottom.
    pub(super) fn draw(&self, lines: Vec<String>) -> io::Result<()> {
        let mut region = self.region();
        self.erase(&mut region)?;
        region.lines = lines;
        self.draw_again(&mut region)
    }

    pub(super) fn hide_region(&self) {
        let mut region = self.region();
        drop(self.erase(&mut region));
        region.hidden = true;
    }

    pub(super) fn show_region(&self) {
        let mut region = self.region();
        region.hidden = false;
        drop(self.draw_again(&mut region));
    }

    fn above_region(&self, print: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut region = self.region();
        self.erase(&mut region)?;
        print()?;
        self.draw_again(&mut region)
    }

    fn print_around_question(&self, text: &str) -> io::Result<()> {
        let print = || self.write_out(text);
        if self.together { self.around_question(print) } else { print() }
    }

    fn around_question(&self, print: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        // Not held while anything is written: whoever gives an answer up does not wait for the screen.
        let question = || self.question.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if question().is_none() {
            return print();
        }
        self.write_err("\n")?;
        print()?;
        question().map_or(Ok(()), |question| self.write_err(&question))
    }

    fn erase(&self, region: &mut Region) -> io::Result<()> {
        match std::mem::take(&mut region.drawn) {
            0 => Ok(()),
            drawn => self.write(&mut io::stdout().lock(), &format!("\r\x1b[{drawn}A\x1b[J")),
        }
    }

    fn draw_again(&self, region: &mut Region) -> io::Result<()> {
        if region.hidden || region.lines.is_empty() {
            return Ok(());
        }
        let text: String = region.lines.iter().flat_map(|line| [line, "\n"]).collect();
        region.drawn = region.lines.len();
        self.write_out(&text)
    }

    fn write_out(&self, text: &str) -> io::Result<()> {
        let stripped = (!self.colour_out).then(|| strip_str(text).to_string());
        self.write(&mut io::stdout().lock(), stripped.as_deref().unwrap_or(text))
    }

    fn write_err(&self, text: &str) -> io::Result<()> {
        let stripped = (!self.colour_err).then(|| strip_str(text).to_string());
        self.write(&mut io::stderr().lock(), stripped.as_deref().unwrap_or(text))
    }

    fn write(&self, to: &mut impl Write, text: &str) -> io::Result<()> {
        for piece in text.as_bytes().chunks(PIECE) {
            to.write_all(piece)?;
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
        to.flush()
    }

    fn region(&self) -> MutexGuard<'_, Region> {
        self.region.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what is written to the one comes to where the other is; where that is not known, it is taken to be so.
fn are_same(one: &impl AsFd, other: &impl AsFd) -> bool {
    let place = |of: &dyn AsFd| fstat(of.as_fd()).map(|stat| (stat.st_dev, stat.st_ino));
    match (place(one), place(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::are_same;

    #[test]
    fn one_place_is_told_from_two() {
        let (_reader, pipe) = std::io::pipe().expect("a pipe");
        let null = File::options().write(true).open("/dev/null").expect("a device");
        let again = pipe.try_clone().expect("a pipe can be shared");
        assert!(are_same(&pipe, &again));
        assert!(!are_same(&pipe, &null));
    }
}
