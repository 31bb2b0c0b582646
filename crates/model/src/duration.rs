//! The one reader of durations: those of the language, of inputs and of the parameters of actions.

use jiff::SignedDuration;

/// How a duration is written, as the help of a problem.
pub const HOW_TO_WRITE: &str = "write it like 250ms, 10s, 2m or 1h 30m";

/// The longest duration: longer than any wait, and short enough for any clock to count.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The reasons why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotADuration {
    /// A number alone.
    NoUnit,
    /// Any other text.
    Unreadable,
    /// Less than nothing.
    Negative,
    /// Longer than a year.
    TooLong,
}

impl NotADuration {
    /// The message, which quotes the text as given here. The text may be a secret, and a masker finds only whole secrets:
    /// shorten none but the text of a runbook.
    pub fn message(self, text: &str) -> String {
        match self {
            Self::NoUnit => format!("`{text}` has no unit"),
            Self::Unreadable => format!("`{text}` is not a duration"),
            Self::Negative => format!("`{text}` is negative"),
            Self::TooLong => format!("`{text}` is longer than a year"),
        }
    }
}

/// Reads a duration such as `10s` or `1h 30m`. It is not negative, and a year at most.
///
/// # Errors
/// The reason why the text is no duration.
pub fn parse(text: &str) -> Result<SignedDuration, NotADuration> {
    let text = text.trim();
    if text.parse::<f64>().is_ok() {
        return Err(NotADuration::NoUnit);
    }
    let duration: SignedDuration = text.parse().map_err(|_: jiff::Error| NotADuration::Unreadable)?;
    if duration.is_negative() {
        return Err(NotADuration::Negative);
    }
    if duration > LONGEST {
        return Err(NotADuration::TooLong);
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::parse;

    #[test]
    fn durations_are_written_with_units() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            (" 0s ", 0),
            ("8784h", 31_622_400_000),
        ] {
            assert_eq!(parse(text), Ok(SignedDuration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, why) in [
            ("10", "`10` has no unit"),
            ("soon", "`soon` is not a duration"),
            ("-5s", "`-5s` is negative"),
            ("8785h", "`8785h` is longer than a year"),
            ("9223372036854775807s", "`9223372036854775807s` is longer than a year"),
            ("", "`` is not a duration"),
        ] {
            assert_eq!(parse(text).map_err(|wrong| wrong.message(text)), Err(why.to_owned()));
        }
    }
}
