//! A run whose output nobody reads.

use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use lifeboat_tests::cli::Sandbox;
use lifeboat_tests::driving::{Driving, PATIENCE};
use lifeboat_tests::wait::wait_until;
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;

const FAILS: &str = "
runbook: fails
steps:
  - { id: breaks, action: command.run, with: { argv: ['false'] } }
";

const STEPS: &str = "
runbook: steps
steps:
  - { id: one, action: command.run, with: { script: 'touch one; until test -e go || ! test -e one; do sleep 0.02; done' } }
  - { id: two, action: command.run, with: { argv: [touch, two] } }
  - { id: three, action: command.run, with: { argv: [touch, three] } }
";

/// A pipe into which nothing more fits.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().expect("a pipe");
    fcntl_setfl(&writer, OFlags::NONBLOCK).expect("a flag of ours");
    while writer.write(&[b'\n'; 4096]).is_ok() {}
    fcntl_setfl(&writer, OFlags::empty()).expect("a flag of ours");
    (reader, writer)
}

/// The program with its output in these.
fn start(sandbox: &Sandbox, line: &str, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Driving {
    let command = sandbox.lifeboat(line.split_whitespace()).into_command();
    Driving::start_into(command, stdout, stderr)
}

/// Waits until a file in the sandbox has a text.
fn wait_until_in(sandbox: &Sandbox, file: &str, text: &str) {
    let read = || fs::read_to_string(sandbox.path(file)).unwrap_or_default();
    wait_until(&format!("`{text}` in {file}"), PATIENCE, read, || read().contains(text));
}

fn read_all(mut reader: PipeReader) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("a pipe can be read");
        text
    })
}

/// Waits until the run is let go with a failed step.
fn wait_until_decided(sandbox: &Sandbox) {
    let decided = || sandbox.run("retry run_ breaks --reason mended").code == Some(0);
    wait_until("the run takes a word", PATIENCE, || sandbox.run("status"), decided);
}

#[test]
fn a_run_that_has_ended_is_let_go_although_nobody_reads() {
    let sandbox = Sandbox::with("fails.yaml", FAILS);
    let (reader, writer) = full_pipe();
    let run = start(&sandbox, "run fails.yaml --yes", writer, Stdio::null());
    wait_until_decided(&sandbox);
    assert!(!run.ends_within(Duration::ZERO), "it waits for its reader");
    // A slow reader still gets everything.
    let read = read_all(reader);
    assert_eq!(run.code(), Some(4));
    let text = read.join().expect("it reads");
    for line in ["step breaks started", "run finished: failed", "steps: 1 failed"] {
        assert!(text.contains(line), "{line}: {}", text.trim());
    }
}

#[test]
fn a_warning_that_nobody_reads_holds_up_no_step() {
    let sandbox = Sandbox::with("steps.yaml", STEPS);
    let (reader, writer) = full_pipe();
    let full = File::options().write(true).open("/dev/full").expect("a device");
    let run = start(&sandbox, "run steps.yaml --yes --json", full, writer);
    sandbox.wait_for("one");
    sandbox.file("go", "");
    sandbox.wait_for("three");
    // A slow reader still gets everything.
    let said = read_all(reader);
    assert_eq!(run.code(), Some(0));
    let said = said.join().expect("it reads");
    let said = said.trim();
    assert!(said.contains("a reporter failed") && said.contains("next:"), "{said}");
}

#[test]
fn a_warning_waits_for_no_reader_of_stdout() {
    let sandbox = Sandbox::with(
        "fails.yaml",
        &FAILS.replace(
            "argv: ['false']",
            "script: 'cd home/runs/run_*; rm header.json; mkdir header.json; exit 1'",
        ),
    );
    let (reader, writer) = full_pipe();
    let run = start(&sandbox, "run fails.yaml --yes --json", writer, Stdio::null());
    wait_until_decided(&sandbox);
    let read = read_all(reader);
    assert_eq!(run.code(), Some(4));
    assert!(read.join().expect("it reads").contains("run_finished"));
}

#[test]
fn a_frozen_stderr_holds_up_neither_stdout_nor_the_end() {
    let sandbox = Sandbox::with("steps.yaml", STEPS);
    let (_frozen, stderr) = full_pipe();
    let stdout = File::create(sandbox.path("stdout")).expect("a file");
    let run = start(&sandbox, "run steps.yaml --yes --json", stdout, stderr);
    sandbox.wait_for("one");
    run.signal(Signal::INT);
    sandbox.file("go", "");
    wait_until_in(&sandbox, "stdout", "run_stopped");
    assert_eq!(run.code(), Some(5));
}

#[test]
fn a_frozen_stdout_does_not_silence_stderr() {
    let sandbox = Sandbox::with("steps.yaml", STEPS);
    let (_frozen, stdout) = full_pipe();
    let stderr = File::create(sandbox.path("stderr")).expect("a file");
    let run = start(&sandbox, "run steps.yaml --yes --json", stdout, stderr);
    sandbox.wait_for("one");
    run.signal(Signal::INT);
    wait_until_in(&sandbox, "stderr", "press Ctrl-C again");
    run.kill();
    sandbox.file("go", "");
}

#[test]
fn output_that_is_lost_is_a_warning_and_counts_where_it_is_asked_for() {
    // Everything there is to tell comes at once, so that no later print can tell that the first has failed.
    let nothing = FAILS.replace("id: breaks,", "id: breaks, when: '{{ eq \"a\" \"b\" }}',");
    let sandbox = Sandbox::with("nothing.yaml", &nothing);
    for (line, exit) in [("", 0), (" --strict", 9), (" --json", 0), (" --json --strict", 9)] {
        let full = File::options().write(true).open("/dev/full").expect("a device");
        let stderr = File::create(sandbox.path("stderr")).expect("a file");
        let run = start(&sandbox, &format!("run nothing.yaml --yes{line}"), full, stderr);
        assert_eq!(run.code(), Some(exit), "{line}");
        let said = fs::read_to_string(sandbox.path("stderr")).expect("it was written");
        assert_eq!(said.matches("warning: ").count(), 1, "{said}");
        assert!(said.contains("could not be printed") && said.contains("No space left"), "{said}");
    }
}

#[test]
fn a_run_that_has_ended_is_left_at_a_signal_although_nobody_reads() {
    for json in ["", " --json"] {
        let sandbox = Sandbox::with("fails.yaml", FAILS);
        let (_frozen, both) = full_pipe();
        let again = both.try_clone().expect("a pipe can be shared");
        let run = start(&sandbox, &format!("run fails.yaml --yes{json}"), both, again);
        wait_until_decided(&sandbox);
        run.signal(Signal::INT);
        assert_eq!(run.code(), Some(4), "{json}");
    }
}

#[test]
fn a_run_that_was_stopped_waits_for_no_reader_without_end() {
    let sandbox = Sandbox::with("steps.yaml", STEPS);
    let (_frozen, stdout) = full_pipe();
    let run = start(&sandbox, "run steps.yaml --yes --json", stdout, Stdio::null());
    sandbox.wait_for("one");
    run.signal(Signal::TERM);
    assert_eq!(run.code(), Some(5));
}
