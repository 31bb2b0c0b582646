//! What a step's command printed, from the files of its attempt: for a person who has to decide about it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use lifeboat_action::Masker;
use lifeboat_model::{Attempt, StepId};

use crate::secrets::Secrets;
use crate::words::{clean, one_line};

/// Much more is read than shown: a secret that the first limit cuts in two is past the second.
const READ_BYTES: u64 = 64 * 1024;
const SHOWN_BYTES: usize = 2 * 1024;
const SHOWN_LINES: usize = 10;

/// Where the steps of a run leave what they print, and what of it must not be shown.
#[derive(Debug)]
pub(crate) struct Printed {
    steps: PathBuf,
    masker: Masker,
    /// The secrets that are not known here, and so cannot be hidden.
    missing: Vec<String>,
}

impl Printed {
    pub(crate) fn new(steps: PathBuf, secrets: &Secrets) -> Self {
        Self { steps, masker: secrets.masker(), missing: secrets.missing.clone() }
    }

    /// The end of what an attempt printed, set off by bars, each file below its name. Nothing where it printed nothing;
    /// only where it is, while it may hold a secret that cannot be hidden.
    pub(crate) fn tail(&self, step: &StepId, attempt: Attempt) -> String {
        let folder = self.steps.join(step.as_str()).join(attempt.to_string());
        let files = ["stdout", "stderr"].map(|name| folder.join(name));
        if self.missing.is_empty() {
            files.iter().filter_map(|path| self.tail_of(path)).collect()
        } else {
            self.instead_of(&files).unwrap_or_default()
        }
    }

    fn instead_of(&self, files: &[PathBuf]) -> Option<String> {
        let printed = files.iter().filter(|path| path.metadata().is_ok_and(|file| file.len() > 0));
        let names: Vec<_> = printed.map(|path| path.to_string_lossy()).collect();
        (!names.is_empty()).then(|| {
            let (names, missing) = (names.join(" and "), self.missing.join("; "));
            format!("  {}\n", one_line(&format!("not shown, for a secret may be in it: {names} ({missing})")))
        })
    }

    fn tail_of(&self, path: &Path) -> Option<String> {
        let bytes = end_of(path).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let masked = self.masker.mask(&text);
        let text = masked.trim_end();
        let text =
            text.get(text.floor_char_boundary(text.len().saturating_sub(SHOWN_BYTES))..).unwrap_or(text);
        let start = text.rmatch_indices('\n').nth(SHOWN_LINES - 1).map_or(0, |(at, _)| at + 1);
        let tail = clean(text.get(start..)?);
        let lines: String = tail.lines().map(|line| format!("  | {line}\n")).collect();
        (!lines.is_empty()).then(|| format!("  {}:\n{lines}", clean(&path.to_string_lossy())))
    }
}

/// The end of a file.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(READ_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(READ_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_last_lines_are_shown_without_secrets() {
        let folder = std::env::temp_dir().join(format!("lifeboat-printed-{}", std::process::id()));
        let step = StepId::new("loud").expect("an id");
        let attempt = folder.join("loud/2");
        fs::create_dir_all(&attempt).expect("a folder");
        let text: String = (0..30_000).map(|number| format!("line {number}\n")).collect();
        fs::write(attempt.join("stdout"), text + "password hunter2\u{1b}\n\n").expect("a file");
        fs::write(attempt.join("stderr"), "").expect("a file");
        let mut secrets = Secrets::default();
        secrets.values.insert("password".to_owned(), Value::from("hunter2"));
        let printed = Printed::new(folder.clone(), &secrets);
        let tail = printed.tail(&step, Attempt(2));
        let none = printed.tail(&step, Attempt(1));
        fs::remove_dir_all(&folder).expect("a folder");
        assert!(
            tail.starts_with(&format!("  {}:\n  | line 29991\n", attempt.join("stdout").display())),
            "{tail}"
        );
        assert!(tail.ends_with("  | line 29999\n  | password ‹secret›\\u{1b}\n"), "{tail}");
        assert_eq!(none, "");
    }
}
