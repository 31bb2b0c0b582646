//! What should be in sled: how many pieces each item has and as of which record it was written.
//!
//! The sum of the book is stored with the run: should sled bring back an older value of a step, or lose one, every value
//! would still be right in itself, and only the sum would not fit.

use std::collections::HashMap;

use crate::checkpoint::piece::ItemId;

/// What is known of one stored item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) pieces: u16,
}

/// The items that are stored.
#[derive(Debug, Default)]
pub(crate) struct Book {
    items: HashMap<ItemId, Entry>,
    sum: u64,
}

impl Book {
    /// Enters an item in the place of its earlier version, which is returned.
    pub(crate) fn enter(&mut self, item: ItemId, entry: Entry) -> Option<Entry> {
        let before = self.items.insert(item, entry);
        // The run itself cannot be in a sum that is stored in it.
        if item != ItemId::Run {
            let taken = before.map_or(0, |before| digest(item, before));
            self.sum = self.sum.wrapping_sub(taken).wrapping_add(digest(item, entry));
        }
        before
    }

    /// Depends on each step's entry, not on the order in which they were entered.
    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }
}

fn digest(item: ItemId, Entry { seq, pieces }: Entry) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&item.prefix()).update(&seq.to_be_bytes()).update(&pieces.to_be_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_follows_from_what_is_stored_now() {
        let entry = |seq| Entry { seq, pieces: 1 };
        let (mut a, mut b) = (Book::default(), Book::default());
        for (item, seq) in [(1, 1), (2, 2), (1, 3)] {
            a.enter(ItemId::Node(item), entry(seq));
        }
        assert_eq!(b.enter(ItemId::Node(1), entry(3)), None);
        assert_ne!(a.sum(), b.sum());
        b.enter(ItemId::Node(2), entry(2));
        b.enter(ItemId::Run, entry(9));
        assert_eq!(a.sum(), b.sum());
        assert_eq!(a.enter(ItemId::Node(2), entry(4)), Some(entry(2)));
        assert_ne!(a.sum(), b.sum());
    }
}
