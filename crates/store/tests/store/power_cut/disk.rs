//! A disk after a power cut: what was certainly on it, and what may have been.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::trace::{Event, FileId, What, renamed};

const PAGE: usize = 4096;

/// What keeps a new, changed or removed name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Names {
    /// Any sync: the file system has one journal for all names, as ext4 and XFS do.
    Journalled,
    /// A sync of the folder it stands in, as POSIX has it.
    Strict,
}

/// What became of all that was not durable.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Policy {
    /// Lost.
    Nothing,
    /// Kept: as after a kill.
    All,
    /// Each file up to some write, the next one in part; names up to some change.
    Prefix,
    /// Each page of each write by a coin; names up to some change.
    Pages,
}

/// A file's content as far as it is durable, and the changes that may be missing from it.
#[derive(Debug, Default, Clone)]
struct Content {
    durable: Vec<u8>,
    pending: Vec<(usize, Change)>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLength(usize),
}

#[derive(Debug)]
pub(crate) struct Disk {
    names: Names,
    files: BTreeMap<FileId, Content>,
    durable_names: Vec<Event>,
    pending_names: Vec<Event>,
    acked: u64,
    home: PathBuf,
}

impl Disk {
    /// The part of a disk below a home folder at the moment after these events.
    pub(crate) fn after(events: &[Event], names: Names, home: &Path) -> Self {
        let mut disk = Self {
            names,
            files: BTreeMap::new(),
            durable_names: Vec::new(),
            pending_names: Vec::new(),
            acked: 0,
            home: home.to_owned(),
        };
        for event in events {
            disk.take(event);
        }
        disk
    }

    /// The newest record that was acknowledged before the cut.
    pub(crate) fn acked(&self) -> u64 {
        self.acked
    }

    fn take(&mut self, event: &Event) {
        let mut change = |file: &FileId, change| {
            self.files.entry(*file).or_default().pending.push((event.end, change));
        };
        match &event.what {
            What::Write(file, at, bytes) => change(file, Change::Write(*at, bytes.clone())),
            What::SetLength(file, length) => change(file, Change::SetLength(*length)),
            What::Acknowledged(seq) => self.acked = *seq,
            What::Create(..) | What::MakeFolder(_) | What::Remove(_) | What::Rename(..) => {
                self.pending_names.push(event.clone());
            }
            What::SyncFile(file) => {
                self.files.entry(*file).or_default().sync(event.begin);
                if self.names == Names::Journalled {
                    self.sync_names(event.begin, None);
                }
            }
            What::SyncFolder(folder) => {
                let folder = (self.names == Names::Strict).then_some(folder.as_path());
                self.sync_names(event.begin, folder);
            }
        }
    }

    fn sync_names(&mut self, begin: usize, folder: Option<&Path>) {
        let stands_in = |event: &Event| match &event.what {
            What::Create(path, _) | What::MakeFolder(path) | What::Remove(path) | What::Rename(_, path) => {
                folder.is_none_or(|folder| path.parent() == Some(folder))
            }
            _ => false,
        };
        let pending = std::mem::take(&mut self.pending_names);
        let (kept, pending) = pending.into_iter().partition(|event| event.end <= begin && stands_in(event));
        self.pending_names = pending;
        self.durable_names.extend::<Vec<_>>(kept);
    }
    /// Writes the disk into a folder, with what is left to chance decided by the policy.
    pub(crate) fn write(&self, to: &Path, policy: Policy, random: &mut Random) {
        let survivors = match policy {
            Policy::Nothing => 0,
            Policy::All => self.pending_names.len(),
            Policy::Prefix | Policy::Pages => random.below(self.pending_names.len() + 1),
        };
        let mut names: Vec<_> = self.durable_names.iter().chain(&self.pending_names[..survivors]).collect();
        names.sort_by_key(|event| event.end);
        let place = |path: &Path| renamed(path, &self.home, to);
        fs::create_dir_all(to).expect("created");
        for (path, file) in tree(&names) {
            let path = place(&path);
            // A strict file system may keep a name and lose that of the folder it stands in: then it cannot be reached.
            match file {
                None if path.parent().is_some_and(Path::is_dir) => fs::create_dir_all(path).expect("created"),
                Some(file) if path.parent().is_some_and(Path::is_dir) => {
                    let content = self.files.get(&file).map(|content| content.after_cut(policy, random));
                    fs::write(path, content.unwrap_or_default()).expect("written");
                }
                None | Some(_) => {}
            }
        }
    }
}

/// The names that follow from changes of names: folders, and files with what they hold.
fn tree(changes: &[&Event]) -> BTreeMap<PathBuf, Option<FileId>> {
    let mut tree = BTreeMap::new();
    for change in changes {
        match &change.what {
            What::Create(path, file) => drop(tree.insert(path.clone(), Some(*file))),
            What::MakeFolder(path) => drop(tree.insert(path.clone(), None)),
            What::Remove(path) => drop(tree.remove(path)),
            What::Rename(from, to) => {
                tree.retain(|path, _| !path.starts_with(to) || path.starts_with(from));
                tree = tree.into_iter().map(|(path, file)| (renamed(&path, from, to), file)).collect();
            }
            _ => {}
        }
    }
    tree
}

impl Content {
    /// What had returned before the sync was called is durable after it.
    fn sync(&mut self, begin: usize) {
        let pending = std::mem::take(&mut self.pending);
        for (end, change) in pending {
            if end <= begin {
                apply(&mut self.durable, &change);
            } else {
                self.pending.push((end, change));
            }
        }
    }

    fn after_cut(&self, policy: Policy, random: &mut Random) -> Vec<u8> {
        let mut content = self.durable.clone();
        let changes = || self.pending.iter().map(|(_, change)| change);
        match policy {
            Policy::Nothing => {}
            Policy::All => changes().for_each(|change| apply(&mut content, change)),
            Policy::Prefix => {
                let whole = random.below(self.pending.len() + 1);
                changes().take(whole).for_each(|change| apply(&mut content, change));
                if let Some(Change::Write(at, bytes)) = changes().nth(whole) {
                    let part = random.below(bytes.len() + 1);
                    apply(&mut content, &Change::Write(*at, bytes[..part].to_vec()));
                }
            }
            Policy::Pages => {
                for page in changes().flat_map(pages) {
                    if random.below(2) == 0 {
                        apply(&mut content, &page);
                    }
                }
            }
        }
        content
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::SetLength(length) => content.resize(*length, 0),
        Change::Write(at, bytes) => {
            content.resize(content.len().max(at + bytes.len()), 0);
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}

/// A change, cut where pages end.
fn pages(change: &Change) -> Vec<Change> {
    let Change::Write(at, bytes) = change else { return vec![change.clone()] };
    let (mut pages, mut start) = (Vec::new(), 0);
    while start < bytes.len() {
        let end = bytes.len().min(((at + start) / PAGE + 1) * PAGE - at);
        pages.push(Change::Write(at + start, bytes[start..end].to_vec()));
        start = end;
    }
    pages
}

/// The same numbers in every run of a test.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}
