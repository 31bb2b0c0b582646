//! What a step's command printed, from the files of its attempt.

use std::path::PathBuf;

use lifeboat_action::Masker;
use lifeboat_command::{Tail, tails};
use lifeboat_model::{Attempt, NodePath};

use crate::secrets::Secrets;

/// Where the steps of a run leave what they print, and what of it must not be shown.
#[derive(Debug, Clone)]
pub struct OutputTails {
    steps: PathBuf,
    masker: Masker,
    /// The secrets that are not known here, and so cannot be hidden.
    missing: Vec<String>,
}

impl OutputTails {
    /// Of the run whose steps keep what they print in the folder `steps`.
    pub fn new(steps: PathBuf, secrets: &Secrets) -> Self {
        Self { steps, masker: secrets.masker(), missing: secrets.missing().to_vec() }
    }

    /// The ends of what an attempt printed, without text where it may hold a secret that cannot be hidden.
    pub fn of(&self, step: &NodePath, attempt: Attempt) -> Vec<Tail> {
        let folder = self.steps.join(step.file_name().unwrap_or_default()).join(attempt.to_string());
        tails(&folder, self.missing.is_empty().then_some(&self.masker))
    }

    /// Why a text may be missing.
    pub fn why_hidden(&self) -> String {
        match self.missing.as_slice() {
            [] => "it held one that is another by now".to_owned(),
            missing => missing.join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value;

    use super::*;

    #[test]
    fn secrets_are_hidden_and_texts_that_may_hold_an_unknown_one_left_out() {
        let folder = std::env::temp_dir().join(format!("lifeboat-tails-{}", std::process::id()));
        let step = NodePath::new("loud").expect("an id");
        let attempt = folder.join("loud/2");
        fs::create_dir_all(&attempt).expect("a folder");
        fs::write(attempt.join("stdout"), "password hunter2\n").expect("a file");
        fs::write(attempt.join("stderr"), "").expect("a file");
        let mut secrets = Secrets::default();
        secrets.values.insert("password".to_owned(), Value::from("hunter2"));
        let known = OutputTails::new(folder.clone(), &secrets);
        let (shown, none) = (known.of(&step, Attempt(2)), known.of(&step, Attempt(1)));
        secrets.missing.push("`token` is not set".to_owned());
        let unknown = OutputTails::new(folder.clone(), &secrets);
        let hidden = unknown.of(&step, Attempt(2));
        fs::remove_dir_all(&folder).expect("a folder");
        let texts = |tails: &[Tail]| tails.iter().map(|tail| tail.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&shown), [Some("password ‹secret›".to_owned())]);
        assert_eq!((texts(&hidden), none.len()), (vec![None], 0));
        assert_eq!(unknown.why_hidden(), "`token` is not set");
    }
}
