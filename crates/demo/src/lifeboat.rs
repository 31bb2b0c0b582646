//! Lifeboat as a person at a shell would use it: this same program, started as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::leftovers;
use crate::trouble::Trouble;

/// How long the lines of an ended process may take from its pipe to here.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// This program as it was started, even if a newer one is installed meanwhile.
pub(crate) fn program() -> Command {
    let mut command = Command::new("/proc/self/exe");
    // In a group of its own: Ctrl-C is for the tour, which then ends everything in order.
    command.arg0("lifeboat").process_group(0);
    command
}

/// Starts this program with the tour's home.
#[derive(Debug)]
pub(crate) struct Lifeboat {
    home: PathBuf,
}

/// One such process. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Lifeboat {
    pub(crate) fn new(home: &Path) -> Self {
        Self { home: home.to_owned() }
    }

    /// Starts it, in that folder.
    pub(crate) fn start(&self, folder: &Path, args: &[String]) -> Result<Running, Trouble> {
        let mut command = program();
        command.args(args).current_dir(folder).env(leftovers::MARK, &self.home).env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Trouble::about("lifeboat"))?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            collect(stdout, sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            collect(stderr, sender);
        }
        Ok(Running { child, lines })
    }

    /// Runs it to its end and gives what it printed to stdout, and its exit code.
    pub(crate) fn ask(&self, folder: &Path, args: &[String]) -> Result<(String, Option<i32>), Trouble> {
        let mut command = program();
        command.args(args).current_dir(folder).env(leftovers::MARK, &self.home).stdin(Stdio::null());
        let output = command.output().map_err(Trouble::about("lifeboat"))?;
        Ok((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code()))
    }
}

/// Sends each line on, until its end or until nobody listens.
fn collect(from: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        let lines = BufReader::new(from).lines().map_while(Result::ok);
        let _nobody_listens = lines.into_iter().try_for_each(|line| to.send(line));
    });
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no handler runs, nothing is written.
    pub(crate) fn kill(&mut self) -> Result<(), Trouble> {
        self.child.kill().map_err(Trouble::about("kill"))?;
        let status = self.child.wait().map_err(Trouble::about("kill"))?;
        match status.signal() {
            Some(9) => Ok(()),
            Some(_) | None => Err(Trouble::failed(format!("it had ended by itself: {status}"))),
        }
    }

    /// The lines it printed since the last look.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// The last lines of one that has ended. What a process leaves in its pipes is there at once; the pipes themselves
    /// may stay open for longer, in the hands of what it started.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.recv_timeout(LAST_WORDS).ok()).collect()
    }

    /// How it ended; nothing while it runs.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, Trouble> {
        self.child.try_wait().map_err(Trouble::about("wait"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
