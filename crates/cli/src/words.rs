//! Times, states and foreign texts in words.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use lifeboat_model::event::not_rehearsed;
use lifeboat_model::record::{Mode, StopReason, Verdict};
use lifeboat_model::{Header, Phase, RunState, Status, StepIndex, StepState};

const fn bold(colour: AnsiColor) -> Style {
    colour.on_default().bold()
}

/// The style of the word `error`.
pub(crate) const ERROR: Style = bold(AnsiColor::Red);
/// The style of the word `warning`.
pub(crate) const WARNING: Style = bold(AnsiColor::Yellow);
/// The style of the words `hint` and `next`.
pub(crate) const HINT: Style = bold(AnsiColor::Cyan);
/// The style of what went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// The style of what matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// The style of headings.
pub(crate) const BOLD: Style = Style::new().bold();

/// A text from outside, made harmless for a terminal: what would steer it is shown instead.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| c == '\n' || !(c.is_control() || turns_text(c));
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| match c {
        c if harmless(c) => c.to_string(),
        '\t' => "    ".to_owned(),
        '\r' => String::new(),
        c => c.escape_default().to_string(),
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Whether a character changes the direction of the text around it or breaks its line, without being seen.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text from outside on one line.
pub(crate) fn one_line(text: &str) -> String {
    let parts = text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty());
    clean(&parts.collect::<Vec<_>>().join(" / ")).into_owned()
}

/// How long it took, as precise as it is of interest: `40ms`, `2.1s`, `1m 05s`, `2h 03m`.
pub(crate) fn elapsed(from: Timestamp, to: Timestamp) -> String {
    let millis = u64::try_from(lifeboat_model::event::elapsed_ms(from, to)).unwrap_or(u64::MAX);
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis}ms"),
        1..60 => format!("{seconds}.{}s", millis % 1000 / 100),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A moment to the second, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A number of things.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// A step's state in words, and how they look. What a dry run has not looked at yet is not known to change anything.
pub(crate) fn step(state: &RunState, at: StepIndex) -> (&'static str, Style) {
    match (state.step(at), state.mode()) {
        (StepState::Pending, Mode::DryRun) => ("not looked at", FAINT),
        (_, mode) => status(state.status(at), mode),
    }
}

/// The state of a step that something happened to in words, and how they look.
pub(crate) fn status(status: Status, mode: Mode) -> (&'static str, Style) {
    match (status, mode) {
        (Status::Pending, Mode::DryRun) => ("would change", AnsiColor::Cyan.on_default()),
        (Status::Failed, Mode::DryRun) => ("blocked", ERROR),
        (Status::Pending, _) => ("pending", FAINT),
        (Status::Running, _) => ("running", AnsiColor::Cyan.on_default()),
        (Status::Waiting, _) => ("waiting", WARNING),
        (Status::Succeeded, _) => ("succeeded", GOOD),
        (Status::InPlace, _) => ("in place", GOOD),
        (Status::Skipped, _) => ("skipped", FAINT),
        (Status::Failed, _) => ("failed", ERROR),
        (Status::InDoubt, _) => ("in doubt", WARNING),
        (Status::Cancelled, _) => ("cancelled", FAINT),
        (Status::Undone, _) => ("undone", GOOD),
        (Status::UndoFailed, _) => ("undo failed", ERROR),
        (Status::NotRehearsed, _) => ("not rehearsed", WARNING),
    }
}

/// How a run ended, in words, and how they look. What a dry run could not rehearse did not pass.
pub(crate) fn verdict(verdict: Verdict, mode: Mode, not_rehearsed: usize) -> (Cow<'static, str>, Style) {
    let (word, style) = match (verdict, mode) {
        (Verdict::Failed, Mode::DryRun) => ("not ready", ERROR),
        (Verdict::Succeeded | Verdict::SucceededWithDeviations, Mode::DryRun) if not_rehearsed > 0 => {
            let steps = count(not_rehearsed, "step", "steps");
            return (format!("{steps} not rehearsed, nothing else in the way").into(), WARNING);
        }
        (Verdict::Succeeded | Verdict::SucceededWithDeviations, Mode::DryRun) => ("nothing in the way", GOOD),
        (Verdict::Succeeded, _) => ("succeeded", GOOD),
        (Verdict::SucceededWithDeviations, _) => ("succeeded with deviations", WARNING),
        (Verdict::Failed, _) => ("failed", ERROR),
        (Verdict::RolledBack, _) => ("rolled back", WARNING),
        (Verdict::Stuck, _) => ("stuck: an undo failed", ERROR),
        (Verdict::Cancelled, _) => ("cancelled", WARNING),
    };
    (word.into(), style)
}

/// [`verdict`] of a run whose state is known.
pub(crate) fn verdict_of(state: &RunState, verdict: Verdict) -> (Cow<'static, str>, Style) {
    self::verdict(verdict, state.mode(), not_rehearsed(state))
}

/// How far a run is by its header, if nobody drives it, and how that looks.
pub(crate) fn last_known(header: &Header) -> (Cow<'static, str>, Style) {
    match header.state {
        Phase::Finished(verdict) => self::verdict(verdict, header.mode, header.not_rehearsed),
        Phase::Running => ("its driver is gone".into(), WARNING),
        Phase::Stopped(reason) => (stop(reason).into(), WARNING),
    }
}

/// A mode in words.
pub(crate) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Drill => "drill",
        Mode::DryRun => "dry run",
    }
}

/// Why a driver let go of a run, in words.
pub(crate) fn stop(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Interrupted => "interrupted",
        StopReason::Paused => "ready to go on",
        StopReason::NeedsPerson => "waiting for a person",
    }
}

/// A word as it can be typed into a shell.
pub(crate) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_shown() {
        assert_eq!(clean("a\u{1b}[2Jb\tc\r\nd"), "a\\u{1b}[2Jb    c\nd");
        assert_eq!(clean("fi\u{202e}le\u{2066}\u{2028}"), "fi\\u{202e}le\\u{2066}\\u{2028}");
        assert_eq!(one_line(" a\n\n  b\r\n"), "a / b");
    }

    #[test]
    fn times_are_as_precise_as_they_are_of_interest() {
        let shown = |millis| {
            let from = Timestamp::UNIX_EPOCH;
            elapsed(from, from + SignedDuration::from_millis(millis))
        };
        let all = [0, 999, 1000, 59_999, 65_000, 3_600_000, 7_380_000].map(shown);
        assert_eq!(all, ["0ms", "999ms", "1.0s", "59.9s", "1m 05s", "1h 00m", "2h 03m"]);
    }

    #[test]
    fn words_can_be_typed_into_a_shell() {
        assert_eq!(shell("a-b_c=1"), "a-b_c=1");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell(""), "''");
    }
}
