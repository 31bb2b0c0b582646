//! Reads `secrets`: where each comes from, never what it is.

use super::fields::{Fields, Shape, named};
use super::node::Node;
use super::read::text;
use crate::plan::SecretSource;
use crate::problem::{Problem, Problems};
use crate::source::Spanned;

/// A secret as declared.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The name, as in `secrets.NAME`.
    pub name: Spanned<String>,
    /// Where the value comes from; missing only if that is a problem already.
    pub from: Option<SecretSource>,
}

const SECRET: Shape = Shape {
    what: "a secret",
    keys: &["env", "file"],
    later: &["command"],
    foreign: &[
        ("value", "a secret is never written into a runbook; name an environment variable or a file"),
        ("default", "a secret has no default"),
    ],
};

pub(super) fn read_all(node: Node, problems: &mut Problems) -> Vec<Secret> {
    named(node, "`secrets`", problems)
        .into_iter()
        .map(|entry| Secret { from: read(entry.value, problems), name: entry.key })
        .collect()
}

fn read(node: Node, problems: &mut Problems) -> Option<SecretSource> {
    let mut fields = Fields::open(node, &SECRET, problems)?;
    let place = fields.place();
    match (fields.has("env"), fields.has("file")) {
        (true, false) => fields.read("env", text, problems).map(|name| SecretSource::Env(name.value)),
        (false, true) => fields.read("file", text, problems).map(|path| SecretSource::File(path.value)),
        (true, true) => {
            problems.push(Problem::new(
                "secret_source",
                place,
                "a secret comes from one place, `env` or `file`",
            ));
            None
        }
        (false, false) => {
            problems.push(Problem::new(
                "missing_key",
                place,
                "a secret needs `env: VARIABLE` or `file: PATH`",
            ));
            None
        }
    }
}
