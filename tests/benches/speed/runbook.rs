//! The runbooks that are measured.

use std::fmt::Write;

/// So many steps in sequence, each with this body.
pub(crate) fn sequence(steps: u32, body: &str) -> String {
    let mut text = "runbook: bench\nsteps:\n".to_owned();
    for n in 0..steps {
        writeln!(text, "  - {{ id: s{n}, {body} }}").expect("a text grows");
    }
    text
}

/// One step, a block of so many, one step.
pub(crate) fn wide(steps: u32, body: &str) -> String {
    let mut text =
        format!("runbook: bench\nsteps:\n  - {{ id: first, {body} }}\n  - parallel: wide\n    steps:\n");
    for n in 0..steps {
        writeln!(text, "      - {{ id: s{n}, {body} }}").expect("a text grows");
    }
    writeln!(text, "  - {{ id: last, {body} }}").expect("a text grows");
    text
}

/// A step that does nothing: a wait that is over at once.
pub(crate) const NOTHING: &str = "action: wait.for, with: { duration: 0s }";

/// A step that starts a command.
pub(crate) const TRUE: &str = "action: command.run, with: { argv: [/bin/true] }";
