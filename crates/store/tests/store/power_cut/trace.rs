//! What strace saw, as events of one home folder.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Something that changed a file or a name, or made a change durable, in the order in which the calls returned.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// When the call was entered: a sync covers only what had returned by then.
    pub(crate) begin: usize,
    /// When it returned.
    pub(crate) end: usize,
    pub(crate) what: What,
}

/// A file, whatever its name is now.
pub(crate) type FileId = usize;

#[derive(Debug, Clone)]
pub(crate) enum What {
    Create(PathBuf, FileId),
    MakeFolder(PathBuf),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
    /// Bytes at a place.
    Write(FileId, usize, Vec<u8>),
    SetLength(FileId, usize),
    SyncFile(FileId),
    SyncFolder(PathBuf),
    /// A driver said that the run is durable up to this record.
    Acknowledged(u64),
}

/// Reads a trace made with `-f -y -xx`.
pub(crate) fn read(trace: &Path, home: &Path) -> Vec<Event> {
    let text = fs::read_to_string(trace).expect("a trace");
    let mut reader = Reader { home: home.to_owned(), ..Reader::default() };
    let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(head) = call.strip_suffix("<unfinished ...>") {
            unfinished.insert(process, (number, head.trim_end()));
        } else if let Some(rest) = call.strip_prefix("<... ") {
            let (_, tail) = rest.split_once(" resumed>").expect("a resumed call");
            if let Some((begin, head)) = unfinished.remove(process) {
                reader.call(begin, number, &format!("{head}{tail}"));
            }
        } else {
            reader.call(number, number, call);
        }
    }
    reader.events
}

#[derive(Debug, Default)]
struct Reader {
    home: PathBuf,
    events: Vec<Event>,
    files: HashMap<PathBuf, FileId>,
    next_file: FileId,
    lengths: HashMap<FileId, usize>,
    /// Where the next plain write goes, by descriptor and name; none for a file that is open for appending.
    positions: HashMap<(String, PathBuf), Option<usize>>,
}

impl Reader {
    fn call(&mut self, begin: usize, end: usize, line: &str) {
        let Some((name, rest)) = line.split_once('(') else { return };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { return };
        if result.starts_with(['-', '?']) {
            return;
        }
        let arguments = arguments.trim_end().strip_suffix(')').unwrap_or(arguments);
        for what in self.events_of(name, arguments, result) {
            self.events.push(Event { begin, end, what });
        }
    }

    fn events_of(&mut self, name: &str, arguments: &str, result: &str) -> Vec<What> {
        let texts = texts(arguments);
        let path =
            |at: usize| texts.get(at).map(|text| PathBuf::from(String::from_utf8_lossy(text).as_ref()));
        match name {
            "openat" => self.open(arguments, result),
            "mkdir" | "mkdirat" => {
                path(0).filter(|path| self.is_inside(path)).map(What::MakeFolder).into_iter().collect()
            }
            "unlink" | "unlinkat" => {
                let folder = descriptor(arguments).map(|(_, folder)| folder).unwrap_or_default();
                let Some(path) = path(0).map(|path| folder.join(path)).filter(|path| self.is_inside(path))
                else {
                    return Vec::new();
                };
                self.files.remove(&path);
                vec![What::Remove(path)]
            }
            "rename" | "renameat" | "renameat2" => self.rename(path(0), path(1)),
            _ => self.on_descriptor(name, arguments, result, &texts.concat()),
        }
    }

    fn is_inside(&self, path: &Path) -> bool {
        path.starts_with(&self.home)
    }

    fn open(&mut self, arguments: &str, result: &str) -> Vec<What> {
        let Some((number, path)) = descriptor(result).filter(|(_, path)| self.is_inside(path)) else {
            return Vec::new();
        };
        let appends = arguments.contains("O_APPEND");
        self.positions.insert((number, path.clone()), (!appends).then_some(0));
        if arguments.contains("O_DIRECTORY") {
            return Vec::new();
        }
        match self.files.get(&path) {
            Some(file) if arguments.contains("O_TRUNC") => {
                self.lengths.insert(*file, 0);
                vec![What::SetLength(*file, 0)]
            }
            None if arguments.contains("O_CREAT") => {
                self.next_file += 1;
                self.files.insert(path.clone(), self.next_file);
                vec![What::Create(path, self.next_file)]
            }
            Some(_) | None => Vec::new(),
        }
    }

