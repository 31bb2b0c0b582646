//! The store in memory keeps what every store promises.

use lifeboat_engine::store::Store;
use lifeboat_testkit::MemoryStore;
use lifeboat_testkit::store_suite::Place;

struct Memory(MemoryStore);

impl Place for Memory {
    fn store(&self) -> Box<dyn Store> {
        Box::new(self.0.clone())
    }
}

lifeboat_testkit::store_suite!(|| Memory(MemoryStore::new()));
