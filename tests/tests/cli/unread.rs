//! A run whose output nobody reads.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use lifeboat_tests::cli::Sandbox;
use lifeboat_tests::wait::wait_until;
use rustix::fs::{OFlags, fcntl_setfl};

const FAILS: &str = "
runbook: fails
steps:
  - { id: breaks, action: command.run, with: { argv: ['false'] } }
";

/// A pipe into which nothing more fits.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().expect("a pipe");
    fcntl_setfl(&writer, OFlags::NONBLOCK).expect("a flag of ours");
    while writer.write(&[b'\n'; 4096]).is_ok() {}
    fcntl_setfl(&writer, OFlags::empty()).expect("a flag of ours");
    (reader, writer)
}

/// The program with its output in that pipe.
fn start(sandbox: &Sandbox, writer: PipeWriter) -> Child {
    let mut command: Command = sandbox.command();
    command.args(["run", "fails.yaml", "--yes"]).stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(writer).spawn().expect("lifeboat starts")
}

#[test]
fn a_run_that_has_ended_is_let_go_although_nobody_reads() {
    let sandbox = Sandbox::with("fails.yaml", FAILS);
    let (mut reader, writer) = full_pipe();
    let mut child = start(&sandbox, writer);
    let decided = || sandbox.run("retry breaks --reason mended").code == Some(0);
    wait_until("the run takes a word", Duration::from_secs(30), || sandbox.run("status"), decided);
    assert!(child.try_wait().expect("our child").is_none(), "it waits for its reader");
    // A slow reader still gets everything.
    let read = thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("a pipe can be read");
        text
    });
    assert_eq!(child.wait().expect("it ends").code(), Some(4));
    let text = read.join().expect("it reads");
    for line in ["step breaks started", "run finished: failed", "steps: 1 failed"] {
        assert!(text.contains(line), "{line}: {}", text.trim());
    }
}