    fn rename(&mut self, from: Option<PathBuf>, to: Option<PathBuf>) -> Vec<What> {
        let (Some(from), Some(to)) = (from, to) else { return Vec::new() };
        if !self.is_inside(&from) {
            return Vec::new();
        }
        let moved: Vec<_> = self.files.keys().filter(|path| path.starts_with(&from)).cloned().collect();
        for path in moved {
            let file = self.files.remove(&path).expect("listed");
            self.files.insert(renamed(&path, &from, &to), file);
        }
        vec![What::Rename(from, to)]
    }

    fn on_descriptor(&mut self, name: &str, arguments: &str, result: &str, bytes: &[u8]) -> Vec<What> {
        let Some((number, path)) = descriptor(arguments) else { return Vec::new() };
        if name == "write" && number == "2" {
            let said = String::from_utf8_lossy(bytes);
            let acked = said.trim_end().strip_prefix("ACK ").and_then(|seq| seq.parse().ok());
            return acked.map(What::Acknowledged).into_iter().collect();
        }
        if !self.is_inside(&path) {
            return Vec::new();
        }
        let last_number =
            || arguments.rsplit(", ").next().and_then(|number| number.parse().ok()).expect("a number");
        let Some(file) = self.files.get(&path).copied() else {
            return if name.ends_with("sync") { vec![What::SyncFolder(path)] } else { Vec::new() };
        };
        let length = self.lengths.get(&file).copied().unwrap_or(0);
        let what = match name {
            "fsync" | "fdatasync" => return vec![What::SyncFile(file)],
            "write" => {
                let position = self.positions.entry((number, path)).or_insert(Some(0));
                let at = position.unwrap_or(length);
                *position = position.map(|at| at + bytes.len());
                What::Write(file, at, bytes.to_vec())
            }
            "pwrite64" => What::Write(file, last_number(), bytes.to_vec()),
            "ftruncate" => What::SetLength(file, last_number()),
            "lseek" => {
                let at = result.split(' ').next().and_then(|at| at.parse().ok());
                self.positions.insert((number, path), at);
                return Vec::new();
            }
            other => panic!("{other} is not understood: {arguments}"),
        };
        let length = match &what {
            What::Write(_, at, bytes) => length.max(at + bytes.len()),
            What::SetLength(_, length) => *length,
            _ => length,
        };
        self.lengths.insert(file, length);
        vec![what]
    }
}

/// The name that a path has once `from` is renamed.
pub(crate) fn renamed(path: &Path, from: &Path, to: &Path) -> PathBuf {
    path.strip_prefix(from).map_or_else(
        |_| path.to_owned(),
        |rest| if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) },
    )
}

/// A descriptor with its path, `3</home/x>`, at the beginning of a text.
fn descriptor(text: &str) -> Option<(String, PathBuf)> {
    let (number, rest) = text.split_once('<')?;
    let path = unescape(rest.split_once('>')?.0);
    let path = String::from_utf8_lossy(&path).into_owned();
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| (number.to_owned(), PathBuf::from(path)))
}

/// The quoted texts in a call's arguments.
fn texts(arguments: &str) -> Vec<Vec<u8>> {
    arguments.split('"').skip(1).step_by(2).map(unescape).collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        match rest.strip_prefix("\\x").and_then(|hex| hex.get(..2)) {
            Some(hex) => {
                bytes.push(u8::from_str_radix(hex, 16).expect("hexadecimal digits"));
                rest = &rest[4..];
            }
            None => {
                bytes.push(first);
                rest = &rest[1..];
            }
        }
    }
    bytes
}
