//! What a step's command printed, from the files of its attempt.

use std::path::PathBuf;

use lifeboat_action::Masker;
use lifeboat_command::tails;
use lifeboat_display::output_tail::{self, FileTail};
use lifeboat_model::{Attempt, StepId};

use crate::secrets::Secrets;

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
        let masker = self.missing.is_empty().then_some(&self.masker);
        let tails = tails(&folder, masker).into_iter();
        let tails: Vec<_> = tails.map(|tail| FileTail { path: tail.path, text: tail.text }).collect();
        let why_hidden = match self.missing.as_slice() {
            [] => "it held one that is another by now".to_owned(),
            missing => missing.join("; "),
        };
        output_tail::rendered(&tails, &why_hidden)
    }
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
        let tail = Printed::new(folder.clone(), &secrets).tail(&step, Attempt(2));
        let none = Printed::new(folder.clone(), &secrets).tail(&step, Attempt(1));
        secrets.missing.push("`token` is not set".to_owned());
        let hidden = Printed::new(folder.clone(), &secrets).tail(&step, Attempt(2));
        fs::remove_dir_all(&folder).expect("a folder");
        let stdout = attempt.join("stdout").display().to_string();
        assert!(tail.starts_with(&format!("  {stdout}:\n  | line 29991\n")), "{tail}");
        assert!(tail.ends_with("  | line 29999\n  | password ‹secret›\\u{1b}\n"), "{tail}");
        assert_eq!(none, "");
        let instead = format!("  not shown, for a secret may be in it: {stdout} (`token` is not set)\n");
        assert_eq!(hidden, instead);
    }
}
