//! How a loop goes over its items: how many at a time, in which waves, and how many may fail.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A number of items, or a part of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// So many.
    Items(u32),
    /// So many of a hundred, rounded down.
    Percent(u32),
}

impl Share {
    /// How many items that is of `all`.
    pub fn of(self, all: u32) -> u32 {
        match self {
            Self::Items(items) => items,
            Self::Percent(percent) => {
                u32::try_from(u64::from(all) * u64::from(percent) / 100).unwrap_or(u32::MAX)
            }
        }
    }
}

/// How many items of a loop go on at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pacing {
    /// At most so many at a time; at least 1.
    pub max_parallel: u32,
    /// The sizes of the waves; the last one repeats. None: one wave with all items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<Share>,
    /// The wait behind a wave.
    #[serde(default)]
    pub pause: SignedDuration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self { max_parallel: 1, batches: Vec::new(), pause: SignedDuration::ZERO }
    }
}

impl Pacing {
    /// How many items are in the waves 0 to `batch`, of `all`. Every wave has at least one.
    pub(crate) fn through(&self, batch: u32, all: u32) -> u32 {
        let Some(last) = self.batches.last() else { return all };
        let sizes = self.batches.iter().chain(std::iter::repeat(last));
        let sizes = sizes.map(|share| share.of(all).max(1)).take(batch as usize + 1);
        sizes.fold(0u32, u32::saturating_add).min(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_grow_as_written_and_the_last_one_repeats() {
        let batches = vec![Share::Items(1), Share::Percent(25)];
        let pacing = Pacing { max_parallel: 8, batches, pause: SignedDuration::ZERO };
        let through: Vec<_> = (0..6).map(|batch| pacing.through(batch, 10)).collect();
        assert_eq!(through, [1, 3, 5, 7, 9, 10]);
        assert_eq!(Pacing::default().through(0, 10), 10);
        assert_eq!(Share::Percent(20).of(3), 0);
    }
}
