//! Free ports on loopback that no other scene takes.
//!
//! A port that is free when asked can be taken before the server binds it. So scenes take blocks of ports below the range of
//! outgoing connections, and hold a lock on their block for as long as they live.

use std::env;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

const FIRST: u16 = 10_000;
/// The kernel's range for outgoing connections begins above, at 32768.
const LAST: u16 = 32_000;

/// The ports of one scene.
#[derive(Debug)]
pub(crate) struct Ports {
    /// PostgreSQL `a`.
    pub(crate) a: u16,
    /// PostgreSQL `b`.
    pub(crate) b: u16,
    /// HAProxy's front.
    pub(crate) front: u16,
    /// HAProxy's runtime socket over TCP.
    pub(crate) admin: u16,
    _lock: File,
}

const BLOCK: u16 = 4;

impl Ports {
    /// Takes a block of free ports.
    ///
    /// # Panics
    /// When none is found, or the locks' folder cannot be made.
    pub(crate) fn reserve() -> Self {
        let folder = lock_folder();
        let blocks = (LAST - FIRST) / BLOCK;
        let offset = random_below(blocks);
        (0..blocks)
            .map(|block| FIRST + (offset + block) % blocks * BLOCK)
            .find_map(|first| Self::take(&folder, first))
            .expect("some ports of this machine are free")
    }

    fn take(folder: &Path, first: u16) -> Option<Self> {
        let lock = File::create(folder.join(first.to_string())).ok()?;
        lock.try_lock().ok()?;
        let free = (first..first + BLOCK).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
        free.then(|| Self { a: first, b: first + 1, front: first + 2, admin: first + 3, _lock: lock })
    }
}

fn lock_folder() -> PathBuf {
    let folder = env::temp_dir().join(format!("lifeboat-test-ports-{}", geteuid().as_raw()));
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}

fn random_below(limit: u16) -> u16 {
    let hash = RandomState::new().hash_one(std::process::id());
    u16::try_from(hash % u64::from(limit)).unwrap_or_default()
}
