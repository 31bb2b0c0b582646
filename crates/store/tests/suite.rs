//! Runs in a folder keep what every store promises.

use lifeboat_engine::store::Store;
use lifeboat_store::FileStore;
use lifeboat_testkit::store_suite::Place;
use tempfile::TempDir;

struct Home(TempDir);

impl Place for Home {
    fn store(&self) -> Box<dyn Store> {
        Box::new(FileStore::open(self.0.path()).expect("a folder"))
    }
}

lifeboat_testkit::store_suite!(|| Home(TempDir::new().expect("a temporary folder")));
