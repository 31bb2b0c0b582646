//! Texts that are the same everywhere: what differs from one time or place to the next is replaced by words.

use std::sync::LazyLock;

use regex::Regex;

/// A text with ids of runs, times, lengths of time, process ids and hosts replaced. `runs` are the ids in the order in
/// which they were first shown.
pub(super) fn redacted(text: &str, runs: &mut Vec<String>) -> String {
    for found in RUN.find_iter(text) {
        if !runs.iter().any(|run| run == found.as_str()) {
            runs.push(found.as_str().to_owned());
        }
    }
    let mut text = text.to_owned();
    for (number, run) in runs.iter().enumerate() {
        text = text.replace(run, &format!("[RUN {}]", number + 1));
    }
    for (pattern, word) in REDACTIONS.iter() {
        text = pattern.replace_all(&text, *word).into_owned();
    }
    text
}

static RUN: LazyLock<Regex> = LazyLock::new(|| Regex::new("run_[0-9a-z]{26}").expect("a pattern"));

/// Lengths of time are of different lengths themselves, so the blanks behind them go too.
static REDACTIONS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"pid \d+ on [^\s,]+", "pid [PID] on [HOST]"),
        (r"\bafter (\d+ms|\d+\.\ds|\d+m \d\ds)", "after [ELAPSED]"),
        (r", (\d+ms|\d+\.\ds|\d+m \d\ds) since", ", [ELAPSED] since"),
        (
            r"(?m)^(\S+(?: \S+)?)  +(\S+)  +(\d+ms|\d+\.\ds|\d+m \d\ds)( in \d+ attempts)?(  +|$)",
            "$1  $2  [ELAPSED]$4  ",
        ),
        (r"(?m)  +$", ""),
    ]
    .map(|(pattern, word)| (Regex::new(pattern).expect("a pattern"), word))
    .into()
});
