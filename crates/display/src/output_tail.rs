//! The end of what a step's command printed: for a person who has to decide about it.

use std::path::{Path, PathBuf};

use lifeboat_model::{Attempt, NodePath};

use crate::sanitize::{clean, one_line};

/// So many lines are shown of each file.
const SHOWN_LINES: usize = 10;

/// Gives the end of what an attempt of a step printed, as [`rendered`] renders it.
pub type OutputTails<'t> = dyn Fn(&NodePath, Attempt) -> String + 't;

/// The end of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTail {
    /// The file.
    pub path: PathBuf,
    /// The end of it; none where it must not be shown.
    pub text: Option<String>,
}

/// The ends of files, each below its name and set off by bars. Of those that must not be shown, only where they are, and
/// why not. Nothing where there are none.
pub fn rendered(tails: &[FileTail], why_hidden: &str) -> String {
    let shown = tails.iter().filter_map(|tail| Some(lines(&tail.path, tail.text.as_deref()?)));
    let hidden: Vec<_> =
        tails.iter().filter(|tail| tail.text.is_none()).map(|tail| name(&tail.path)).collect();
    let instead = (!hidden.is_empty()).then(|| {
        let names = hidden.join(" and ");
        let line = format!("not shown, for a secret may be in it: {names} ({why_hidden})");
        format!("  {}\n", one_line(&line))
    });
    shown.chain(instead).collect()
}

fn lines(path: &Path, text: &str) -> String {
    let text = clean(text);
    let lines: Vec<_> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES));
    let last: String = last.map(|line| format!("  | {line}\n")).collect();
    format!("  {}:\n{last}", name(path))
}

fn name(path: &Path) -> String {
    clean(&path.to_string_lossy()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_shown_and_files_that_must_not_be_are_named() {
        let text: String = (0..30).map(|number| format!("line {number}\n")).collect();
        let shown = FileTail { path: "loud/2/stdout".into(), text: Some(text + "odd\u{1b}\n") };
        let hidden = |name: &str| FileTail { path: name.into(), text: None };
        let rendered = rendered(&[shown, hidden("a"), hidden("b")], "`token` is not set");
        assert!(rendered.starts_with("  loud/2/stdout:\n  | line 21\n"), "{rendered}");
        let end = "  | line 29\n  | odd\\u{1b}\n  not shown, for a secret may be in it: a and b (`token` is not set)\n";
        assert!(rendered.ends_with(end), "{rendered}");
        assert_eq!(super::rendered(&[], ""), "");
    }
}
