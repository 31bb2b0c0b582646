//! Where relative paths begin: on the command line where it is typed, in a run where it was started.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use lifeboat_tests::cli::{Answer, Sandbox};

const TOOL: &str = "
runbook: tool
inputs:
  word: { type: string, default: none }
steps:
  - { id: first, action: command.run, with: { script: 'test -e mended' } }
  - { id: tool, action: command.run, with: { argv: [./tool.sh, '{{ inputs.word }}'] } }
";

/// Two folders with a tool of the same name that says where it is.
fn two_folders() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["a", "b"] {
        let folder = sandbox.path(name);
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("tool.sh"), format!("#!/bin/sh\necho tool of {name}, $1\n")).expect("a tool");
        fs::set_permissions(folder.join("tool.sh"), fs::Permissions::from_mode(0o755)).expect("ours");
    }
    fs::write(sandbox.path("a/tool.yaml"), TOOL).expect("a runbook");
    fs::write(sandbox.path("a/inputs.yaml"), "word: given").expect("inputs");
    sandbox
}

/// The program in a folder of the sandbox, with a relative home.
fn lifeboat(sandbox: &Sandbox, folder: &str, line: &str) -> Answer {
    let mut command: Command = sandbox.command();
    command.env_remove("LIFEBOAT_HOME").current_dir(sandbox.path(folder)).args(line.split_whitespace());
    Answer::new(sandbox, line, &command.output().expect("lifeboat starts"))
}

/// A run that failed in folder `a`, its cause mended there, and its step to be tried again.
fn failed() -> Sandbox {
    let sandbox = two_folders();
    let answer = lifeboat(&sandbox, "a", "run tool.yaml --inputs inputs.yaml --yes --home ../home");
    assert_eq!(answer.code, Some(4), "{answer}");
    fs::write(sandbox.path("a/mended"), "").expect("a file");
    sandbox
}

fn output_of_tool(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.only_run().join("steps/tool/1/stdout")).expect("the tool ran")
}

#[test]
fn a_run_goes_on_in_the_folder_in_which_it_was_started() {
    let sandbox = failed();
    let answer = lifeboat(&sandbox, "b", "retry first --reason mended --home ../home");
    assert_eq!(answer.code, Some(0), "{answer}");
    let answer = lifeboat(&sandbox, "b", "resume --home ../home");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert_eq!(output_of_tool(&sandbox), "tool of a, given\n");
    assert!(answer.stderr.contains("lifeboat --home ../home status run_"), "{answer}");
}

#[test]
fn a_folder_that_is_gone_is_asked_about() {
    let sandbox = failed();
    let answer = lifeboat(&sandbox, "b", "skip first --reason unneeded --home ../home");
    assert_eq!(answer.code, Some(0), "{answer}");
    fs::rename(sandbox.path("a"), sandbox.path("moved")).expect("renamed");
    let answer = lifeboat(&sandbox, "b", "resume --home ../home");
    assert_eq!(answer.code, Some(2), "{answer}");
    assert!(answer.stderr.contains("/a, which cannot be entered: No such file"), "{answer}");
    assert!(answer.stderr.contains("go on here with `--here`"), "{answer}");
    let answer = lifeboat(&sandbox, "b", "resume --home ../home --here");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert_eq!(output_of_tool(&sandbox), "tool of b, given\n");
    let journal = lifeboat(&sandbox, "b", "journal --home ../home").stdout;
    assert!(journal.contains("/b; it was started in "), "{journal}");
}
