//! Runs in a folder keep what every store promises, without checkpoints and with them from the first record on.

use std::time::Duration;

use lifeboat_engine::store::Store;
use lifeboat_store::FileStore;
use lifeboat_testkit::store_suite::Place;
use tempfile::TempDir;

struct Home {
    folder: TempDir,
    checkpoints_after: Duration,
}

impl Home {
    fn new(checkpoints_after: Duration) -> Self {
        Self { folder: TempDir::new().expect("a temporary folder"), checkpoints_after }
    }
}

impl Place for Home {
    fn store(&self) -> Box<dyn Store> {
        let store = FileStore::open(self.folder.path()).expect("a folder");
        Box::new(store.with_checkpoints_after(self.checkpoints_after))
    }
}

mod journal_alone {
    use super::*;

    lifeboat_testkit::store_suite!(|| Home::new(Duration::MAX));
}

mod with_checkpoints {
    use super::*;

    lifeboat_testkit::store_suite!(|| Home::new(Duration::ZERO));
}
