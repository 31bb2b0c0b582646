//! The scene of the tour: a folder, and the processes of the service in it.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::http::call;
use crate::leftovers;
use crate::lifeboat::program;
use crate::service::SERVE;
use crate::trouble::Trouble;

/// A folder of its own below the system's folder for temporary files, removed when dropped unless it is to be kept.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    pub(crate) fn new() -> Result<Self, Trouble> {
        let random = ulid::Ulid::generate().random() & 0xffff_ffff;
        let path = std::env::temp_dir().join(format!("lifeboat-demo-{random:08x}"));
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(Trouble::about(path.display()))?;
        Ok(Self { path, kept: false })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    /// Makes a folder in it.
    fn inside(&self, name: &str) -> Result<PathBuf, Trouble> {
        let path = self.path.join(name);
        fs::create_dir(&path).map_err(Trouble::about(path.display()))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What is left in the folder for temporary files is the system's to clean.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

/// Everything that runs, and where it keeps its files. Dropping it ends all of it.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) east: Process,
    pub(crate) west: Process,
    pub(crate) front: Process,
    /// Lifeboat's own home for the tour.
    pub(crate) home: PathBuf,
    /// Last, so that it goes after the processes.
    pub(crate) folder: Folder,
}

impl Scene {
    pub(crate) fn bring_up(folder: Folder) -> Result<Self, Trouble> {
        let home = folder.inside("home")?;
        let west = Process::start("west", folder.inside("west")?, &[], &home)?;
        let east = Process::start("east", folder.inside("east")?, &[west.address], &home)?;
        let front = Process::start("front", folder.inside("front")?, &[east.address, west.address], &home)?;
        Ok(Self { east, west, front, home, folder })
    }

    /// A text with the names of the processes in the place of their addresses.
    pub(crate) fn with_names(&self, text: &str) -> String {
        let all = [("east", &self.east), ("west", &self.west), ("front", &self.front)];
        all.into_iter().fold(text.to_owned(), |text, (name, process)| {
            text.replace(&format!("http://{}", process.address), name)
        })
    }

    /// Ends every process of the tour, also those that Lifeboat started.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        for process in [&mut self.east, &mut self.west, &mut self.front] {
            process.kill()?;
        }
        leftovers::end(&self.home)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // On the way out of an error that is told already.
        drop(self.end());
    }
}

/// One process of the service.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    pub(crate) folder: PathBuf,
    child: Child,
}

impl Process {
    fn start(name: &str, folder: PathBuf, others: &[SocketAddr], home: &Path) -> Result<Self, Trouble> {
        let mut command = program();
        command.arg(SERVE).arg(name).arg(&folder).args(others.iter().map(SocketAddr::to_string));
        command.env(leftovers::MARK, home).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Trouble::about(name))?;
        match first_line(&mut child).and_then(|line| line.trim().parse().map_err(io::Error::other)) {
            Ok(address) => Ok(Self { address, folder, child }),
            Err(error) => {
                drop(child.kill());
                drop(child.wait());
                Err(Trouble::failed(format!("{name} did not start: {error}")))
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, as a power cut would.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// What it answers to a request, such as `GET /health`; nothing when it does not.
    pub(crate) fn ask(&self, target: &str) -> Option<Value> {
        let reply = call(self.address, target, &Value::Null).ok()?;
        reply.is_ok().then_some(reply.body)
    }

    /// The lines of its audit log.
    pub(crate) fn audit(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("audit.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn first_line(child: &mut Child) -> io::Result<String> {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    Ok(line)
}
