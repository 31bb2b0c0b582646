//! The runbooks that are tortured. `DIR` is the folder where they leave their effects.

use std::fmt::Write as _;

/// Something of everything: steps whose effect can be looked for and steps whose cannot, a block, a step that fails at
/// first, one that is skipped, one that uses another's output, `finally`.
pub(crate) const EVERYTHING: &str = r#"
runbook: everything
steps:
  - id: plain
    action: command.run
    with: { script: "echo plain >>DIR/effects; echo told" }
  - id: checked
    action: command.run
    with: { script: "echo checked >>DIR/effects" }
    check: { action: command.run, with: { script: "grep -qx checked DIR/effects", read_only: true } }
  - parallel: both
    steps:
      - { id: left, action: command.run, with: { script: "echo left >>DIR/effects" } }
      - id: right
        action: command.run
        with: { script: "echo right >>DIR/effects" }
        check: { action: command.run, with: { script: "grep -qx right DIR/effects", read_only: true } }
  - id: flaky
    action: command.run
    with: { script: "echo flaky >>DIR/effects; if mkdir DIR/tried 2>/dev/null; then exit 1; fi" }
    retry: { attempts: 3, delay: 5ms }
  - id: never
    action: command.run
    when: "{{ eq mode 'drill' }}"
    with: { script: "echo never >>DIR/effects" }
  - id: uses
    action: command.run
    with: { argv: [/bin/sh, -c, "echo $0 >>DIR/effects", "{{ steps.plain.stdout }}"] }
  - id: looks
    action: command.run
    with: { script: "grep -qx told DIR/effects", read_only: true }
finally:
  - { id: close, action: command.run, with: { script: "echo close >>DIR/effects" } }
"#;

/// Steps whose effects can all be looked for: a supervisor that is killed as well leaves nothing that asks.
pub(crate) const CHECKED: &str = r#"
runbook: checked
steps:
  - id: one
    action: command.run
    with: { script: "echo one >>DIR/effects" }
    check: { action: command.run, with: { script: "grep -qx one DIR/effects", read_only: true } }
  - id: two
    action: command.run
    with: { script: "echo two >>DIR/effects" }
    check: { action: command.run, with: { script: "grep -qx two DIR/effects", read_only: true } }
  - id: three
    action: command.run
    with: { script: "echo three >>DIR/effects" }
    check: { action: command.run, with: { script: "grep -qx three DIR/effects", read_only: true } }
"#;

/// A step between two others that writes its process id, waits until `go` exists, and leaves its effect.
pub(crate) const WAITING: &str = r#"
runbook: waiting
steps:
  - { id: before, action: command.run, with: { script: "echo before >>DIR/effects" } }
  - id: waits
    action: command.run
    with: { script: "echo $$ >DIR/pid; until [ -e DIR/go ]; do sleep 0.01; done; echo waits >>DIR/effects", kill_after: 200ms }
  - { id: after, action: command.run, with: { script: "echo after >>DIR/effects" } }
"#;

/// Thirty steps, five of them side by side, each some milliseconds long.
pub(crate) fn storm() -> String {
    let mut text = "runbook: storm\nsteps:\n".to_owned();
    text.extend((0..10).map(|number| storm_step("  ", number)));
    text.push_str("  - parallel: wide\n    steps:\n");
    text.extend((10..15).map(|number| storm_step("      ", number)));
    text.extend((15..30).map(|number| storm_step("  ", number)));
    text
}

/// Every third step's effect can be looked for; of the others only the supervisor knows.
fn storm_step(indent: &str, number: u32) -> String {
    let (id, millis) = (format!("s{number:02}"), 5 + number * 7 % 40);
    let mut text = format!(
        "{indent}- id: {id}\n{indent}  action: command.run\n\
         {indent}  with: {{ script: \"sleep 0.{millis:03}; echo {id} >>DIR/effects\" }}\n"
    );
    if number.is_multiple_of(3) {
        let script = format!("grep -qx {id} DIR/effects");
        writeln!(
            text,
            "{indent}  check: {{ action: command.run, with: {{ script: \"{script}\", read_only: true }} }}"
        )
        .expect("writing to a text");
    }
    text
}
