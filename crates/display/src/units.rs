//! Moments, lengths of time and numbers of things.

use jiff::Timestamp;

/// How long it took, as precise as it is of interest: `40ms`, `2.1s`, `1m 05s`, `2h 03m`.
pub fn elapsed(from: Timestamp, to: Timestamp) -> String {
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
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A number of things.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn times_are_as_precise_as_they_are_of_interest() {
        let shown = |millis| {
            let from = Timestamp::UNIX_EPOCH;
            elapsed(from, from + SignedDuration::from_millis(millis))
        };
        let all = [0, 999, 1000, 59_999, 65_000, 3_600_000, 7_380_000].map(shown);
        assert_eq!(all, ["0ms", "999ms", "1.0s", "59.9s", "1m 05s", "1h 00m", "2h 03m"]);
    }
}
